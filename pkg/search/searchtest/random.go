package searchtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/text"
)

func modelTests() []test {
	return []test{{"random articles and requests", random}, {"parsed queries", parsed}}
}

// rounds is how often the random test writes before it searches again.
const rounds = 4

// random writes batches of random articles, over and over the same few ids,
// and compares random requests with the model.
func random(t *testing.T, x index) {
	m := make(model)
	batch := rapid.SliceOfN(rapid.Custom(drawArticle), 1, 40)
	for round := range rounds {
		articles := batch.Example(round)
		x.write(t, articles...)
		for _, a := range articles {
			m.write(a)
		}
		rapid.Check(t, func(rt *rapid.T) { compare(rt, x, m, drawRequest(rt)) })
	}
}

// compare goes through all pages of req.
func compare(t *rapid.T, x index, m model, req search.Request) {
	found, facets := m.search(req)
	want := make([]string, 0, len(found))
	for i := range found {
		want = append(want, found[i].ID)
	}
	got := []string{}
	for {
		result, err := x.Search(t.Context(), req)
		if err != nil {
			t.Fatalf("Search(%+v): %v", req, err)
		}
		if result.Total != len(want) {
			t.Fatalf("Search(%+v) found %d, want %d: %q", req, result.Total, len(want), want)
		}
		if diff := cmp.Diff(facets, result.Facets, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("Search(%+v) facets (-want +got):\n%s", req, diff)
		}
		for _, hit := range result.Hits {
			got = append(got, hit.Article.ID)
		}
		if result.Next == "" {
			break
		}
		req.Cursor = result.Next
	}
	if req.Sort == search.ByRelevance { // in an order of the backend's own
		slices.Sort(want)
		slices.Sort(got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Search(%+v) (-want +got):\n%s", req, diff)
	}
}

// vocabulary is few words in three languages, with particles, elisions,
// hyphens, marks and what else folding takes away.
func vocabulary() []string {
	return strings.Fields("المغرب مغرب وللمغرب بالمغرب والمغرب للقضاء قضاء القضاء وقضاء الإدارة إدارة فالادارة مَغرِب مغـرب في و " +
		"l'État État d'État états États-Unis l’Europe Europe qu'Europe œuvre oeuvre l'œuvre Aujourd'hui la de " +
		"government government's Government plan plans U.S. don't 2,000 ٢٠٠٠ 2000 the of الـBBC BBC")
}

func drawText(t *rapid.T, label string, most int) string {
	words := rapid.SliceOfN(rapid.SampledFrom(vocabulary()), 0, most).Draw(t, label)
	separator := rapid.SampledFrom([]string{" ", ", ", "\n"}).Draw(t, label+" separator")
	return strings.Join(words, separator)
}

func drawArticle(t *rapid.T) article.Article {
	a := news(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "ي", "é", "i", "j", "k", "l", "m"}).Draw(t, "id"),
		version(rapid.Int64Range(1, 9).Draw(t, "revision"), rapid.Int64Range(0, 1).Draw(t, "generation")),
		title(drawText(t, "title", 5)), body(drawText(t, "body", 12)),
		language(rapid.SampledFrom(languages()).Draw(t, "language")),
		source(rapid.SampledFrom([]string{"s1", "s2", "S1"}).Draw(t, "source")),
		received(drawTime(t, "received")), published(drawTime(t, "published")))
	for _, id := range rapid.SliceOfN(rapid.SampledFrom([]string{"Q1", "Q2", "Q11"}), 0, 3).Draw(t, "entities") {
		entity(id, rapid.SampledFrom([]string{"MA", "FR", ""}).Draw(t, "country"))(&a)
	}
	for _, id := range rapid.SliceOfN(rapid.SampledFrom([]string{"medtop:1", "medtop:11", "medtop:2"}), 0, 2).Draw(t, "topics") {
		topic(id, rapid.SliceOfN(rapid.SampledFrom([]string{"medtop:1", "medtop:0"}), 0, 2).Draw(t, "broader")...)(&a)
	}
	status(rapid.SampledFrom([]article.Status{article.Usable, article.Usable, article.Usable, article.Usable,
		article.Withheld, article.Canceled}).Draw(t, "status"))(&a)
	// One version has one content, so that writing it again changes nothing.
	a.Revision = a.Revision*1000 + int64(len(a.Title))*7 + int64(len(a.Body))
	return a
}

