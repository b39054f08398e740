package elastic

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/marsad-news/marsad/pkg/search"
)

// cursorMark marks the cursors of this backend; their key is the first sort
// value in eight bytes, the length of the id in two, the id, and the point in
// time that the pages are of, if there is one.
const cursorMark = "s2"

// maxPIT is the longest id of a point in time that goes into a cursor; longer
// ones (of several years) are done without.
const maxPIT = 2 << 10

// position is where an article stands in an order.
type position struct {
	when  int64   // Unix milliseconds, 0 when sorted by relevance
	score float64 // 0 when sorted by time
	id    string
	pit   string // empty where the pages are of the index as it is
}

// newPosition reads the sort values of a hit.
func newPosition(values []json.RawMessage, sort search.Sort) (p position, err error) {
	if len(values) < 2 { // a third is Elasticsearch's own, of a point in time
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
	b := binary.BigEndian.AppendUint64(nil, key)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.id)))
	return search.NewCursor(cursorMark, sort, append(append(b, p.id...), p.pit...))
}

func parseCursor(s string, sort search.Sort) (position, error) {
	const head = 10
	b, err := search.ReadCursor(s, cursorMark, sort, head)
	if err != nil {
		return position{}, err
	}
	key, length := binary.BigEndian.Uint64(b), int(binary.BigEndian.Uint16(b[8:]))
	if head+length > len(b) || len(b)-head-length > maxPIT {
		return position{}, fmt.Errorf("%w: cursor was changed", search.ErrRequest)
	}
	p := position{id: string(b[head : head+length]), pit: string(b[head+length:])}
	if sort != search.ByRelevance {
		p.when = int64(key)
		return p, nil
	}
	p.score = math.Float64frombits(key)
	if math.IsNaN(p.score) || math.IsInf(p.score, 0) {
		return position{}, fmt.Errorf("%w: cursor was changed", search.ErrRequest)
	}
	return p, nil
}
