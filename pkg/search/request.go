package search

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/marsad-news/marsad/pkg/query"
)

// Check refuses what Request does not allow, with an error that wraps
// ErrRequest. The cursor is each backend's to check.
func (r Request) Check() error {
	if r.Size < 0 || r.Size > MaxSize {
		return bad("size is %d, it must be from 0 to %d", r.Size, MaxSize)
	}
	switch r.Sort {
	case "", ByReceived, ByPublished, ByRelevance:
	default:
		return bad("sort is %q, it must be %s, %s or %s", r.Sort, ByReceived, ByPublished, ByRelevance)
	}
	switch r.TimeField {
	case "", ByReceived, ByPublished:
	default:
		return bad("time field is %q, it must be %s or %s", r.TimeField, ByPublished, ByReceived)
	}
	for _, f := range r.Filters() {
		if n := len(f.Values); n > MaxFilters {
			return bad("filter %s has %d values, at most %d are allowed", f.Field, n, MaxFilters)
		}
	}
	for _, f := range r.Facets {
		switch f.Field {
		case FacetLanguage, FacetSource, FacetEntity, FacetTopic, FacetCountry:
		default:
			return bad("facet %q is not known", f.Field)
		}
		if f.Size < 0 {
			return bad("facet %s has size %d, it must not be negative", f.Field, f.Size)
		}
	}
	return nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRequest}, args...)...)
}

// Filter is one filter of a request with the field it is on.
type Filter struct {
	Field  query.Field
	Values []string
}

// Filters gives the request's filters, also those that are empty.
func (r Request) Filters() []Filter {
	return []Filter{
		{query.Lang, r.Languages}, {query.Source, r.Sources}, {query.Entity, r.Entities},
		{query.Topic, r.Topics}, {query.Country, r.Countries},
	}
}

// maxCursor bounds a cursor's text, in bytes.
const maxCursor = 4 << 10

// NewCursor packs the sort key of a page's last hit: a backend's mark of two
// bytes, the order, the key and a checksum, in base64url. It is no secret and
// no signature; one made up by hand at worst gives another page.
func NewCursor(mark string, s Sort, key []byte) string {
	b := append([]byte(mark), sortByte(s))
	b = append(b, key...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// ReadCursor gives the key of a cursor that was made with the same mark and
// order, and has at least min bytes. Its errors wrap ErrRequest.
func ReadCursor(cursor, mark string, s Sort, min int) ([]byte, error) {
	wrong := func(why string) error {
		return bad("cursor %s; give back Next of the page before unchanged, or none for the first page", why)
	}
	if len(cursor) > maxCursor {
		return nil, wrong("is too long")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	head := len(mark) + 1
	if err != nil || strings.ContainsAny(cursor, "\r\n") || // which base64 passes over
		len(b) < head+min+crc32.Size || string(b[:len(mark)]) != mark {
		return nil, wrong("is not one of this index")
	}
	body, sum := b[:len(b)-crc32.Size], b[len(b)-crc32.Size:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return nil, wrong("was changed")
	}
	if body[len(mark)] != sortByte(s) {
		return nil, wrong(fmt.Sprintf("belongs to another order than %q", s))
	}
	return body[head:], nil
}

// sortByte names an order in a cursor.
func sortByte(s Sort) byte {
	switch s {
	case ByPublished:
		return 'p'
	case ByRelevance:
		return 's'
	}
	return 'r'
}
