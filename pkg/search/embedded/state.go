package embedded

import (
	"hash/fnv"
	"time"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/marsad-news/marsad/pkg/article"
)

// state is what the index must know of a document without loading it. It is
// kept as one doc value, so that a single read gives version, status and both
// times.
type state struct {
	version             int64
	digest              uint64 // of the stored JSON, 63 bits
	status              byte   // statusUsable …
	received, published instant
}

const (
	statusUsable   byte = 'u'
	statusWithheld byte = 'w'
	statusCanceled byte = 'c'
	statusUnknown  byte = 'x' // hidden as a withheld one
)

func statusByte(s article.Status) byte {
	switch s {
	case article.Usable:
		return statusUsable
	case article.Withheld:
		return statusWithheld
	case article.Canceled:
		return statusCanceled
	}
	return statusUnknown
}

// instant is a time that compares as its bits do, exact to the nanosecond for
// all years that JSON can hold.
type instant struct {
	sec  int64 // since the year 1, never negative
	nano int32
}

// yearOne is the zero time in Unix seconds.
const yearOne = -62135596800

func instantOf(t time.Time) instant {
	sec := t.Unix() - yearOne
	if sec < 0 { // the year 0, which JSON can hold
		return instant{}
	}
	return instant{sec, int32(t.Nanosecond())}
}

func (i instant) compare(j instant) int {
	switch {
	case i.sec != j.sec && i.sec < j.sec, i.sec == j.sec && i.nano < j.nano:
		return -1
	case i == j:
		return 0
	}
	return 1
}

// minute is the coarse time that is indexed for ranges.
func (i instant) minute() float64 { return float64(i.sec / 60) }

// Widths of the numbers in a state, in bytes of 7 bits: doc values may not
// hold the byte 0xff.
const (
	width63   = 9
	widthSec  = 6
	widthNano = 5
	stateLen  = 2*width63 + 1 + 2*(widthSec+widthNano)
)

func (s state) encode() []byte {
	b := make([]byte, 0, stateLen)
	b = append7(b, uint64(s.version), width63)
	b = append7(b, s.digest, width63)
	b = append(b, s.status)
	for _, t := range [...]instant{s.received, s.published} {
		b = append7(b, uint64(t.sec), widthSec)
		b = append7(b, uint64(t.nano), widthNano)
	}
	return b
}

// decodeState reads what encode wrote; false for anything else.
func decodeState(b []byte) (s state, ok bool) {
	if len(b) != stateLen {
		return state{}, false
	}
	next := func(width int) (n uint64) {
		for _, c := range b[:width] {
			n = n<<7 | uint64(c)
		}
		b = b[width:]
		return n
	}
	s.version, s.digest = int64(next(width63)), next(width63)
	s.status, b = b[0], b[1:]
	for _, t := range [...]*instant{&s.received, &s.published} {
		t.sec, t.nano = int64(next(widthSec)), int32(next(widthNano))
	}
	return s, true
}

func append7(b []byte, n uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(n>>(7*i))&0x7f)
	}
	return b
}

func digest(json []byte) uint64 {
	h := fnv.New64a()
	h.Write(json)
	return h.Sum64() >> 1
}

// states reads the states of documents of one snapshot. It is not safe for
// concurrent use.
type states struct {
	values index.DocValueReader
	last   state
	ok     bool
}

func newStates(r index.IndexReader) (*states, error) {
	values, err := r.DocValueReader([]string{fieldState})
	if err != nil {
		return nil, err
	}
	return &states{values: values}, nil
}

func (s *states) visit(_ string, term []byte) { s.last, s.ok = decodeState(term) }

// of gives the state of a document; false for one that has none.
func (s *states) of(id index.IndexInternalID) (state, bool, error) {
	s.ok = false
	err := s.values.VisitDocValues(id, s.visit)
	return s.last, s.ok, err
}
