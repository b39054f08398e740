package embedded

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"

	"github.com/marsad-news/marsad/pkg/search"
)

// A cursor is the sort key of the last hit of a page: a mark, the sort, the
// key, the id and a checksum, in base64url. It is no secret and no signature;
// one made up by hand at worst gives another page.
const (
	cursorMark = "e1"
	maxCursor  = 4 << 10 // in base64
)

// position is where an article stands in an order.
type position struct {
	when  instant // zero when sorted by relevance
	score float64 // zero when sorted by time
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

func (p position) cursor(sort search.Sort) string {
	b := append([]byte(cursorMark), sortByte(sort))
	b = binary.BigEndian.AppendUint64(b, uint64(p.when.sec))
	b = binary.BigEndian.AppendUint32(b, uint32(p.when.nano))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(p.score))
	b = append(b, p.id...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

const cursorHead = len(cursorMark) + 1 + 8 + 4 + 8

func parseCursor(s string, sort search.Sort) (position, error) {
	bad := func(why string) (position, error) {
		return position{}, fmt.Errorf("%w: cursor %s; give back Next of the page before unchanged, or none for the first page",
			search.ErrRequest, why)
	}
	if len(s) > maxCursor {
		return bad("is too long")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if strings.ContainsAny(s, "\r\n") { // which base64 passes over
		return bad("is not one of this index")
	}
	if err != nil || len(b) < cursorHead+crc32.Size || string(b[:len(cursorMark)]) != cursorMark {
		return bad("is not one of this index")
	}
	body, sum := b[:len(b)-crc32.Size], b[len(b)-crc32.Size:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return bad("was changed")
	}
	if body[len(cursorMark)] != sortByte(sort) {
		return bad(fmt.Sprintf("belongs to another order than %q", sort))
	}
	key := body[len(cursorMark)+1:]
	return position{
		when:  instant{int64(binary.BigEndian.Uint64(key)), int32(binary.BigEndian.Uint32(key[8:]))},
		score: math.Float64frombits(binary.BigEndian.Uint64(key[12:])),
		id:    string(key[20:]),
	}, nil
}
