package stack_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// full is an article with every field filled.
func full(id string) article.Article {
	at := time.Date(2026, 10, 24, 9, 0, 0, 123456789, time.UTC)
	return article.Article{
		Schema: article.SchemaVersion, ID: id, Revision: 3, Generation: 7, Bucket: "2026-10", Status: article.Usable, Language: "ar-MA",
		Source: article.Source{ID: "map", Name: "MAP", Country: "MA"}, GUID: "guid", URL: "https://example.org/a?b=<c>&d",
		Title: "المديرية العامة للأمن", Body: "الرباط - نص.\nفقرة.", Byline: "كاتب", Published: at, FirstPublished: at, Embargoed: at,
		Received: at, Enriched: at,
		Entities: []article.Entity{{
			ID: "Q1028", QID: "Q1028", Type: article.Place, Name: "المغرب", Labels: map[string]string{"ar": "المغرب", "fr": "Maroc"}, Count: 2,
			Salience: 0.41, Location: &article.Location{Lat: 32, Lon: -6}, Country: "MA", By: "kb",
			Mentions: []article.Mention{{Field: "title", Start: 0, End: 8, Text: "المديرية"}},
		}},
		Topics: []article.Topic{{ID: "medtop:20000103", Name: "terrorism", Broader: []string{"medtop:02000000"}, Score: 0.93, Evidence: []string{"نص"}}},
	}
}

// TestFull has the strict mapping meet every field of an article.
func TestFull(t *testing.T) {
	x := open(t)
	want := full("a")
	if _, err := x.Write(t.Context(), []article.Article{want}); err != nil {
		t.Fatal(err)
	}
	x.Refresh()
	got, err := x.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
}

// TestPermanent has Elasticsearch itself refuse an article.
func TestPermanent(t *testing.T) {
	x := open(t)
	bad := full("bad")
	bad.Source.ID = strings.Repeat("s", 40_000) // longer than Lucene's longest term
	outcomes, err := x.Write(t.Context(), []article.Article{full("a"), bad, full("c")})
	var batch *search.BatchError
	if !errors.As(err, &batch) || len(batch.Items) != 1 || batch.Items[0].Index != 1 || !batch.Items[0].Permanent {
		t.Fatalf("error is %v, want the second alone, permanent", err)
	}
	if !strings.Contains(err.Error(), "immense term") {
		t.Errorf("error %q lacks Elasticsearch's reason", err)
	}
	if diff := cmp.Diff([]search.Outcome{search.Indexed, search.Failed, search.Indexed}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// TestBlocks has the index blocked, by an operator and as by a full disk.
func TestBlocks(t *testing.T) {
	x := open(t)
	if _, err := x.Write(t.Context(), []article.Article{full("a")}); err != nil {
		t.Fatal(err)
	}
	index := strings.TrimSpace(call(t, http.MethodGet, "/_cat/indices/"+x.prefix+"-*?h=index", ""))
	for _, block := range []string{"write", "read_only_allow_delete"} {
		call(t, http.MethodPut, "/"+index+"/_settings", `{"index.blocks.`+block+`":true}`)
		_, err := x.Write(t.Context(), []article.Article{full("b")})
		var batch *search.BatchError
		if !errors.Is(err, search.ErrOutage) || errors.As(err, &batch) {
			t.Errorf("%s: error is %v, want an outage", block, err)
		}
		call(t, http.MethodPut, "/"+index+"/_settings", `{"index.blocks.`+block+`":null}`)
		if _, err := x.Write(t.Context(), []article.Article{full("b")}); err != nil {
			t.Errorf("%s lifted: %v", block, err)
		}
	}
}

// TestMonths has several writers meet new months at once, and a search go over
// all of them.
func TestMonths(t *testing.T) {
	x := open(t)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			var articles []article.Article
			for _, bucket := range []string{"2026-08", "2026-09", "2026-10"} {
				a := full(bucket + string(rune('a'+w)))
				a.Bucket = bucket
				articles = append(articles, a)
			}
			if _, err := x.Write(t.Context(), articles); err != nil {
				t.Errorf("Write: %v", err)
			}
		})
	}
	wg.Wait()
	x.Refresh()
	result, err := x.Search(t.Context(), search.Request{
		Query: query.Term{Form: "مديريه"}, Size: 5, Facets: []search.Facet{{Field: search.FacetTopic}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Total != 12 || len(result.Hits) != 5 || result.Hits[4].Article.ID != "2026-09a" || result.Facets[search.FacetTopic][0].Count != 12 {
		t.Errorf("found %d, %d hits, facets %v", result.Total, len(result.Hits), result.Facets)
	}
}

// TestLongWord is longer than the whitespace analyser's longest word.
func TestLongWord(t *testing.T) {
	x := open(t)
	a := full("a")
	long := strings.Repeat("x", 256)
	a.Title = "avant " + long + " apres"
	if _, err := x.Write(t.Context(), []article.Article{a}); err != nil {
		t.Fatal(err)
	}
	x.Refresh()
	for _, node := range []query.Node{query.Term{Form: long}, query.Phrase{Forms: []string{"avant", long, "apres"}}} {
		if result, err := x.Search(t.Context(), search.Request{Query: node}); err != nil || result.Total != 1 {
			t.Errorf("found %d, error %v, want 1", result.Total, err)
		}
	}
}

// TestDropBefore drops months whole, and only those.
func TestDropBefore(t *testing.T) {
	x := open(t)
	months(t, x, 6)
	dropped, err := x.DropBefore(t.Context(), "2026-10")
	if err != nil || !slices.Equal(dropped, []string{x.prefix + "-2026.08-000001", x.prefix + "-2026.09-000001"}) {
		t.Errorf("dropped %q, error %v", dropped, err)
	}
	if got := generation(t, x); got != x.prefix+"-2026.10-000001" {
		t.Errorf("readers use %q", got)
	}
	if _, err := x.Get(t.Context(), "a5"); err != nil {
		t.Errorf("an article of a month that stays: %v", err)
	}
	if _, err := x.Get(t.Context(), "a4"); !errors.Is(err, search.ErrNotFound) {
		t.Errorf("an article of a month that was dropped: %v", err)
	}
	if dropped, err := x.DropBefore(t.Context(), "zzzz"); err == nil || len(dropped) > 0 {
		t.Errorf("before no month: dropped %q, error %v", dropped, err)
	}
	if dropped, err := x.DropBefore(t.Context(), "2026-10"); err != nil || len(dropped) > 0 {
		t.Errorf("again: dropped %q, error %v", dropped, err)
	}
}
