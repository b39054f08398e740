package searchtest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/text"
)

// model is an index as plain as can be: what a backend does must be the same.
type model map[string]article.Article

func (m model) write(a article.Article) {
	if have, ok := m[a.ID]; !ok || a.Version() >= have.Version() {
		m[a.ID] = a
	}
}

// search gives all that is found, in order, and the facets.
func (m model) search(req search.Request) (found []article.Article, facets map[search.FacetField][]search.Bucket) {
	for _, a := range m {
		if a.Status == article.Usable && filtered(&a, req) && (req.Query == nil || matches(req.Query, &a)) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b article.Article) int {
		byTime := b.Received.Compare(a.Received)
		if req.Sort == search.ByPublished {
			byTime = b.Published.Compare(a.Published)
		}
		return cmp.Or(byTime, strings.Compare(a.ID, b.ID))
	})
	facets = make(map[search.FacetField][]search.Bucket)
	for _, f := range req.Facets {
		facets[f.Field] = count(found, f)
	}
	return found, facets
}

func filtered(a *article.Article, req search.Request) bool {
	at := a.Published
	if req.TimeField == search.ByReceived {
		at = a.Received
	}
	if !req.From.IsZero() && at.Before(req.From) || !req.To.IsZero() && !at.Before(req.To) {
		return false
	}
	for _, f := range []struct {
		field  query.Field
		values []string
	}{
		{query.Lang, req.Languages}, {query.Source, req.Sources}, {query.Entity, req.Entities},
		{query.Topic, req.Topics}, {query.Country, req.Countries},
	} {
		holds := func(v string) bool { return hasValue(a, f.field, v) }
		if len(f.values) > 0 && !slices.ContainsFunc(f.values, holds) {
			return false
		}
	}
	return true
}

func count(found []article.Article, f search.Facet) []search.Bucket {
	counts := make(map[string]int)
	for i := range found {
		var values []string
		switch f.Field {
		case search.FacetLanguage:
			primary, _, _ := strings.Cut(strings.ToLower(found[i].Language), "-")
			values = []string{primary}
		case search.FacetSource:
			values = []string{found[i].Source.ID}
		case search.FacetEntity:
			values = valuesOf(&found[i], query.Entity)
		case search.FacetTopic:
			values = valuesOf(&found[i], query.Topic)
		case search.FacetCountry:
			values = valuesOf(&found[i], query.Country)
		}
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			if v != "" {
				counts[v]++
			}
		}
	}
	buckets := []search.Bucket{}
	for v, n := range counts {
		buckets = append(buckets, search.Bucket{Value: v, Count: n})
	}
	slices.SortFunc(buckets, func(a, b search.Bucket) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	size := cmp.Or(f.Size, 10)
	return buckets[:min(size, len(buckets))]
}

// matches is the query language by the letter of package query, without any
// of its speed.
func matches(node query.Node, a *article.Article) bool {
	switch n := node.(type) {
	case query.All:
		return true
	case query.And:
		return !slices.ContainsFunc(n.Of, func(m query.Node) bool { return !matches(m, a) })
	case query.Or:
		return slices.ContainsFunc(n.Of, func(m query.Node) bool { return matches(m, a) })
	case query.Not:
		return !matches(n.Of, a)
	case query.Keyword:
		return hasValue(a, n.Field, n.Value)
	case query.Term:
		return hasRun(a, n.Field, []query.Term{n})
	case query.Phrase:
		terms := make([]query.Term, len(n.Forms))
		for i, form := range n.Forms {
			terms[i].Form = form
		}
		return hasRun(a, n.Field, terms)
	}
	return false
}

// hasRun tells whether the words of a field have a run that fits terms.
func hasRun(a *article.Article, f query.Field, terms []query.Term) bool {
	start, end := query.LeadOf(a.Body)
	texts := map[query.Field][]string{
		query.Any: {a.Title, a.Body}, query.Title: {a.Title}, query.Body: {a.Body}, query.Lead: {a.Body[start:end]},
	}
	for _, s := range texts[f] {
		tokens := text.Tokens(s)
		for start := 0; start+len(terms) <= len(tokens); start++ {
			i := 0
			for i < len(terms) && fits(tokens[start+i].Form, terms[i]) {
				i++
			}
			if i == len(terms) {
				return true
			}
		}
	}
	return false
}

func fits(form string, t query.Term) bool {
	if t.Prefix {
		return slices.ContainsFunc(text.Expand(t.Form), func(p string) bool { return strings.HasPrefix(form, p) })
	}
	cores := text.AppendCores(nil, form)
	return slices.ContainsFunc(cores, func(c text.Core) bool { return c.Form == t.Form })
}

func hasValue(a *article.Article, f query.Field, v string) bool {
	if v == "" {
		return false
	}
	if f == query.Lang {
		tag, v := strings.ToLower(a.Language), strings.ToLower(v)
		return tag == v || strings.HasPrefix(tag, v+"-")
	}
	return slices.Contains(valuesOf(a, f), v)
}

func valuesOf(a *article.Article, f query.Field) (values []string) {
	switch f {
	case query.Source:
		return []string{a.Source.ID}
	case query.SourceCountry:
		return []string{a.Source.Country}
	case query.Entity:
		for _, e := range a.Entities {
			values = append(values, e.ID)
		}
	case query.Country:
		for _, e := range a.Entities {
			values = append(values, e.Country)
		}
	case query.Topic:
		for _, t := range a.Topics {
			values = append(append(values, t.ID), t.Broader...)
		}
	}
	return values
}
