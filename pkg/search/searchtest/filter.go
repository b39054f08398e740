package searchtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// library is a handful of articles that differ in all that filters look at.
func library() []article.Article {
	return []article.Article{
		news("1", language("fr"), source("lematin"), entity("Q1028", "MA"), entity("Q90", "FR"), topic("medtop:11", "medtop:1")),
		news("2", language("ar"), source("hespress"), entity("Q1028", "MA"), entity("Q1028x", "MA"), topic("medtop:12", "medtop:1")),
		news("3", language("ar-MA"), source("hespress"), entity("Q90", "FR"), topic("medtop:11", "medtop:1"), topic("medtop:2")),
		news("4", language("en"), source("reuters"), topic("medtop:1")),
		news("5", language("arz"), source("reuters")),
		news("6", language("zh-Hant-TW"), source("Reuters"), entity("Q865", "TW")),
	}
}

func filterTests() []test {
	var tests []test
	for _, c := range []struct {
		name string
		req  search.Request
		want []string
	}{
		{"none", search.Request{}, []string{"1", "2", "3", "4", "5", "6"}},
		{"language", search.Request{Languages: []string{"fr"}}, []string{"1"}},
		{"language with regions", search.Request{Languages: []string{"ar"}}, []string{"2", "3"}},
		{"language of a region", search.Request{Languages: []string{"ar-MA"}}, []string{"3"}},
		{"language in other case", search.Request{Languages: []string{"AR-ma"}}, []string{"3"}},
		{"language and script", search.Request{Languages: []string{"zh-Hant"}}, []string{"6"}},
		{"two languages", search.Request{Languages: []string{"fr", "en"}}, []string{"1", "4"}},
		{"source", search.Request{Sources: []string{"reuters"}}, []string{"4", "5"}},
		{"entity", search.Request{Entities: []string{"Q1028"}}, []string{"1", "2"}},
		{"two entities", search.Request{Entities: []string{"Q1028", "Q90"}}, []string{"1", "2", "3"}},
		{"topic", search.Request{Topics: []string{"medtop:11"}}, []string{"1", "3"}},
		{"broader topic", search.Request{Topics: []string{"medtop:1"}}, []string{"1", "2", "3", "4"}},
		{"country", search.Request{Countries: []string{"FR"}}, []string{"1", "3"}},
		{"all at once", search.Request{
			Languages: []string{"ar"}, Sources: []string{"hespress"}, Entities: []string{"Q90", "Q1"},
			Topics: []string{"medtop:2"}, Countries: []string{"FR", "MA"},
		}, []string{"3"}},
		{"with a query", search.Request{Query: not(keyword("entity", "Q90")), Topics: []string{"medtop:1"}}, []string{"2", "4"}},
		{"unknown value", search.Request{Sources: []string{"nobody"}}, nil},
		{"empty value", search.Request{Sources: []string{""}}, nil},
	} {
		tests = append(tests, test{c.name, func(t *testing.T, x index) {
			x.write(t, library()...)
			for _, sort := range []search.Sort{"", search.ByRelevance} {
				req := c.req
				req.Sort = sort
				wantIDs(t, x.find(t, req), c.want...)
			}
		}})
	}
	return append(tests, test{"times", times}, test{"facets", facets}, test{"facets of a query", facetsOfQuery})
}

