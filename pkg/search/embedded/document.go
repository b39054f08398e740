package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/text"
)

// Names of the fields in the index. Those of the query language are called as
// there. A tombstone has id, state, status and bucket alone.
const (
	fieldState    = "state"    // packed, see state.go
	fieldStatus   = "status"   // for Count and as the set of all that may be found
	fieldBucket   = "bucket"   // to drop a month
	fieldLanguage = "language" // primary subtag, for facets
	fieldReceived = "received" // minutes, for ranges
	fieldPublish  = "published"
	fieldArticle  = "article" // stored: zstd of the JSON

	fieldTitle   = string(query.Title)
	fieldBody    = string(query.Body)
	fieldLead    = string(query.Lead)
	fieldLang    = string(query.Lang) // tag and its prefixes: "zh-hant-tw", "zh-hant", "zh"
	fieldSource  = string(query.Source)
	fieldOrigin  = string(query.SourceCountry)
	fieldCountry = string(query.Country)
	fieldEntity  = string(query.Entity)
	fieldTopic   = string(query.Topic)
)

// maxStored bounds what an article unpacks to, in bytes.
const maxStored = 256 << 20

const (
	optText    = index.IndexField | index.IncludeTermVectors
	optKeyword = index.IndexField | index.SkipFreqNorm
	optCounted = optKeyword | index.DocValues
)

// errArticle marks articles that can never be indexed.
var errArticle = errors.New("article cannot be indexed")

// document makes the index's document of an article, a tombstone unless the
// article is usable.
func (x *Index) document(a *article.Article) (*document.Document, state, error) {
	switch {
	case a.ID == "":
		return nil, state{}, fmt.Errorf("%w: it has no id", errArticle)
	case !utf8.ValidString(a.ID):
		return nil, state{}, fmt.Errorf("%w: its id %q is not UTF-8", errArticle, a.ID)
	case a.Revision < 0 || a.Version() < 0:
		return nil, state{}, fmt.Errorf("article %q: %w: its revision %d is out of range", a.ID, errArticle, a.Revision)
	}
	doc := document.NewDocument(a.ID)
	keyword(doc, fieldStatus, optKeyword, string(a.Status))
	keyword(doc, fieldBucket, optKeyword, a.Bucket)
	s := state{version: a.Version(), status: statusByte(a.Status)}
	if s.status == statusUsable {
		b, err := json.Marshal(a)
		if err != nil {
			return nil, state{}, fmt.Errorf("article %q: %w: %w", a.ID, errArticle, err)
		}
		s.digest, s.received, s.published = digest(b), instantOf(a.Received), instantOf(a.Published)
		packed := x.encoder.EncodeAll(b, make([]byte, 0, len(b)/2))
		doc.AddField(document.NewTextFieldCustom(fieldArticle, nil, packed, index.StoreField, nil))
		addText(doc, a)
		addKeywords(doc, a)
		addTime(doc, fieldReceived, s.received)
		addTime(doc, fieldPublish, s.published)
	}
	doc.AddField(document.NewTextFieldCustom(fieldState, nil, s.encode(), optCounted, nil))
	return doc, s, nil
}

func addText(doc *document.Document, a *article.Article) {
	start, end := query.LeadOf(a.Body)
	for _, f := range [...]struct{ name, text string }{
		{fieldTitle, a.Title}, {fieldBody, a.Body}, {fieldLead, a.Body[start:end]},
	} {
		if f.text != "" {
			doc.AddField(document.NewTextFieldCustom(f.name, nil, []byte(f.text), optText, words{}))
		}
	}
}

func addKeywords(doc *document.Document, a *article.Article) {
	tag := strings.ToLower(a.Language)
	primary, _, _ := strings.Cut(tag, "-")
	keyword(doc, fieldLanguage, optCounted, primary)
	keyword(doc, fieldLang, optKeyword, prefixes(tag)...)
	keyword(doc, fieldSource, optCounted, a.Source.ID)
	keyword(doc, fieldOrigin, optKeyword, a.Source.Country)
	var entities, countries, topics []string
	for i := range a.Entities {
		entities = append(entities, a.Entities[i].ID)
		countries = append(countries, a.Entities[i].Country)
	}
	for i := range a.Topics {
		topics = append(append(topics, a.Topics[i].ID), a.Topics[i].Broader...)
	}
	keyword(doc, fieldEntity, optCounted, entities...)
	keyword(doc, fieldCountry, optCounted, countries...)
	keyword(doc, fieldTopic, optCounted, topics...)
}

// prefixes lists a language tag and what is left when subtags are cut off its
// end.
func prefixes(tag string) []string {
	tags := []string{tag}
	for i := strings.LastIndexByte(tag, '-'); i > 0; i = strings.LastIndexByte(tag, '-') {
		tag = tag[:i]
		tags = append(tags, tag)
	}
	return tags
}

// keyword adds whole values as one field. The index keeps each value once per
// document.
func keyword(doc *document.Document, name string, options index.FieldIndexingOptions, values ...string) {
	var kept whole
	for _, v := range values {
		if v != "" {
			kept = append(kept, strings.ToValidUTF8(v, "\ufffd"))
		}
	}
	if len(kept) > 0 {
		doc.AddField(document.NewTextFieldCustom(name, nil, nil, options, kept))
	}
}

// addTime adds a coarse time; state has the exact one.
func addTime(doc *document.Document, name string, t instant) {
	doc.AddField(document.NewNumericFieldWithIndexingOptions(name, nil, t.minute(), optKeyword))
}

// whole is an analyser that gives its values whatever the text.
type whole []string

// Analyze implements analysis.Analyzer.
func (w whole) Analyze([]byte) analysis.TokenStream {
	stream := make(analysis.TokenStream, len(w))
	for i, v := range w {
		stream[i] = &analysis.Token{Term: []byte(v), Position: i + 1, End: len(v)}
	}
	return stream
}

// words is an analyser that gives the folded words of package text: what the
// whitespace analyser makes of text.Join.
type words struct{}

// Analyze implements analysis.Analyzer.
func (words) Analyze(b []byte) analysis.TokenStream {
	tokens := text.Tokens(string(b))
	slab := make([]analysis.Token, len(tokens))
	stream := make(analysis.TokenStream, len(tokens))
	for i := range tokens {
		slab[i] = analysis.Token{Term: []byte(tokens[i].Form), Position: i + 1}
		stream[i] = &slab[i]
	}
	return stream
}

// unpack gives the article of a document.
func (x *Index) unpack(doc index.Document) (a article.Article, err error) {
	var packed []byte
	doc.VisitFields(func(f index.Field) {
		if f.Name() == fieldArticle {
			packed = f.Value()
		}
	})
	b, err := x.decoder.DecodeAll(packed, nil)
	if err != nil {
		return a, fmt.Errorf("unpacking article %q: %w", doc.ID(), err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("decoding article %q: %w", doc.ID(), err)
	}
	return a, nil
}
