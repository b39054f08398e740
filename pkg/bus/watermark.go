package bus

import (
	"slices"
	"sync"
	"time"
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
	offset  int64
	written int64 // time of the record, Unix milliseconds
	done    bool
}

// newWatermark starts at the offset that is to be read first.
func newWatermark(next int64) *watermark { return &watermark{next: next} }

// begin notes that work on r has started. Offsets must rise.
func (w *watermark) begin(r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, started{offset: r.Offset, written: r.Time.UnixMilli()})
}

// pass notes that what lies before next and has not begun is no record.
func (w *watermark) pass(next int64) {
	w.begin(Record{Offset: next - 1})
	w.finish(next - 1)
}

// oldest is when the first record that is not done was written; ok is false
// where all are done.
func (w *watermark) oldest() (written time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.head == len(w.started) {
		return time.Time{}, false
	}
	return time.UnixMilli(w.started[w.head].written), true
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
