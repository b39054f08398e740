package embedded

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
	"strings"

	bsearch "github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/marsad-news/marsad/pkg/search"
)

// collector goes through all that is found in one snapshot: it counts, fills
// the facets and keeps the best hits of the page. Where bleve's collector
// would load the id of every match to break ties, it does so only for those
// that tie.
type collector struct {
	reader index.IndexReader
	plan   *plan
	states *states

	total     int
	following int // found after the cursor
	top       []candidate
	err       error // of reading an id within a comparison

	counted index.DocValueReader // nil without facets
	counts  map[string]map[string]int
}

// candidate is a match that may be on the page.
type candidate struct {
	position
	number uint64 // of the document in the snapshot
	named  bool   // the id is loaded
}

func newCollector(r index.IndexReader, p *plan) (*collector, error) {
	s, err := newStates(r)
	if err != nil {
		return nil, err
	}
	c := &collector{reader: r, plan: p, states: s, counts: make(map[string]map[string]int)}
	var fields []string
	for _, f := range p.facets {
		name := facetFieldName(f.Field)
		if c.counts[name] == nil {
			c.counts[name] = make(map[string]int)
			fields = append(fields, name)
		}
	}
	if len(fields) > 0 {
		c.counted, err = r.DocValueReader(fields)
	}
	return c, err
}

// checkEvery is after how many matches the context is looked at.
const checkEvery = 512

func (c *collector) collect(ctx context.Context, s bsearch.Searcher) error {
	sctx := &bsearch.SearchContext{
		DocumentMatchPool: bsearch.NewDocumentMatchPool(s.DocumentMatchPoolSize()+1, 0),
		IndexReader:       c.reader,
	}
	for n := 0; ; n++ {
		if n%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		m, err := s.Next(sctx)
		if err != nil || m == nil {
			return cmp.Or(err, c.err)
		}
		if err := c.add(m); err != nil {
			return err
		}
		sctx.DocumentMatchPool.Put(m)
	}
}

func (c *collector) add(m *bsearch.DocumentMatch) error {
	s, ok, err := c.states.of(m.IndexInternalID)
	if err != nil || !ok || !c.plan.within(s) {
		return err
	}
	c.total++
	if c.counted != nil {
		if err := c.counted.VisitDocValues(m.IndexInternalID, c.count); err != nil {
			return err
		}
	}
	if c.plan.size == 0 {
		return nil
	}
	hit := candidate{number: m.IndexInternalID.Value()}
	switch c.plan.sort {
	case search.ByRelevance:
		if !math.IsNaN(m.Score) {
			hit.score = m.Score
		}
	case search.ByPublished:
		hit.when = s.published
	default:
		hit.when = s.received
	}
	c.offer(hit)
	return nil
}

// offer keeps hit if it belongs to the page as far as is known.
func (c *collector) offer(hit candidate) {
	if c.plan.after != nil {
		after := candidate{position: *c.plan.after, named: true}
		if c.compare(&hit, &after) <= 0 {
			return
		}
	}
	c.following++
	switch {
	case len(c.top) < c.plan.size:
		heap.Push((*worstFirst)(c), hit)
	case c.compare(&hit, &c.top[0]) < 0:
		c.top[0] = hit
		heap.Fix((*worstFirst)(c), 0)
	}
}

// compare orders by key, highest first, then by id.
func (c *collector) compare(a, b *candidate) int {
	if d := b.when.compare(a.when); d != 0 {
		return d
	}
	if d := cmp.Compare(b.score, a.score); d != 0 {
		return d
	}
	x, errA := c.id(a)
	y, errB := c.id(b)
	c.err = cmp.Or(c.err, errA, errB)
	return strings.Compare(x, y)
}

func (c *collector) id(hit *candidate) (string, error) {
	if !hit.named {
		id, err := c.reader.ExternalID(index.NewIndexInternalID(nil, hit.number))
		if err != nil {
			return "", err
		}
		hit.position.id, hit.named = id, true
	}
	return hit.position.id, nil
}

// sorted gives the page, best first.
func (c *collector) sorted() []candidate {
	slices.SortFunc(c.top, func(a, b candidate) int { return c.compare(&a, &b) })
	return c.top
}

// worstFirst is the heap of the best hits, the worst of them on top.
type worstFirst collector

func (h *worstFirst) Len() int           { return len(h.top) }
func (h *worstFirst) Less(i, j int) bool { return (*collector)(h).compare(&h.top[i], &h.top[j]) > 0 }
func (h *worstFirst) Swap(i, j int)      { h.top[i], h.top[j] = h.top[j], h.top[i] }
func (h *worstFirst) Push(v any)         { h.top = append(h.top, v.(candidate)) }
func (h *worstFirst) Pop() any {
	last := len(h.top) - 1
	v := h.top[last]
	h.top = h.top[:last]
	return v
}

// count takes one value of a facet's field.
func (c *collector) count(field string, term []byte) { c.counts[field][string(term)]++ }

// defaultBuckets is how many values a facet has whose Size is 0.
const defaultBuckets = 10

// buckets gives the facets, the most frequent values first, ties by value.
func (c *collector) buckets() map[search.FacetField][]search.Bucket {
	if len(c.plan.facets) == 0 {
		return nil
	}
	facets := make(map[search.FacetField][]search.Bucket, len(c.plan.facets))
	for _, f := range c.plan.facets {
		counts := c.counts[facetFieldName(f.Field)]
		all := make([]search.Bucket, 0, len(counts))
		for value, n := range counts {
			all = append(all, search.Bucket{Value: value, Count: n})
		}
		slices.SortFunc(all, func(a, b search.Bucket) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
		})
		size := f.Size
		if size == 0 {
			size = defaultBuckets
		}
		facets[f.Field] = slices.Clip(all[:min(size, len(all))])
	}
	return facets
}

// facetFieldName gives the field whose doc values a facet counts; empty for
// an unknown facet.
func facetFieldName(f search.FacetField) string {
	switch f {
	case search.FacetLanguage:
		return fieldLanguage
	case search.FacetSource:
		return fieldSource
	case search.FacetEntity:
		return fieldEntity
	case search.FacetTopic:
		return fieldTopic
	case search.FacetCountry:
		return fieldCountry
	}
	return ""
}