func languages() []string { return []string{"ar", "ar-MA", "fr", "en", "EN-gb", "arz", "und"} }

// drawTime gives whole milliseconds, which all backends keep.
func drawTime(t *rapid.T, label string) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, 59 * time.Second, time.Minute, time.Hour,
		24 * time.Hour, -time.Hour, -time.Millisecond}).Draw(t, label)
}

func drawRequest(t *rapid.T) search.Request {
	req := search.Request{
		Sort:      rapid.SampledFrom([]search.Sort{"", search.ByReceived, search.ByPublished, search.ByRelevance}).Draw(t, "sort"),
		TimeField: rapid.SampledFrom([]search.Sort{"", search.ByReceived, search.ByPublished}).Draw(t, "time field"),
		Size:      rapid.SampledFrom([]int{1, 2, 5, 50}).Draw(t, "size"),
		Facets: []search.Facet{
			{Field: search.FacetLanguage}, {Field: search.FacetSource, Size: 2}, {Field: search.FacetEntity},
			{Field: search.FacetTopic, Size: 1}, {Field: search.FacetCountry},
		},
	}
	if rapid.Bool().Draw(t, "query?") {
		req.Query = drawNode(t, 3)
	}
	some := func(label string, values ...string) []string {
		if rapid.IntRange(0, 3).Draw(t, label+"?") > 0 {
			return nil
		}
		return rapid.SliceOfN(rapid.SampledFrom(values), 1, 2).Draw(t, label)
	}
	req.Languages = some("languages", append(languages(), "AR-ma", "fr-FR")...)
	req.Sources = some("sources", "s1", "s2", "S1", "s3")
	req.Entities = some("entities", "Q1", "Q2", "Q3")
	req.Topics = some("topics", "medtop:0", "medtop:1", "medtop:11")
	req.Countries = some("countries", "MA", "FR")
	if rapid.IntRange(0, 2).Draw(t, "from?") == 0 {
		req.From = base().Add(drawTime(t, "from"))
	}
	if rapid.IntRange(0, 2).Draw(t, "to?") == 0 {
		req.To = base().Add(drawTime(t, "to"))
	}
	return req
}

// drawNode gives a tree of at most depth levels above the leaves.
func drawNode(t *rapid.T, depth int) query.Node {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return term(drawField(t), drawForm(t))
	case 1:
		form := []rune(drawForm(t))
		return prefix(drawField(t), string(form[:min(len(form), rapid.IntRange(1, 4).Draw(t, "letters"))]))
	case 2:
		forms := make([]string, rapid.IntRange(2, 3).Draw(t, "words"))
		for i := range forms {
			forms[i] = drawForm(t)
		}
		return phrase(drawField(t), forms...)
	case 3:
		field := rapid.SampledFrom([]query.Field{query.Lang, query.Source, query.SourceCountry, query.Country, query.Entity, query.Topic}).Draw(t, "keyword")
		return keyword(field, rapid.SampledFrom([]string{"ar", "AR-MA", "fr", "s1", "MA", "FR", "Q1", "medtop:1", "medtop:0"}).Draw(t, "value"))
	case 4:
		return not(drawNode(t, depth-1))
	}
	of := make([]query.Node, rapid.IntRange(0, 3).Draw(t, "branches"))
	for i := range of {
		of[i] = drawNode(t, depth-1)
	}
	if rapid.Bool().Draw(t, "and") {
		return and(of...)
	}
	return or(of...)
}

func drawField(t *rapid.T) query.Field {
	return rapid.SampledFrom([]query.Field{query.Any, query.Any, query.Title, query.Body, query.Lead}).Draw(t, "field")
}

// drawForm gives a folded word that is in some articles.
func drawForm(t *rapid.T) string {
	tokens := text.Tokens(rapid.SampledFrom(vocabulary()).Draw(t, "word"))
	return rapid.SampledFrom(tokens).Draw(t, "token").Form
}
