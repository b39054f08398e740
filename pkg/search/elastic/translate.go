package elastic

import (
	"fmt"
	"strings"

	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/text"
)

// Names of the fields that are searched.
const (
	fieldID        = "id"
	fieldStatus    = "status"
	fieldReceived  = "received"
	fieldPublished = "published"
	fieldSource    = "source.id"
	fieldOrigin    = "source.country"
	fieldEntity    = "entities.id"
	fieldCountry   = "entities.country"
	fieldTitle     = "folded.title"
	fieldBody      = "folded.body"
	fieldLead      = "folded.lead"
	fieldLanguage  = "folded.language"
	fieldLang      = "folded.lang"
	fieldTopic     = "folded.topic"
)

// titleBoost is how much more a word in the title counts towards relevance.
const titleBoost = 2

// translate gives the Elasticsearch query that finds exactly what node holds
// for, as query.Match has it. Keywords and what is under a NOT do not count
// towards relevance.
func translate(node query.Node) (object, error) {
	switch n := node.(type) {
	case query.All:
		return everything(), nil
	case query.And:
		if len(n.Of) == 0 {
			return everything(), nil
		}
		queries, err := translateEach(n.Of)
		return boolean("must", queries...), err
	case query.Or:
		queries, err := translateEach(n.Of)
		return either(queries), err
	case query.Not:
		q, err := translate(n.Of)
		return boolean("must_not", q), err
	case query.Term:
		return word(n)
	case query.Phrase:
		return phrase(n)
	case query.Keyword:
		return value(n)
	}
	return nil, fmt.Errorf("%w: Elasticsearch cannot search for %T", search.ErrRequest, node)
}

func translateEach(nodes []query.Node) ([]object, error) {
	queries := make([]object, len(nodes))
	for i, n := range nodes {
		q, err := translate(n)
		if err != nil {
			return nil, err
		}
		queries[i] = q
	}
	return queries, nil
}

// textFields gives the index's fields of a text field.
func textFields(f query.Field) ([]string, error) {
	switch f {
	case query.Any:
		return []string{fieldTitle, fieldBody}, nil
	case query.Title:
		return []string{fieldTitle}, nil
	case query.Body:
		return []string{fieldBody}, nil
	case query.Lead:
		return []string{fieldLead}, nil
	}
	return nil, fmt.Errorf("%w: field %q holds no words", search.ErrRequest, f)
}

func word(n query.Term) (object, error) {
	fields, err := textFields(n.Field)
	if err != nil || n.Form == "" {
		return nothing(), err
	}
	kind := "term"
	if n.Prefix {
		kind = "prefix"
	}
	var queries []object
	for _, field := range fields {
		for _, form := range text.Expand(n.Form) {
			if !n.Prefix {
				form = short(form)
			}
			queries = append(queries, object{kind: object{field: object{"value": form, "boost": boost(field)}}})
		}
	}
	return either(queries), nil
}

// phrase asks for intervals: blocks of words in order without a gap, each of
// them one of its variants.
func phrase(n query.Phrase) (object, error) {
	fields, err := textFields(n.Field)
	if err != nil || len(n.Forms) == 0 {
		return nothing(), err
	}
	words := make([]object, len(n.Forms))
	for i, form := range n.Forms {
		if form == "" {
			return nothing(), nil
		}
		var variants []object
		for _, v := range text.Expand(form) {
			variants = append(variants, object{"match": object{"query": short(v), "analyzer": "whitespace"}})
		}
		words[i] = object{"any_of": object{"intervals": variants}}
	}
	queries := make([]object, len(fields))
	for i, field := range fields {
		queries[i] = object{"intervals": object{field: object{
			"all_of": object{"ordered": true, "max_gaps": 0, "intervals": words}, "boost": boost(field),
		}}}
	}
	return either(queries), nil
}

func boost(field string) int {
	if field == fieldTitle {
		return titleBoost
	}
	return 1
}

func value(n query.Keyword) (object, error) {
	field, v := "", n.Value
	switch n.Field {
	case query.Lang:
		field, v = fieldLang, strings.ToLower(v)
	case query.Source:
		field = fieldSource
	case query.SourceCountry:
		field = fieldOrigin
	case query.Country:
		field = fieldCountry
	case query.Entity:
		field = fieldEntity
	case query.Topic:
		field = fieldTopic
	default:
		return nil, fmt.Errorf("%w: field %q holds no whole values", search.ErrRequest, n.Field)
	}
	if v == "" {
		return nothing(), nil
	}
	return boolean("filter", object{"term": object{field: v}}), nil
}

func either(queries []object) object {
	switch len(queries) {
	case 0:
		return nothing()
	case 1:
		return queries[0]
	}
	return object{"bool": object{"should": queries, "minimum_should_match": 1}}
}

func boolean(occur string, queries ...object) object { return object{"bool": object{occur: queries}} }

// everything adds nothing to relevance.
func everything() object { return boolean("filter", object{"match_all": object{}}) }
func nothing() object    { return object{"match_none": object{}} }
