package elastic

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/marsad-news/marsad/pkg/search"
)

// A cursor is the sort key of the last hit of a page: a mark, the sort, the
// key, the id and a checksum, in base64url. It is no secret and no signature;
// one made up by hand at worst gives another page.
const (
	cursorMark = "s1"
	cursorHead = len(cursorMark) + 1 + 8
	maxCursor  = 4 << 10 // in base64
)

// position is where an article stands in an order.
type position struct {
	when  int64   // Unix milliseconds, 0 when sorted by relevance
	score float64 // 0 when sorted by time
	id    string
}

// sortByte names an order in a cursor.
func sortByte(s search.Sort) byte {
	switch s {
	case search.ByPublished:
		return 'p'
	case search.ByRelevance:
		return 's'
	}
	return 'r'
}

// newPosition reads the sort values of a hit.
func newPosition(values []json.RawMessage, sort search.Sort) (p position, err error) {
	if len(values) != 2 {
		return p, fmt.Errorf("a hit of Elasticsearch has %d sort values, want 2", len(values))
	}
	var first any = &p.when
	if sort == search.ByRelevance {
		first = &p.score
	}
	if err := json.Unmarshal(values[0], first); err != nil {
		return p, fmt.Errorf("decoding a hit's sort value: %w", err)
	}
	if err := json.Unmarshal(values[1], &p.id); err != nil {
		return p, fmt.Errorf("decoding a hit's id: %w", err)
	}
	return p, nil
}

// after gives p as Elasticsearch's search_after.
func (p position) after(sort search.Sort) []any {
	if sort == search.ByRelevance {
		return []any{p.score, p.id}
	}
	return []any{p.when, p.id}
}

func (p position) cursor(sort search.Sort) string {
	key := uint64(p.when)
	if sort == search.ByRelevance {
		key = math.Float64bits(p.score)
	}
	b := append([]byte(cursorMark), sortByte(sort))
	b = binary.BigEndian.AppendUint64(b, key)
	b = append(b, p.id...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string, sort search.Sort) (position, error) {
	bad := func(why string) (position, error) {
		return position{}, fmt.Errorf("%w: cursor %s; give back Next of the page before unchanged, or none for the first page",
			search.ErrRequest, why)
	}
	if len(s) > maxCursor {
		return bad("is too long")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < cursorHead+crc32.Size || string(b[:len(cursorMark)]) != cursorMark {
		return bad("is not one of this index")
	}
	b, sum := b[:len(b)-crc32.Size], b[len(b)-crc32.Size:]
	if crc32.ChecksumIEEE(b) != binary.BigEndian.Uint32(sum) {
		return bad("was changed")
	}
	if b[len(cursorMark)] != sortByte(sort) {
		return bad(fmt.Sprintf("belongs to another order than %q", sort))
	}
	p, key := position{id: string(b[cursorHead:])}, binary.BigEndian.Uint64(b[len(cursorMark)+1:])
	if sort != search.ByRelevance {
		p.when = int64(key)
		return p, nil
	}
	p.score = math.Float64frombits(key)
	if math.IsNaN(p.score) || math.IsInf(p.score, 0) {
		return bad("was changed")
	}
	return p, nil
}
