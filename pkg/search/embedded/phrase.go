package embedded

import (
	"context"

	"github.com/blevesearch/bleve/v2/mapping"
	bsearch "github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"
)

// phraseQuery finds articles with words next to one another in field; each
// word may have several forms. Its time per article is linear in how often
// the forms occur there.
type phraseQuery struct {
	field string
	words [][]string
}

// Searcher implements bleve's Query: all words somewhere in the field, then
// their positions.
func (q phraseQuery) Searcher(ctx context.Context, r index.IndexReader, _ mapping.IndexMapping, o bsearch.SearcherOptions) (bsearch.Searcher, error) {
	o.IncludeTermVectors = true
	must := make([]bsearch.Searcher, 0, len(q.words))
	closeAll := func() {
		for _, s := range must {
			s.Close()
		}
	}
	for _, forms := range distinct(q.words) {
		s, err := q.anyForm(ctx, r, forms, o)
		if err != nil {
			closeAll()
			return nil, err
		}
		must = append(must, s)
	}
	all, err := searcher.NewConjunctionSearcher(ctx, r, must, o)
	if err != nil {
		closeAll()
		return nil, err
	}
	return searcher.NewFilteringSearcher(ctx, all, q.check()), nil
}

func (q phraseQuery) anyForm(ctx context.Context, r index.IndexReader, forms []string, o bsearch.SearcherOptions) (bsearch.Searcher, error) {
	boost := 1.0
	if q.field == fieldTitle {
		boost = titleBoost
	}
	if len(forms) == 1 {
		return searcher.NewTermSearcher(ctx, r, forms[0], q.field, boost, o)
	}
	// limit off: the number of forms is bounded by text.Expand.
	return searcher.NewMultiTermSearcher(ctx, r, forms, q.field, boost, o, false)
}

// distinct leaves out words that are asked for before, so that an occurrence
// is read once.
func distinct(words [][]string) [][]string {
	seen := make(map[string]bool, len(words))
	var kept [][]string
	for _, forms := range words {
		if !seen[forms[0]] {
			seen[forms[0]] = true
			kept = append(kept, forms)
		}
	}
	return kept
}

// check gives the function that looks at positions. Like the searcher that
// calls it, it is for one goroutine.
func (q phraseQuery) check() searcher.FilterFunc {
	places := make(map[string][]int) // form → places in the phrase
	for i, forms := range q.words {
		for _, form := range forms {
			places[form] = append(places[form], i)
		}
	}
	reached := make(map[phrasePlace]bool)
	return func(_ *bsearch.SearchContext, m *bsearch.DocumentMatch) bool {
		clear(reached)
		for i := range m.FieldTermLocations {
			l := &m.FieldTermLocations[i]
			for _, place := range places[l.Term] {
				reached[phrasePlace{l.Location.Pos, place}] = true
			}
		}
		found := complete(reached, len(q.words))
		m.FieldTermLocations = m.FieldTermLocations[:0]
		return found
	}
}

// phrasePlace says that the word at a position of the text fits a place of
// the phrase.
type phrasePlace struct {
	pos   uint64
	place int
}

// complete tells whether some position begins a whole phrase of n words. A
// start costs as many steps as words of the phrase follow it.
func complete(reached map[phrasePlace]bool, n int) bool {
	for at := range reached {
		if at.place != 0 {
			continue
		}
		i := 1
		for i < n && reached[phrasePlace{at.pos + uint64(i), i}] {
			i++
		}
		if i == n {
			return true
		}
	}
	return false
}
