package embedded

import (
	"context"
	"fmt"

	bsearch "github.com/blevesearch/bleve/v2/search"
	bleve "github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// Search implements search.Reader. Sorted by relevance, pages may overlap or
// leave gaps when the index is written to between them, because scores depend
// on all articles; the other orders do not.
func (x *Index) Search(ctx context.Context, req search.Request) (search.Result, error) {
	p, err := compile(req)
	if err != nil {
		return search.Result{}, err
	}
	r, release, err := x.reader()
	if err != nil {
		return search.Result{}, err
	}
	defer release()
	result, err := x.run(ctx, r, p)
	if err != nil {
		return search.Result{}, fmt.Errorf("searching index: %w", err)
	}
	return result, nil
}

// plan is a request that was checked.
type plan struct {
	query      bleve.Query
	sort       search.Sort
	size       int
	after      *position // nil on the first page
	from, to   instant   // half-open, exact; query has them in minutes only
	open       bool      // to is open
	byReceived bool      // from and to are of received, not of published
	facets     []search.Facet
}

func compile(req search.Request) (plan, error) {
	p := plan{sort: req.Sort, size: req.Size, open: true, facets: req.Facets}
	if err := req.Check(); err != nil {
		return p, err
	}
	if p.sort == "" {
		p.sort = search.ByReceived
	}
	if req.Cursor != "" {
		after, err := parseCursor(req.Cursor, p.sort)
		if err != nil {
			return p, err
		}
		p.after = &after
	}
	tree := query.And{Of: filters(req)}
	if req.Query != nil {
		tree.Of = append(tree.Of, req.Query)
	}
	q, err := translate(tree)
	if err != nil {
		return p, err
	}
	p.query = q
	p.limit(req)
	return p, nil
}

// filters gives the filters as a query tree, so that they mean what the same
// words in a query mean.
func filters(req search.Request) []query.Node {
	var of []query.Node
	for _, f := range req.Filters() {
		if len(f.Values) == 0 {
			continue
		}
		any := query.Or{Of: make([]query.Node, len(f.Values))}
		for i, v := range f.Values {
			any.Of[i] = query.Keyword{Field: f.Field, Value: v}
		}
		of = append(of, any)
	}
	return of
}

// limit takes in the time range: whole minutes into the query, which narrows
// what is looked at, and the exact times into p.
func (p *plan) limit(req search.Request) {
	p.byReceived = req.TimeField == search.ByReceived
	field := fieldPublish
	if p.byReceived {
		field = fieldReceived
	}
	var lo, hi *float64
	if !req.From.IsZero() {
		p.from = instantOf(req.From)
		lo = ptr(p.from.minute())
	}
	if !req.To.IsZero() {
		p.to, p.open = instantOf(req.To), false
		hi = ptr(p.to.minute())
	}
	if lo == nil && hi == nil {
		return
	}
	yes := true
	minutes := bleve.NewNumericRangeInclusiveQuery(lo, hi, &yes, &yes)
	minutes.SetField(field)
	p.query = bleve.NewConjunctionQuery([]bleve.Query{p.query, unscored{minutes}})
}

func ptr[T any](v T) *T { return &v }

// within tells whether s may be found and lies in the time range.
func (p *plan) within(s state) bool {
	t := s.published
	if p.byReceived {
		t = s.received
	}
	return s.status == statusUsable && t.compare(p.from) >= 0 && (p.open || t.compare(p.to) < 0)
}

func (x *Index) run(ctx context.Context, r index.IndexReader, p plan) (search.Result, error) {
	if err := ctx.Err(); err != nil {
		return search.Result{}, err
	}
	options := bsearch.SearcherOptions{Score: scoreNone}
	if p.sort == search.ByRelevance {
		options.Score = ""
	}
	searcher, err := p.query.Searcher(ctx, r, x.mapping, options)
	if err != nil {
		return search.Result{}, err
	}
	defer searcher.Close()
	c, err := newCollector(r, &p)
	if err != nil {
		return search.Result{}, err
	}
	if err := c.collect(ctx, searcher); err != nil {
		return search.Result{}, err
	}
	result := search.Result{Total: c.total, Facets: c.buckets()}
	hits := c.sorted()
	for i := range hits {
		if err := ctx.Err(); err != nil {
			return search.Result{}, err
		}
		id, err := c.id(&hits[i])
		if err != nil {
			return search.Result{}, err
		}
		doc, err := r.Document(id)
		if err != nil {
			return search.Result{}, err
		}
		a, err := x.unpack(doc)
		if err != nil {
			return search.Result{}, err
		}
		result.Hits = append(result.Hits, search.Hit{Article: a, Score: hits[i].score})
	}
	if n := len(hits); n > 0 && c.following > n {
		result.Next = hits[n-1].cursor(p.sort)
	}
	return result, c.err
}
