package searchtest

import (
	"errors"
	"maps"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

func tombstoneTests() []test {
	return []test{
		{"canceled", func(t *testing.T, x index) { hide(t, x, article.Canceled, search.ErrGone) }},
		{"withheld", func(t *testing.T, x index) { hide(t, x, article.Withheld, search.ErrNotFound) }},
		{"text is taken even where it is sent", func(t *testing.T, x index) {
			a := news("a", version(2, 0), entity("Q1", "MA"), topic("medtop:1"))
			a.Status = article.Canceled
			wantOutcomes(t, x.write(t, a), search.Tombstoned)
			wantHidden(t, x)
		}},
		{"withheld comes back", func(t *testing.T, x index) {
			x.write(t, news("a"))
			x.write(t, news("a", version(2, 0), status(article.Withheld)))
			wantOutcomes(t, x.write(t, news("a")), search.Superseded)
			wantHidden(t, x)
			wantOutcomes(t, x.write(t, news("a", version(3, 0), title("Retour"))), search.Indexed)
			wantIDs(t, x.find(t, search.Request{Query: term("title", "retour")}), "a")
			if _, err := x.Get(t.Context(), "a"); err != nil {
				t.Errorf("Get: %v", err)
			}
		}},
		{"replay stays hidden", func(t *testing.T, x index) {
			copies := []article.Article{
				news("a"), news("a", version(2, 0)), news("a", version(3, 0), status(article.Canceled)),
			}
			x.write(t, copies...)
			wantHidden(t, x)
			x.write(t, copies...)
			wantHidden(t, x)
			for _, a := range copies {
				x.write(t, a)
				wantHidden(t, x)
			}
			if _, err := x.Get(t.Context(), "a"); !errors.Is(err, search.ErrGone) {
				t.Errorf("Get gives %v, want ErrGone", err)
			}
		}},
		{"before the article", func(t *testing.T, x index) {
			x.write(t, news("a", version(2, 0), status(article.Canceled)))
			wantOutcomes(t, x.write(t, news("a")), search.Superseded)
			wantHidden(t, x)
		}},
		{"count", func(t *testing.T, x index) {
			wantCount(t, x, nil)
			x.write(t, news("a"), news("b"), news("c"), news("d"))
			x.write(t, news("b", version(2, 0), status(article.Withheld)), news("c", version(2, 0), status(article.Canceled)))
			x.write(t, news("d", version(2, 0)))
			wantCount(t, x, map[article.Status]int{article.Usable: 2, article.Withheld: 1, article.Canceled: 1})
		}},
	}
}

// hide writes an article, takes it back and looks for it everywhere.
func hide(t *testing.T, x index, s article.Status, want error) {
	x.write(t, news("a", entity("Q1", "MA"), topic("medtop:1", "medtop:0")))
	wantIDs(t, x.find(t, search.Request{}), "a")
	wantOutcomes(t, x.write(t, news("a", version(2, 0), status(s))), search.Tombstoned)
	wantHidden(t, x)
	if _, err := x.Get(t.Context(), "a"); !errors.Is(err, want) {
		t.Errorf("Get gives %v, want %v", err, want)
	}
	wantCount(t, x, map[article.Status]int{s: 1})
}

// wantHidden looks for the one article in the index in every way there is.
func wantHidden(t *testing.T, x index) {
	t.Helper()
	for _, req := range []search.Request{
		{},
		{Query: term("", "conseil")},
		{Query: not(term("", "absent"))},
		{Query: keyword("source", "mapexpress")},
		{Query: phrase("body", "le", "texte")},
		{Languages: []string{"fr"}},
		{Entities: []string{"Q1"}},
		{Topics: []string{"medtop:0"}},
		{From: base().AddDate(-9, 0, 0), To: base().AddDate(9, 0, 0)},
		{Sort: search.ByRelevance},
	} {
		req.Facets = []search.Facet{{Field: search.FacetSource}, {Field: search.FacetEntity}, {Field: search.FacetLanguage}}
		wantIDs(t, x.find(t, req))
		for field, buckets := range x.search(t, req).Facets {
			if len(buckets) > 0 {
				t.Errorf("facet %s of %+v has %v", field, req, buckets)
			}
		}
	}
	if a, err := x.Get(t.Context(), "a"); err == nil || a.Title != "" || a.Body != "" {
		t.Errorf("Get gives %+v and error %v, want an error alone", a, err)
	}
}

func wantCount(t *testing.T, x index, want map[article.Status]int) {
	t.Helper()
	got, err := x.Count(t.Context())
	if err != nil {
		t.Fatalf("Count: %v", err)
	}
	maps.DeleteFunc(got, func(_ article.Status, n int) bool { return n == 0 })
	if !maps.Equal(got, want) {
		t.Errorf("Count gives %v, want %v", got, want)
	}
}
