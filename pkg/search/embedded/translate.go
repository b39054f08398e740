package embedded

import (
	"context"
	"fmt"
	"strings"

	"github.com/blevesearch/bleve/v2/mapping"
	bsearch "github.com/blevesearch/bleve/v2/search"
	bleve "github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/text"
)

// titleBoost is how much more a word in the title counts towards relevance.
const titleBoost = 2

// scoreNone is bleve's name for searching without relevance.
const scoreNone = "none"

// translate gives the bleve query that finds exactly what node holds for, as
// query.Match has it. Keywords and what is under a NOT do not count towards
// relevance.
//
// It makes no use of two things in bleve 2.6.3: a BooleanQuery whose must part
// finds nothing (it then finds everything that must_not lets through), and
// MultiPhraseQuery (its time is quadratic in how often a word is repeated).
func translate(node query.Node) (bleve.Query, error) {
	switch n := node.(type) {
	case query.All:
		return usable(), nil
	case query.And:
		return all(n.Of)
	case query.Or:
		return oneOf(n.Of)
	case query.Not:
		return not(n.Of)
	case query.Term:
		return word(n)
	case query.Phrase:
		return phrase(n)
	case query.Keyword:
		return value(n)
	}
	return nil, fmt.Errorf("%w: the embedded index cannot search for %T", search.ErrRequest, node)
}

// usable finds every article that is no tombstone.
func usable() bleve.Query {
	return unscored{term(fieldStatus, string(article.Usable))}
}

func translateEach(nodes []query.Node) ([]bleve.Query, error) {
	queries := make([]bleve.Query, len(nodes))
	for i, n := range nodes {
		q, err := translate(n)
		if err != nil {
			return nil, err
		}
		queries[i] = q
	}
	return queries, nil
}

func all(nodes []query.Node) (bleve.Query, error) {
	if len(nodes) == 0 {
		return usable(), nil
	}
	queries, err := translateEach(nodes)
	if err != nil {
		return nil, err
	}
	return bleve.NewConjunctionQuery(queries), nil
}

func oneOf(nodes []query.Node) (bleve.Query, error) {
	queries, err := translateEach(nodes)
	if err != nil {
		return nil, err
	}
	return disjunction(queries), nil
}

func not(node query.Node) (bleve.Query, error) {
	q, err := translate(node)
	if err != nil {
		return nil, err
	}
	return bleve.NewBooleanQuery([]bleve.Query{usable()}, nil, []bleve.Query{unscored{q}}), nil
}

// textFields gives the index's fields of a text field.
func textFields(f query.Field) ([]string, error) {
	switch f {
	case query.Any:
		return []string{fieldTitle, fieldBody}, nil
	case query.Title, query.Body, query.Lead:
		return []string{string(f)}, nil
	}
	return nil, fmt.Errorf("%w: field %q holds no words", search.ErrRequest, f)
}

func word(n query.Term) (bleve.Query, error) {
	fields, err := textFields(n.Field)
	if err != nil {
		return nil, err
	}
	var queries []bleve.Query
	for _, field := range fields {
		for _, form := range text.Expand(n.Form) {
			if n.Prefix {
				q := bleve.NewPrefixQuery(form)
				q.SetField(field)
				queries = append(queries, q)
				continue
			}
			queries = append(queries, term(field, form))
		}
	}
	return disjunction(queries), nil
}

func phrase(n query.Phrase) (bleve.Query, error) {
	fields, err := textFields(n.Field)
	if err != nil {
		return nil, err
	}
	if len(n.Forms) == 0 {
		return bleve.NewMatchNoneQuery(), nil
	}
	words := make([][]string, len(n.Forms))
	for i, form := range n.Forms {
		words[i] = text.Expand(form)
	}
	queries := make([]bleve.Query, len(fields))
	for i, field := range fields {
		queries[i] = phraseQuery{field, words}
	}
	return disjunction(queries), nil
}

func value(n query.Keyword) (bleve.Query, error) {
	v := n.Value
	switch n.Field {
	case query.Lang:
		v = strings.ToLower(v)
	case query.Source, query.SourceCountry, query.Country, query.Entity, query.Topic:
	default:
		return nil, fmt.Errorf("%w: field %q holds no whole values", search.ErrRequest, n.Field)
	}
	if v == "" {
		return bleve.NewMatchNoneQuery(), nil
	}
	return unscored{term(string(n.Field), v)}, nil
}

func term(field, form string) *bleve.TermQuery {
	q := bleve.NewTermQuery(form)
	q.SetField(field)
	if field == fieldTitle {
		q.SetBoost(titleBoost)
	}
	return q
}

func disjunction(queries []bleve.Query) bleve.Query {
	switch len(queries) {
	case 0:
		return bleve.NewMatchNoneQuery()
	case 1:
		return queries[0]
	}
	return bleve.NewDisjunctionQuery(queries)
}

// unscored is a query that adds nothing to relevance.
type unscored struct{ bleve.Query }

// Searcher implements bleve's Query.
func (q unscored) Searcher(ctx context.Context, r index.IndexReader, m mapping.IndexMapping, o bsearch.SearcherOptions) (bsearch.Searcher, error) {
	scored := o.Score != scoreNone
	o.Score = scoreNone
	s, err := q.Query.Searcher(ctx, r, m, o)
	if err != nil || !scored {
		return s, err
	}
	return zero{s}, nil
}

// zero is a searcher whose matches have the score 0 and no weight.
type zero struct{ bsearch.Searcher }

func (z zero) Weight() float64      { return 0 }
func (z zero) SetQueryNorm(float64) {}

func (z zero) Next(ctx *bsearch.SearchContext) (*bsearch.DocumentMatch, error) {
	return without(z.Searcher.Next(ctx))
}

func (z zero) Advance(ctx *bsearch.SearchContext, id index.IndexInternalID) (*bsearch.DocumentMatch, error) {
	return without(z.Searcher.Advance(ctx, id))
}

func without(m *bsearch.DocumentMatch, err error) (*bsearch.DocumentMatch, error) {
	if m != nil {
		m.Score = 0
	}
	return m, err
}
