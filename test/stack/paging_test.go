package stack_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// ranked fills an index with articles that a query ranks by their numbers.
func ranked(t *testing.T, x backend, n int) {
	t.Helper()
	var articles []article.Article
	for i := range n {
		a := full(fmt.Sprintf("%02d", i))
		a.Title, a.Body = "titre", strings.Repeat("phosphate ", n-i)+strings.Repeat("mot ", 2*n+i)
		articles = append(articles, a)
	}
	if _, err := x.Write(t.Context(), articles); err != nil {
		t.Fatal(err)
	}
	x.Refresh()
}

// points counts the points in time that are open on the server.
func points(t *testing.T) string {
	t.Helper()
	return call(t, http.MethodGet, "/_nodes/stats/indices/search?filter_path=nodes.*.indices.search.open_contexts", "")
}

// TestRelevancePages has the index change between pages sorted by relevance:
// they go on as it was, but for what was retracted.
func TestRelevancePages(t *testing.T) {
	x := open(t)
	ranked(t, x, 30)
	before := points(t)
	request := search.Request{Query: query.Term{Form: "phosphate"}, Sort: search.ByRelevance, Size: 10}
	var ids []string
	for page := 0; ; page++ {
		res, err := x.Search(t.Context(), request)
		if err != nil {
			t.Fatalf("page %d: %v", page, err)
		}
		for _, h := range res.Hits {
			ids = append(ids, h.Article.ID)
		}
		if res.Total != 30 && page > 0 {
			t.Errorf("page %d tells of %d articles, want the 30 of its point in time", page, res.Total)
		}
		if request.Cursor = res.Next; res.Next == "" {
			break
		}
		// What comes between would be first, and move all that follows.
		for i := range 5 {
			a := full(fmt.Sprintf("new%d-%d", page, i))
			a.Title = "phosphate phosphate"
			if _, err := x.Write(t.Context(), []article.Article{a}); err != nil {
				t.Fatal(err)
			}
		}
		gone := full("25")
		gone.Revision, gone.Status = gone.Revision+1, article.Canceled
		gone.Redact()
		if _, err := x.Write(t.Context(), []article.Article{gone}); err != nil {
			t.Fatal(err)
		}
		x.Refresh()
	}
	if len(ids) != 29 || slices.Contains(ids, "25") || !slices.IsSorted(ids) {
		t.Errorf("pages hold %q, want 00 to 29 in order but for the retracted 25", ids)
	}
	if after := points(t); after != before {
		t.Errorf("points in time are left open: %s, before %s", after, before)
	}
}

// TestLostPoint has the point in time go away between pages: they go on.
func TestLostPoint(t *testing.T) {
	x := open(t)
	ranked(t, x, 30)
	request := search.Request{Query: query.Term{Form: "phosphate"}, Sort: search.ByRelevance, Size: 10}
	res, err := x.Search(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	call(t, http.MethodDelete, "/_search/scroll/_all", "")
	request.Cursor = res.Next
	call(t, http.MethodPost, "/"+x.prefix+"/_close?wait_for_active_shards=0", "") // which ends all that is open in it
	call(t, http.MethodPost, "/"+x.prefix+"/_open", "")
	res, err = x.Search(t.Context(), request)
	if err != nil || len(res.Hits) != 10 || res.Hits[0].Article.ID != "10" {
		t.Errorf("%d hits, error %v", len(res.Hits), err)
	}
	for _, pit := range []string{"x", strings.Repeat("A", 300), "not base64 !"} {
		cursor := search.NewCursor("s2", search.ByRelevance, append([]byte{0x40, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'a'}, pit...))
		request.Cursor = cursor
		if _, err := x.Search(t.Context(), request); err != nil && !errors.Is(err, search.ErrRequest) {
			t.Errorf("a cursor made by hand with %q gives %v", pit, err)
		}
	}
}
