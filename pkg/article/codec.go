package article

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	gojson "github.com/goccy/go-json"
	"golang.org/x/text/unicode/norm"
)

// Bounds on what is accepted. Sizes are in bytes of UTF-8.
const (
	MaxText     = 4 << 20 // title and body together
	MaxTitle    = 16 << 10
	MaxGUID     = 2 << 10
	MaxURL      = 8 << 10
	MaxSourceID = 256
	MaxName     = 1 << 10 // source name, byline
	MaxLanguage = 35      // BCP 47 section 4.4.1
)

// ErrSchema is returned for a record written by a newer version of the
// program. It is no fault of the record: pause and upgrade, do not drop it.
var ErrSchema = errors.New("record has a newer schema version than this program knows")

// InvalidError says what is wrong with a record, and where.
type InvalidError struct {
	Field  string // JSON name of the field; empty for the whole record
	Reason string // what is wrong and what to do
}

func (e *InvalidError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// DecodeRaw reads one JSON object as a Raw. Unknown fields are ignored. The
// result is not yet checked: see [Raw.Clean].
func DecodeRaw(b []byte) (Raw, error) {
	var r Raw
	if err := decodeJSON(b, &r); err != nil {
		return Raw{}, err
	}
	if r.Schema > SchemaVersion {
		return Raw{}, fmt.Errorf("schema %d: %w", r.Schema, ErrSchema)
	}
	return r, nil
}

// RawFromText reads plain text: the first line that is not blank is the
// title, the rest the body.
func RawFromText(s string) Raw {
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.TrimLeft(strings.ReplaceAll(s, "\r\n", "\n"), " \t\n")
	title, body, _ := strings.Cut(s, "\n")
	return Raw{Schema: SchemaVersion, Title: strings.TrimSpace(title), Body: strings.TrimSpace(body)}
}

// Decode reads one JSON object as an Article and checks what every stage
// relies on: schema, id, revision and status.
func Decode(b []byte) (Article, error) {
	var a Article
	if err := decodeJSON(b, &a); err != nil {
		return Article{}, err
	}
	switch {
	case a.Schema > SchemaVersion:
		return Article{}, fmt.Errorf("schema %d: %w", a.Schema, ErrSchema)
	case a.ID == "":
		return Article{}, invalid("id", "missing")
	case len(a.ID) > MaxSourceID:
		return Article{}, invalid("id", "has %d bytes, at most %d are allowed", len(a.ID), MaxSourceID)
	case a.Revision < 1 || a.Revision >= 1<<42:
		return Article{}, invalid("revision", "is %d, must be from 1 to 2^42-1", a.Revision)
	case a.Generation < 0 || a.Generation > MaxGeneration:
		return Article{}, invalid("generation", "is %d, must be from 0 to %d", a.Generation, MaxGeneration)
	case !ValidBucket(a.Bucket):
		return Article{}, invalid("bucket", "is %q, must be a month as YYYY-MM", a.Bucket)
	}
	switch a.Status {
	case Usable, Withheld, Canceled:
	default:
		return Article{}, invalid("status", "is %q, must be usable, withheld or canceled", a.Status)
	}
	return a, nil
}

// Encode writes v, a Raw or an Article, as one line of JSON without the line
// break. HTML characters are not escaped.
func Encode[T Raw | Article](v *T) ([]byte, error) {
	b, err := gojson.MarshalWithOption(v, gojson.DisableHTMLEscape())
	if err != nil {
		return nil, fmt.Errorf("encoding record: %w", err)
	}
	return b, nil
}

// decodeJSON reads b into v by the fast decoder. What that refuses is read
// again by encoding/json, which has the last word, and whose errors are turned
// into ones that say where.
func decodeJSON[T Raw | Article](b []byte, v *T) error {
	if i := firstInvalidUTF8(b); i >= 0 {
		return invalid("", "not UTF-8: byte 0x%02x at offset %d; send UTF-8", b[i], i)
	}
	if gojson.Unmarshal(b, v) == nil {
		return nil
	}
	*v = *new(T)
	err := json.Unmarshal(b, v)
	if err == nil {
		return nil
	}
	return jsonError(err)
}

// unmarshal reads a foreign document by encoding/json. One of more values than
// an article can need is refused: small ones take many times their size.
func unmarshal(b []byte, v any) error {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if i := firstInvalidUTF8(b); i >= 0 {
		return invalid("", "not UTF-8: byte 0x%02x at offset %d; send UTF-8", b[i], i)
	}
	if n := countValues(b); n > maxValues {
		return invalid("", "has %d values, at most %d are allowed", n, maxValues)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return jsonError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "not JSON at byte %d: something follows the document", dec.InputOffset())
	}
	return nil
}

// maxValues bounds the values in a foreign document.
const maxValues = 200_000

