package embedded

import (
	"encoding/binary"
	"math"

	"github.com/marsad-news/marsad/pkg/search"
)

// cursorMark marks the cursors of this backend; their key is the time in
// seconds and nanoseconds, the score and the id.
const (
	cursorMark = "e1"
	cursorHead = 8 + 4 + 8
)

// position is where an article stands in an order.
type position struct {
	when  instant // zero when sorted by relevance
	score float64 // zero when sorted by time
	id    string
}

func (p position) cursor(sort search.Sort) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.when.sec))
	b = binary.BigEndian.AppendUint32(b, uint32(p.when.nano))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(p.score))
	return search.NewCursor(cursorMark, sort, append(b, p.id...))
}

func parseCursor(s string, sort search.Sort) (position, error) {
	key, err := search.ReadCursor(s, cursorMark, sort, cursorHead)
	if err != nil {
		return position{}, err
	}
	return position{
		when:  instant{int64(binary.BigEndian.Uint64(key)), int32(binary.BigEndian.Uint32(key[8:]))},
		score: math.Float64frombits(binary.BigEndian.Uint64(key[12:])),
		id:    string(key[cursorHead:]),
	}, nil
}
