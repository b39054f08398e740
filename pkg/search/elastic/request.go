package elastic

import (
	"time"

	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// requestQuery gives the query and the filters of req.
func requestQuery(req search.Request) (object, error) {
	var filters []object
	for _, f := range req.Filters() {
		if len(f.Values) == 0 {
			continue
		}
		values := make([]query.Node, len(f.Values))
		for i, v := range f.Values {
			values[i] = query.Keyword{Field: f.Field, Value: v}
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
