package searchtest

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// parsed compares what a backend finds for queries as people write them with
// what query.Match says of each article.
func parsed(t *testing.T, x index) {
	m := make(model)
	articles := rapid.SliceOfN(rapid.Custom(drawArticle), 60, 60).Example(7)
	articles = append(articles, corpus()...)
	x.write(t, articles...)
	for _, a := range articles {
		m.write(a)
	}
	var usable []article.Article
	for _, a := range m {
		if a.Status == article.Usable {
			usable = append(usable, a)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := drawQuery(rt, 2)
		q, err := query.Parse(s)
		if err != nil {
			rt.Skip(err)
		}
		var want []string
		for i := range usable {
			hit := q.Match(query.NewDoc(&usable[i]))
			if hit != matches(q.Root(), &usable[i]) {
				rt.Fatalf("query.Match(%s) gives %v for %+v, the model otherwise", s, hit, usable[i])
			}
			if hit {
				want = append(want, usable[i].ID)
			}
		}
		result, err := x.Search(rt.Context(), search.Request{Query: q.Root(), Size: search.MaxSize})
		if err != nil {
			rt.Fatalf("Search(%s): %v", s, err)
		}
		var got []string
		for _, hit := range result.Hits {
			got = append(got, hit.Article.ID)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || result.Total != len(want) {
			rt.Fatalf("Search(%s) found %d: %q, query.Match says %q", s, result.Total, got, want)
		}
	})
}

// drawQuery writes a query of at most depth levels of parentheses. Parse
// refuses some of them.
func drawQuery(t *rapid.T, depth int) string {
	var ors []string
	for range rapid.IntRange(1, 2).Draw(t, "or") {
		parts := []string{drawClause(t, depth)}
		for range rapid.IntRange(0, 2).Draw(t, "and") {
			operator := rapid.SampledFrom([]string{" ", " AND ", " AND NOT ", " NOT "}).Draw(t, "operator")
			parts = append(parts, operator+drawClause(t, depth))
		}
		ors = append(ors, strings.Join(parts, ""))
	}
	return strings.Join(ors, " OR ")
}

func drawClause(t *rapid.T, depth int) string {
	word := func() string { return rapid.SampledFrom(vocabulary()).Draw(t, "word") }
	field := rapid.SampledFrom([]string{"", "", "", "title:", "body:", "lead:"}).Draw(t, "field")
	switch rapid.IntRange(0, 5).Draw(t, "clause") {
	case 0:
		if depth > 0 {
			return "(" + drawQuery(t, depth-1) + ")"
		}
	case 1:
		return field + `"` + word() + " " + word() + `"`
	case 2:
		letters := []rune(word())
		return field + string(letters[:min(len(letters), 5)]) + "*"
	case 3:
		return rapid.SampledFrom([]string{"lang:ar", "lang:AR-ma", "lang:fr", "source:s1", "country:ma",
			"source.country:MA", "entity:Q1", "topic:medtop:1"}).Draw(t, "keyword")
	}
	return field + word()
}
