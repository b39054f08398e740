package elastic

import (
	"fmt"
	"time"

	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// check refuses what search.Request does not allow.
func check(req search.Request) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{search.ErrRequest}, args...)...)
	}
	if req.Size < 0 || req.Size > search.MaxSize {
		return bad("size is %d, it must be from 0 to %d", req.Size, search.MaxSize)
	}
	switch req.Sort {
	case "", search.ByReceived, search.ByPublished, search.ByRelevance:
	default:
		return bad("sort is %q, it must be %s, %s or %s", req.Sort, search.ByReceived, search.ByPublished, search.ByRelevance)
	}
	switch req.TimeField {
	case "", search.ByReceived, search.ByPublished:
	default:
		return bad("time field is %q, it must be %s or %s", req.TimeField, search.ByPublished, search.ByReceived)
	}
	for _, f := range filtersOf(req) {
		if n := len(f.values); n > search.MaxFilters {
			return bad("filter %s has %d values, at most %d are allowed", f.field, n, search.MaxFilters)
		}
	}
	for _, f := range req.Facets {
		if facetField(f.Field) == "" {
			return bad("facet %q is not known", f.Field)
		}
		if f.Size < 0 {
			return bad("facet %s has size %d, it must not be negative", f.Field, f.Size)
		}
	}
	return nil
}

// filter is one filter of a request with the field it is on.
type filter struct {
	field  query.Field
	values []string
}

func filtersOf(req search.Request) []filter {
	return []filter{
		{query.Lang, req.Languages}, {query.Source, req.Sources}, {query.Entity, req.Entities},
		{query.Topic, req.Topics}, {query.Country, req.Countries},
	}
}

// requestQuery gives the query and the filters of req.
func requestQuery(req search.Request) (object, error) {
	var filters []object
	for _, f := range filtersOf(req) {
		if len(f.values) == 0 {
			continue
		}
		values := make([]query.Node, len(f.values))
		for i, v := range f.values {
			values[i] = query.Keyword{Field: f.field, Value: v}
		}
		q, err := translate(query.Or{Of: values})
		if err != nil {
			return nil, err
		}
		filters = append(filters, q)
	}
	if q := timeRange(req); q != nil {
		filters = append(filters, q)
	}
	q := everything()
	if req.Query != nil {
		var err error
		if q, err = translate(req.Query); err != nil {
			return nil, err
		}
	}
	if req.Sort != search.ByRelevance { // no score is asked for
		filters = append(filters, q)
		return boolean("filter", filters...), nil
	}
	return object{"bool": object{"must": q, "filter": filters}}, nil
}

// timeRange cuts both ends to the millisecond, as the index does with times,
// so that ranges that meet share no article.
func timeRange(req search.Request) object {
	field := fieldPublished
	if req.TimeField == search.ByReceived {
		field = fieldReceived
	}
	limits := object{}
	for name, t := range map[string]time.Time{"gte": req.From, "lt": req.To} {
		if !t.IsZero() {
			limits[name] = t.UnixMilli()
		}
	}
	if len(limits) == 0 {
		return nil
	}
	limits["format"] = "epoch_millis"
	return object{"range": object{field: limits}}
}

// sorting gives the sort of a search. Ties are broken by id.
func sorting(s search.Sort) []object {
	key := fieldReceived
	switch s {
	case search.ByPublished:
		key = fieldPublished
	case search.ByRelevance:
		key = "_score"
	}
	first := object{"order": "desc"}
	if s != search.ByRelevance {
		first["unmapped_type"] = "date" // no month may be there yet
	}
	return []object{{key: first}, {fieldID: object{"order": "asc", "unmapped_type": "keyword"}}}
}

// facetField gives the index's field that a facet counts, empty for an
// unknown facet.
func facetField(f search.FacetField) string {
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

// Limits on facets: values in one answer, and values looked at per index.
const (
	maxFacet   = 10_000
	facetShard = maxFacet + 1
)

func facetSize(f search.Facet) int {
	if f.Size == 0 {
		return 10
	}
	return min(f.Size, maxFacet)
}

// aggregations asks for one value more than wanted: the empty one may be
// among them, which does not count.
func aggregations(facets []search.Facet) object {
	aggs := object{}
	for _, f := range facets {
		aggs[string(f.Field)] = object{"terms": object{
			"field": facetField(f.Field), "size": facetSize(f) + 1, "shard_size": facetShard,
			"order": []object{{"_count": "desc"}, {"_key": "asc"}},
		}}
	}
	return aggs
}