// countValues counts the commas and opening brackets outside strings.
func countValues(b []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

// jsonError says what encoding/json found wrong, and where.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var when *time.ParseError
	switch {
	case errors.As(err, &syntax):
		return invalid("", "not JSON at byte %d: %s", syntax.Offset, syntax.Error())
	case errors.As(err, &typ):
		return invalid(typ.Field, "is a JSON %s, must be %s (byte %d)", typ.Value, jsonKind(typ), typ.Offset)
	case errors.As(err, &when):
		return invalid("", "%.60q is no time: write RFC 3339, such as 2026-10-24T09:00:00Z", when.Value)
	}
	return invalid("", "not JSON: %s", err)
}

func jsonKind(e *json.UnmarshalTypeError) string {
	if k := e.Type.Kind().String(); k == "struct" || k == "map" {
		return "an object"
	}
	return "a " + e.Type.Kind().String()
}

func firstInvalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// Clean brings r into the form that all stages rely on, and checks it. Text
// becomes NFC with \n line ends, without the bidirectional overrides and
// isolates (U+202A–202E, U+2066–2069) that can disguise it. now bounds the
// embargo: one of more than a year is refused.
func (r *Raw) Clean(now time.Time) error {
	r.Schema = SchemaVersion
	r.Source.ID = strings.TrimSpace(r.Source.ID)
	r.Source.Country = strings.ToUpper(strings.TrimSpace(r.Source.Country))
	r.Status = Status(strings.ToLower(string(r.status())))
	for _, f := range []*string{&r.Source.Name, &r.GUID, &r.URL, &r.Title, &r.Body, &r.Byline, &r.Language} {
		*f = cleanText(*f)
	}
	return r.check(now)
}

func (r *Raw) check(now time.Time) error {
	for _, f := range []struct {
		name, value string
		max         int
	}{
		{"source.id", r.Source.ID, MaxSourceID}, {"source.name", r.Source.Name, MaxName},
		{"source.country", r.Source.Country, 2}, {"guid", r.GUID, MaxGUID}, {"url", r.URL, MaxURL},
		{"title", r.Title, MaxTitle}, {"byline", r.Byline, MaxName}, {"language", r.Language, MaxLanguage},
		{"body", r.Body, MaxText},
	} {
		if len(f.value) > f.max {
			return invalid(f.name, "has %d bytes, at most %d are allowed", len(f.value), f.max)
		}
		if !utf8.ValidString(f.value) {
			return invalid(f.name, "is not UTF-8")
		}
		if i := strings.IndexFunc(f.value, forbiddenRune); i >= 0 {
			c, _ := utf8.DecodeRuneInString(f.value[i:])
			return invalid(f.name, "has the control character %U at byte %d; remove it", c, i)
		}
	}
	switch r.Status {
	case Usable, Withheld, Canceled:
	default:
		return invalid("status", "is %q, must be usable, withheld or canceled", r.Status)
	}
	switch {
	case r.Source.ID == "":
		return invalid("source.id", "missing: name the publisher")
	case len(r.Title)+len(r.Body) > MaxText:
		return invalid("body", "with the title has %d bytes, at most %d are allowed", len(r.Title)+len(r.Body), MaxText)
	case r.Title == "" && r.Body == "" && r.Status == Usable:
		return invalid("title", "and body are both empty: give at least one")
	case r.Status != Usable && r.GUID == "" && r.URL == "" && r.Title == "" && r.Body == "":
		return invalid("guid", "and url are both empty: say which article is %s", r.Status)
	case !r.Embargoed.IsZero() && r.Embargoed.Sub(now) > 366*24*time.Hour:
		return invalid("embargoed", "is more than a year ahead")
	case r.Published.Year() > 9999 || r.Published.Year() < 0 || r.Embargoed.Year() > 9999 || r.Embargoed.Year() < 0:
		return invalid("published", "or embargoed has a year outside 0–9999")
	}
	return nil
}

func cleanText(s string) string {
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	if strings.IndexFunc(s, bidiOverride) >= 0 {
		s = strings.Map(func(c rune) rune {
			if bidiOverride(c) {
				return -1
			}
			return c
		}, s)
	}
	return strings.TrimSpace(norm.NFC.String(s))
}

func bidiOverride(c rune) bool {
	return c >= 0x202A && c <= 0x202E || c >= 0x2066 && c <= 0x2069
}

func forbiddenRune(c rune) bool {
	return c < 0x20 && c != '\n' && c != '\t' || c == 0x7F
}

// ValidBucket tells whether s is a month, YYYY-MM.
func ValidBucket(s string) bool {
	_, err := time.Parse("2006-01", s)
	return err == nil && len(s) == 7
}

// BucketOf is the month that decides in which index an article lies:
// published, clamped to [received − 400 days, received + 1 day], in UTC, so
// that a hostile date opens no index of its own.
func BucketOf(published, received time.Time) string {
	lo, hi := received.AddDate(0, 0, -400), received.AddDate(0, 0, 1)
	switch {
	case published.Before(lo):
		published = lo
	case published.After(hi):
		published = hi
	}
	return published.UTC().Format("2006-01")
}
