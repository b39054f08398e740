package bus

import (
	"slices"
	"sync"
)

// watermark tracks which records of a partition are done, and up to where all
// of them are. Offsets begin in rising order and may end in any. Safe for
// concurrent use.
type watermark struct {
	mu      sync.Mutex
	next    int64 // all before it are done
	started []started
	head    int // first of started that is not done
}

type started struct {
	offset int64
	done   bool
}

// newWatermark starts at the offset that is to be read first.
func newWatermark(next int64) *watermark { return &watermark{next: next} }

// begin notes that work on offset has started. Offsets must rise.
func (w *watermark) begin(offset int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, started{offset: offset})
}

// finish notes that the record at offset is durable.
func (w *watermark) finish(offset int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := w.started[w.head:]
	i, ok := slices.BinarySearchFunc(open, offset, func(s started, o int64) int {
		switch {
		case s.offset < o:
			return -1
		case s.offset > o:
			return 1
		}
		return 0
	})
	if !ok {
		return
	}
	open[i].done = true
	for w.head < len(w.started) && w.started[w.head].done {
		w.next = w.started[w.head].offset + 1
		w.head++
	}
	if w.head > 1024 && w.head*2 > len(w.started) {
		w.started = slices.Delete(w.started, 0, w.head)
		w.head = 0
	}
}

// committable is the offset that may be committed: every record before it is
// durable. It never falls.
func (w *watermark) committable() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next
}
