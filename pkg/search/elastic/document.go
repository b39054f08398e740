package elastic

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	json "github.com/goccy/go-json"

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

// check refuses what would spoil the bulk request it is in.
func check(a *article.Article) error {
	switch {
	case a.ID == "":
		return fmt.Errorf("%w: it has no id", errArticle)
	case !utf8.ValidString(a.ID):
		return fmt.Errorf("%w: its id %q is not UTF-8", errArticle, a.ID)
	case len(a.ID) > maxID:
		return fmt.Errorf("%w: its id has %d bytes, at most %d are allowed", errArticle, len(a.ID), maxID)
	case a.Revision < 0 || a.Revision > maxRevision:
		return fmt.Errorf("article %q: %w: its revision %d is out of range", a.ID, errArticle, a.Revision)
	case !article.ValidBucket(a.Bucket):
		return fmt.Errorf("article %q: %w: its bucket is %q, want YYYY-MM", a.ID, errArticle, a.Bucket)
	}
	return nil
}

// monthOf gives the month in the names of indices and aliases: YYYY.MM.
func monthOf(a *article.Article) string { return strings.Replace(a.Bucket, "-", ".", 1) }

// appendLines appends what a bulk request says of an article: the action, to
// the write alias, and the document, a line each. On error dst is as it was.
func appendLines(dst []byte, alias string, a *article.Article, version int64) ([]byte, error) {
	out := append(dst, `{"index":{"_index":"`...)
	out = append(out, alias...)
	out = append(out, `","_id":`...)
	out, err := appendJSON(out, a.ID)
	if err != nil {
		return dst, fmt.Errorf("article %q: %w: %w", a.ID, errArticle, err)
	}
	out = append(out, `,"require_alias":true,"version":`...)
	out = strconv.AppendInt(out, version, 10)
	out = append(out, `,"version_type":"external_gte"}}`+"\n"...)
	if out, err = AppendDocument(out, a); err != nil {
		return dst, fmt.Errorf("article %q: %w: %w", a.ID, errArticle, err)
	}
	return append(out, '\n'), nil
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

// AppendDocument appends the document that an index holds of a: the article as
// it is and, of one that may be found, the fields that are searched. The whole
// is one line of JSON without the line break.
func AppendDocument(dst []byte, a *article.Article) ([]byte, error) {
	if a.Status != article.Usable {
		return appendJSON(dst, tombstone{a.Schema, a.ID, a.Revision, a.Generation, a.Bucket, a.Status})
	}
	dst, err := appendJSON(dst, a)
	if err != nil {
		return dst, err
	}
	dst = dst[:len(dst)-1] // the closing brace comes last
	if dst, err = appendNamed(dst, a); err != nil {
		return dst, err
	}
	if dst, err = appendStemmed(dst, a); err != nil {
		return dst, err
	}
	if dst, err = appendFolded(dst, a); err != nil {
		return dst, err
	}
	return append(dst, '}'), nil
}

// appendNamed appends the names of the entities by their type, in English
// where there is one, so that charts show one name for all languages.
func appendNamed(dst []byte, a *article.Article) ([]byte, error) {
	if len(a.Entities) == 0 {
		return dst, nil
	}
	named := map[article.EntityType][]string{}
	for i := range a.Entities {
		e := &a.Entities[i]
		name := e.Labels["en"]
		if name == "" {
			name = e.Name
		}
		switch e.Type {
		case article.Person, article.Organisation, article.Place, article.Event, article.Work, article.Product:
			named[e.Type] = append(named[e.Type], name)
		}
	}
	return appendField(dst, "named", named)
}

// analysed is the field in which an article of a language is stemmed, by
// Elasticsearch's own analyser of that language. Others are not.
func analysed(language string) string {
	switch language {
	case "ar", "fr", "en":
		return language
	}
	return ""
}

func appendStemmed(dst []byte, a *article.Article) ([]byte, error) {
	language := analysed(primary(a.Language))
	if language == "" {
		return dst, nil
	}
	return appendField(dst, "stemmed", map[string][]string{language: {a.Title, a.Body}})
}

// appendFolded appends the words of package text, and keywords in the form in
// which they are compared.
func appendFolded(dst []byte, a *article.Article) ([]byte, error) {
	start, end := query.LeadOf(a.Body)
	dst = append(dst, `,"folded":{"title":"`...)
	dst = appendWords(dst, a.Title)
	dst = append(dst, `","body":"`...)
	dst = appendWords(dst, a.Body)
	dst = append(dst, `","lead":"`...)
	dst = appendWords(dst, a.Body[start:end])
	dst = append(dst, '"')
	var topics []string
	for i := range a.Topics {
		topics = append(append(topics, a.Topics[i].ID), a.Topics[i].Broader...)
	}
	var err error
	for _, f := range []struct {
		name   string
		values []string
	}{{"topic", topics}, {"lang", prefixes(strings.ToLower(a.Language))}, {"language", prefixes(primary(a.Language))}} {
		if len(f.values) == 0 {
			continue
		}
		if dst, err = appendField(dst, f.name, f.values); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// appendField appends a comma, a name that needs no escaping, and a value.
func appendField(dst []byte, name string, value any) ([]byte, error) {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return appendJSON(dst, value)
}

// appendJSON appends a value without an intermediate copy.
func appendJSON(dst []byte, value any) ([]byte, error) {
	w := appender{dst}
	if err := json.NewEncoder(&w).EncodeWithOption(value, json.DisableHTMLEscape()); err != nil {
		return dst, err
	}
	return w.data[:len(w.data)-1], nil // without the line break
}

// appender is a writer to the end of data.
type appender struct{ data []byte }

func (w *appender) Write(p []byte) (int, error) {
	w.data = append(w.data, p...)
	return len(p), nil
}

// primary gives a language tag's primary subtag in lower case.
func primary(tag string) string {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return language
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

// appendWords appends the folded words of s for the whitespace analyser.
func appendWords(dst []byte, s string) []byte {
	start := len(dst)
	dst, longest := text.AppendJoin(dst, s)
	if longest <= maxWord {
		return dst
	}
	joined := string(dst[start:])
	dst = dst[:start]
	for w := range strings.SplitSeq(joined, " ") {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(dst, short(w)...)
	}
	return dst
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
