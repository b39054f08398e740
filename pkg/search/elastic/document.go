package elastic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/text"
)

// errArticle marks articles that can never be indexed.
var errArticle = errors.New("article cannot be indexed")

// maxID is Elasticsearch's limit on ids, in bytes. It refuses a whole bulk
// request for one longer id.
const maxID = 512

// maxRevision is the highest that leaves room for the generation in a version.
const maxRevision = math.MaxInt64 / (article.MaxGeneration + 1)

var goodBucket = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// document is what is sent: the article as it is and, of one that may be
// found, the fields that are searched.
type document struct {
	article.Article
	Folded *folded `json:"folded,omitempty"`
}

// folded holds what is indexed but not kept in _source.
type folded struct {
	Title    string   `json:"title,omitempty"` // words of package text, space between
	Body     string   `json:"body,omitempty"`
	Lead     string   `json:"lead,omitempty"`
	Language string   `json:"language,omitempty"` // primary subtag
	Lang     []string `json:"lang,omitempty"`     // tag and its prefixes: zh-hant-tw, zh-hant, zh
	Topic    []string `json:"topic,omitempty"`    // with broader ones
}

// tombstone is the document of an article that is not usable.
type tombstone struct {
	Schema     int            `json:"schema"`
	ID         string         `json:"id"`
	Revision   int64          `json:"revision"`
	Generation int64          `json:"generation"`
	Bucket     string         `json:"bucket"`
	Status     article.Status `json:"status"`
}

// line is an article ready for a bulk request.
type line struct {
	index   int    // in the batch
	month   string // YYYY.MM
	visible bool
	data    []byte // action and document, a line each
}

// prepare makes the lines of an article.
func (x *Index) prepare(index int, a *article.Article) (line, error) {
	switch {
	case a.ID == "":
		return line{}, fmt.Errorf("%w: it has no id", errArticle)
	case !utf8.ValidString(a.ID):
		return line{}, fmt.Errorf("%w: its id %q is not UTF-8", errArticle, a.ID)
	case len(a.ID) > maxID:
		return line{}, fmt.Errorf("%w: its id has %d bytes, at most %d are allowed", errArticle, len(a.ID), maxID)
	case a.Revision < 0 || a.Revision > maxRevision:
		return line{}, fmt.Errorf("article %q: %w: its revision %d is out of range", a.ID, errArticle, a.Revision)
	case !goodBucket.MatchString(a.Bucket):
		return line{}, fmt.Errorf("article %q: %w: its bucket is %q, want YYYY-MM", a.ID, errArticle, a.Bucket)
	}
	l := line{index: index, month: strings.Replace(a.Bucket, "-", ".", 1), visible: a.Status == article.Usable}
	var doc any = tombstone{a.Schema, a.ID, a.Revision, a.Generation, a.Bucket, a.Status}
	if l.visible {
		doc = document{*a, fold(a)}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // ends each value with a line break, and has none within
	e.SetEscapeHTML(false)
	action := object{"index": object{
		"_index": x.writer(l.month), "_id": a.ID, "require_alias": true,
		"version": a.Version(), "version_type": "external_gte",
	}}
	for _, v := range []any{action, doc} {
		if err := e.Encode(v); err != nil {
			return line{}, fmt.Errorf("article %q: %w: %w", a.ID, errArticle, err)
		}
	}
	l.data = b.Bytes()
	return l, nil
}

func fold(a *article.Article) *folded {
	start, end := query.LeadOf(a.Body)
	tag := strings.ToLower(a.Language)
	f := folded{
		Title: words(a.Title), Body: words(a.Body), Lead: words(a.Body[start:end]),
		Lang: prefixes(tag),
	}
	f.Language, _, _ = strings.Cut(tag, "-")
	for i := range a.Topics {
		f.Topic = append(append(f.Topic, a.Topics[i].ID), a.Topics[i].Broader...)
	}
	return &f
}

// prefixes lists a language tag and what is left when subtags are cut off its
// end.
func prefixes(tag string) []string {
	if tag == "" {
		return nil
	}
	tags := []string{tag}
	for i := strings.LastIndexByte(tag, '-'); i > 0; i = strings.LastIndexByte(tag, '-') {
		tag = tag[:i]
		tags = append(tags, tag)
	}
	return tags
}

// words gives the folded words of s for the whitespace analyser.
func words(s string) string {
	joined := text.Join(s)
	if len(joined) <= maxWord {
		return joined
	}
	var b strings.Builder
	b.Grow(len(joined))
	for w := range strings.SplitSeq(joined, " ") {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(short(w))
	}
	return b.String()
}

// maxWord is the length in UTF-16 units at which the whitespace analyser
// splits a word.
const maxWord = 255

// short gives a word as the index holds it: a longer one than the analyser
// takes as its beginning and a hash.
func short(w string) string {
	if len(w) <= maxWord || len(utf16.Encode([]rune(w))) <= maxWord {
		return w
	}
	sum := sha256.Sum256([]byte(w))
	head := []rune(w)[:100]
	return string(head) + "#" + hex.EncodeToString(sum[:16])
}