func times(t *testing.T, x index) {
	at := func(id string, d time.Duration) article.Article { return news(id, published(d), received(-d)) }
	x.write(t, at("0", 0), at("1", time.Nanosecond), at("2", time.Millisecond), at("3", time.Minute), at("4", time.Hour),
		at("5", 9000*24*time.Hour))
	for _, c := range []struct {
		name  string
		req   search.Request
		total int
	}{
		{"from is inclusive", search.Request{From: base()}, 6},
		{"to is exclusive", search.Request{To: base()}, 0},
		{"range of a minute", search.Request{From: base(), To: base().Add(time.Minute)}, 3},
		{"and a nanosecond", search.Request{From: base(), To: base().Add(time.Minute + time.Millisecond)}, 4},
		{"in another zone", search.Request{From: base().Add(time.Second).In(time.FixedZone("", 3600))}, 3},
		{"years", search.Request{From: base().AddDate(-50, 0, 0), To: base().AddDate(50, 0, 0)}, 6},
		{"far", search.Request{From: base().AddDate(5000, 0, 0)}, 0},
		{"empty range", search.Request{From: base(), To: base()}, 0},
		{"wrong way round", search.Request{From: base().Add(time.Hour), To: base()}, 0},
		{"received", search.Request{TimeField: search.ByReceived, From: base().Add(-time.Minute), To: base()}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := x.search(t, c.req).Total; got != c.total {
				t.Errorf("found %d, want %d", got, c.total)
			}
		})
	}
}

func facets(t *testing.T, x index) {
	x.write(t, library()...)
	got := x.search(t, search.Request{Facets: []search.Facet{
		{Field: search.FacetLanguage}, {Field: search.FacetSource}, {Field: search.FacetEntity, Size: 2},
		{Field: search.FacetTopic}, {Field: search.FacetCountry, Size: 100},
	}})
	want := map[search.FacetField][]search.Bucket{
		search.FacetLanguage: {{Value: "ar", Count: 2}, {Value: "arz", Count: 1}, {Value: "en", Count: 1}, {Value: "fr", Count: 1}, {Value: "zh", Count: 1}},
		search.FacetSource:   {{Value: "hespress", Count: 2}, {Value: "reuters", Count: 2}, {Value: "Reuters", Count: 1}, {Value: "lematin", Count: 1}},
		search.FacetEntity:   {{Value: "Q1028", Count: 2}, {Value: "Q90", Count: 2}},
		search.FacetTopic:    {{Value: "medtop:1", Count: 4}, {Value: "medtop:11", Count: 2}, {Value: "medtop:12", Count: 1}, {Value: "medtop:2", Count: 1}},
		search.FacetCountry:  {{Value: "FR", Count: 2}, {Value: "MA", Count: 2}, {Value: "TW", Count: 1}},
	}
	if diff := cmp.Diff(want, got.Facets); diff != "" {
		t.Errorf("facets (-want +got):\n%s", diff)
	}
	if got.Total != 6 || len(got.Hits) != 0 || got.Next != "" {
		t.Errorf("size 0 gives total %d, %d hits and next %q, want the total alone", got.Total, len(got.Hits), got.Next)
	}
}

func facetsOfQuery(t *testing.T, x index) {
	x.write(t, library()...)
	req := search.Request{
		Query: not(keyword("source", "lematin")), Topics: []string{"medtop:1"}, Size: 1,
		Facets: []search.Facet{{Field: search.FacetSource}, {Field: search.FacetEntity}},
	}
	want := map[search.FacetField][]search.Bucket{
		search.FacetSource: {{Value: "hespress", Count: 2}, {Value: "reuters", Count: 1}},
		search.FacetEntity: {{Value: "Q1028", Count: 1}, {Value: "Q1028x", Count: 1}, {Value: "Q90", Count: 1}},
	}
	for range 3 { // all pages have the same
		got := x.search(t, req)
		if diff := cmp.Diff(want, got.Facets); diff != "" {
			t.Errorf("facets (-want +got):\n%s", diff)
		}
		if got.Total != 3 || len(got.Hits) != 1 {
			t.Errorf("total %d, %d hits, want 3 and 1", got.Total, len(got.Hits))
		}
		req.Cursor = got.Next
	}
	if req.Cursor != "" {
		t.Errorf("the last page has a next one")
	}
	got := x.search(t, search.Request{Sources: []string{"nobody"}, Facets: []search.Facet{{Field: search.FacetTopic}}})
	if buckets, ok := got.Facets[search.FacetTopic]; !ok || len(buckets) != 0 {
		t.Errorf("facet of nothing is %v, %v, want an empty one", buckets, ok)
	}
}
