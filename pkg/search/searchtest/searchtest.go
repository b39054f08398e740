// Package searchtest is the suite that every backend of package search must
// pass. A backend's own test calls Run.
package searchtest

import (
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// Backend is an index under test, empty at first.
type Backend interface {
	search.Writer
	search.Reader
	// Refresh makes visible what was written, for backends with a refresh
	// interval.
	Refresh()
}

// Run runs the suite. open gives a new, empty index each time and closes it
// with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Write", writeTests()}, {"Tombstone", tombstoneTests()}, {"Filter", filterTests()},
		{"Page", pageTests()}, {"Request", requestTests()}, {"Query", queryTests()}, {"Model", modelTests()},
		{"Versions", versionsTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, index{open(t)}) })
			}
		})
	}
}

// test is one subtest of a group.
type test struct {
	name string
	run  func(*testing.T, index)
}

// index adds to a backend what most tests ask of it.
type index struct{ Backend }

// write writes articles, all of which must be taken, and refreshes.
func (x index) write(t *testing.T, articles ...article.Article) []search.Outcome {
	t.Helper()
	outcomes, err := x.Write(t.Context(), articles)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	if len(outcomes) != len(articles) {
		t.Fatalf("Write of %d articles gave %d outcomes", len(articles), len(outcomes))
	}
	x.Refresh()
	return outcomes
}

func (x index) search(t *testing.T, req search.Request) search.Result {
	t.Helper()
	result, err := x.Search(t.Context(), req)
	if err != nil {
		t.Fatalf("Search(%+v): %v", req, err)
	}
	return result
}

// find gives the ids that a request finds, all pages, in order.
func (x index) find(t *testing.T, req search.Request) []string {
	t.Helper()
	if req.Size == 0 {
		req.Size = search.MaxSize
	}
	ids := []string{}
	for {
		result := x.search(t, req)
		for _, hit := range result.Hits {
			ids = append(ids, hit.Article.ID)
		}
		if result.Next == "" {
			if result.Total != len(ids) && req.Cursor == "" {
				t.Errorf("Total is %d, found %d", result.Total, len(ids))
			}
			return ids
		}
		if len(result.Hits) != req.Size {
			t.Fatalf("page of %d hits with a next one, want %d", len(result.Hits), req.Size)
		}
		req.Cursor = result.Next
	}
}

// base is the time of the articles in the suite.
func base() time.Time { return time.Date(2026, 10, 24, 9, 0, 0, 0, time.UTC) }

// news gives a usable article, first revision, received at base.
func news(id string, change ...func(*article.Article)) article.Article {
	a := article.Article{
		Schema: article.SchemaVersion, ID: id, Revision: 1, Bucket: "2026-10", Status: article.Usable,
		Language: "fr", Source: article.Source{ID: "mapexpress", Name: "MAP Express", Country: "MA"},
		Title: "Le Conseil adopte la loi", Body: "RABAT - Le texte a été adopté.\nLe vote a eu lieu mardi.",
		Published: base(), FirstPublished: base(), Received: base(),
	}
	for _, c := range change {
		c(&a)
	}
	return a
}

func title(s string) func(*article.Article) { return func(a *article.Article) { a.Title = s } }
func body(s string) func(*article.Article)  { return func(a *article.Article) { a.Body = s } }
func language(s string) func(*article.Article) {
	return func(a *article.Article) { a.Language = s }
}
func source(s string) func(*article.Article) { return func(a *article.Article) { a.Source.ID = s } }
func received(after time.Duration) func(*article.Article) {
	return func(a *article.Article) { a.Received = base().Add(after) }
}
func published(after time.Duration) func(*article.Article) {
	return func(a *article.Article) { a.Published = base().Add(after) }
}

// version gives an article another revision and generation.
func version(revision, generation int64) func(*article.Article) {
	return func(a *article.Article) { a.Revision, a.Generation = revision, generation }
}

// status gives an article another status, and takes its text as the pipeline
// does.
func status(s article.Status) func(*article.Article) {
	return func(a *article.Article) {
		a.Status = s
		if s != article.Usable {
			a.Redact()
		}
	}
}

func entity(id, country string) func(*article.Article) {
	return func(a *article.Article) {
		a.Entities = append(a.Entities, article.Entity{
			ID: id, Type: article.Place, Name: id, Country: country, Count: 1, By: "kb",
			Mentions: []article.Mention{{Field: "title", Start: 0, End: 2, Text: "Le"}},
		})
	}
}

func topic(id string, broader ...string) func(*article.Article) {
	return func(a *article.Article) {
		a.Topics = append(a.Topics, article.Topic{ID: id, Name: id, Broader: broader, Score: 0.9, Evidence: []string{"loi"}})
	}
}

// The functions below build trees by hand.
func term(f query.Field, form string) query.Node { return query.Term{Field: f, Form: form} }
func prefix(f query.Field, form string) query.Node {
	return query.Term{Field: f, Form: form, Prefix: true}
}
func phrase(f query.Field, forms ...string) query.Node { return query.Phrase{Field: f, Forms: forms} }
func keyword(f query.Field, v string) query.Node       { return query.Keyword{Field: f, Value: v} }
func and(of ...query.Node) query.Node                  { return query.And{Of: of} }
func or(of ...query.Node) query.Node                   { return query.Or{Of: of} }
func not(of query.Node) query.Node                     { return query.Not{Of: of} }
