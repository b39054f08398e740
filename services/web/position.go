package web

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// position is a place in the topic: the next offset to be read of each
// partition. As an event id it is written "0:124,1:88".
type position map[int]int64

// Bounds on what parsePosition accepts.
const (
	maxPositionBytes = 16 << 10
	maxPartition     = 1 << 16
	maxOffset        = 1 << 60
)

func (p position) String() string {
	b := make([]byte, 0, 16*len(p))
	for i, part := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(part), 10)
		b = append(b, ':')
		b = strconv.AppendInt(b, p[part], 10)
	}
	return string(b)
}

// parsePosition reads what String wrote, in any order of the partitions.
func parsePosition(s string) (position, error) {
	if len(s) > maxPositionBytes {
		return nil, fmt.Errorf("has %d bytes, at most %d are allowed", len(s), maxPositionBytes)
	}
	p := position{}
	for item := range strings.SplitSeq(s, ",") {
		left, right, ok := strings.Cut(item, ":")
		part, err1 := strconv.ParseUint(left, 10, 32)
		offset, err2 := strconv.ParseUint(right, 10, 63)
		if !ok || err1 != nil || err2 != nil || part > maxPartition || offset > maxOffset {
			return nil, fmt.Errorf("%.40q is not partition:offset, as in 0:124,1:88", item)
		}
		if _, dup := p[int(part)]; dup {
			return nil, fmt.Errorf("partition %d stands twice", part)
		}
		p[int(part)] = int64(offset)
	}
	return p, nil
}

// reaches tells whether p is at or behind q in every partition: what q has
// passed, p has passed.
func (p position) reaches(q position) bool {
	for part, offset := range q {
		if p[part] < offset {
			return false
		}
	}
	return true
}

// gap is a range of offsets of a partition that the topic no longer keeps.
type gap struct {
	Partition int   `json:"partition"`
	From      int64 `json:"from"`
	To        int64 `json:"to"` // exclusive
}

// raise moves p to first where it lies before it and tells what was skipped.
// A partition that p does not know is newer than p: it is read from its first.
func (p position) raise(first map[int]int64) []gap {
	var gaps []gap
	for _, part := range slices.Sorted(maps.Keys(first)) {
		offset, known := p[part]
		if offset >= first[part] && known {
			continue
		}
		if known {
			gaps = append(gaps, gap{Partition: part, From: offset, To: first[part]})
		}
		p[part] = first[part]
	}
	return gaps
}

// alike tells whether p and q know the same partitions.
func (p position) alike(q position) bool {
	for part := range p {
		if _, known := q[part]; !known {
			return false
		}
	}
	return len(p) == len(q)
}
