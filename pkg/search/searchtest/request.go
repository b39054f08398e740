package searchtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

func requestTests() []test {
	return []test{
		{"empty index", func(t *testing.T, x index) {
			for _, req := range []search.Request{
				{}, {Size: 10}, {Query: query.All{}, Size: 10}, {Query: not(term("", "loi")), Size: 10},
				{Sort: search.ByRelevance, Size: 10}, {From: base(), Size: 10},
			} {
				if got := x.search(t, req); got.Total != 0 || len(got.Hits) != 0 || got.Next != "" {
					t.Errorf("Search(%+v) gives %+v", req, got)
				}
			}
			if _, err := x.Get(t.Context(), "a"); !errors.Is(err, search.ErrNotFound) {
				t.Errorf("Get gives %v, want ErrNotFound", err)
			}
			if _, err := x.Get(t.Context(), ""); !errors.Is(err, search.ErrNotFound) {
				t.Errorf("Get of no id gives %v, want ErrNotFound", err)
			}
		}},
		{"refused", refused},
		{"cursors", cursors},
		{"contexts", contexts},
		{"largest filter", func(t *testing.T, x index) {
			x.write(t, news("a"))
			sources := make([]string, search.MaxFilters)
			for i := range sources {
				sources[i] = strings.Repeat("s", i+1)
			}
			sources[len(sources)-1] = "mapexpress"
			wantIDs(t, x.find(t, search.Request{Sources: sources}), "a")
		}},
	}
}

func refused(t *testing.T, x index) {
	x.write(t, news("a"))
	for _, c := range []struct {
		name string
		req  search.Request
	}{
		{"negative size", search.Request{Size: -1}},
		{"size too large", search.Request{Size: search.MaxSize + 1}},
		{"unknown sort", search.Request{Sort: "title"}},
		{"unknown time field", search.Request{TimeField: "enriched"}},
		{"relevance as time field", search.Request{TimeField: search.ByRelevance}},
		{"too many values", search.Request{Topics: make([]string, search.MaxFilters+1)}},
		{"unknown facet", search.Request{Facets: []search.Facet{{Field: "body"}}}},
		{"negative facet", search.Request{Facets: []search.Facet{{Field: search.FacetTopic, Size: -1}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := x.Search(t.Context(), c.req); !errors.Is(err, search.ErrRequest) {
				t.Errorf("error is %v, want ErrRequest", err)
			}
		})
	}
}

func cursors(t *testing.T, x index) {
	x.write(t, news("a"), news("b"), news("c"))
	next := x.search(t, search.Request{Size: 1}).Next
	if next == "" {
		t.Fatal("no next page")
	}
	if strings.ContainsAny(next, "+/ ?&=#%") {
		t.Errorf("cursor %q does not fit into a URL as it is", next)
	}
	for _, c := range []struct {
		name, cursor string
		sort         search.Sort
	}{
		{"not one", "hello", ""},
		{"not base64", "§§§", ""},
		{"of another order", next, search.ByPublished},
		{"of relevance", next, search.ByRelevance},
		{"cut", next[:len(next)/2], ""},
		{"longer", next + next, ""},
		{"far too long", strings.Repeat("A", 1<<20), ""},
		{"null bytes", strings.Repeat("\x00", 40), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := x.Search(t.Context(), search.Request{Size: 1, Sort: c.sort, Cursor: c.cursor})
			if !errors.Is(err, search.ErrRequest) || !strings.Contains(err.Error(), "cursor") {
				t.Errorf("error is %v, want ErrRequest on the cursor", err)
			}
		})
	}
	got := x.search(t, search.Request{Size: 1, Sort: search.ByReceived, Cursor: next})
	if len(got.Hits) != 1 || got.Hits[0].Article.ID != "b" || got.Total != 3 {
		t.Errorf("the default order named gives %+v, want b of 3", got)
	}
}

func contexts(t *testing.T, x index) {
	x.write(t, news("a"))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		want error
	}{{"canceled", canceled, context.Canceled}, {"late", late, context.DeadlineExceeded}} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := x.Search(c.ctx, search.Request{Size: 1}); !errors.Is(err, c.want) {
				t.Errorf("Search: error is %v, want %v", err, c.want)
			}
			if _, err := x.Get(c.ctx, "a"); !errors.Is(err, c.want) {
				t.Errorf("Get: error is %v, want %v", err, c.want)
			}
			if _, err := x.Count(c.ctx); !errors.Is(err, c.want) {
				t.Errorf("Count: error is %v, want %v", err, c.want)
			}
		})
	}
}
