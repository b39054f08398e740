package bus

import (
	"testing"

	"pgregory.net/rapid"
)

// The committed offset never moves back nor passes unfinished work, whatever
// the order in which work ends and however offsets have gaps.
func TestWatermarkProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(0, 1<<40).Draw(t, "first")
		w := newWatermark(first)
		offset, last := first, first
		var open []int64
		steps := rapid.IntRange(1, 3000).Draw(t, "steps")
		for range steps {
			if len(open) == 0 || rapid.Bool().Draw(t, "begin") {
				offset += rapid.Int64Range(0, 3).Draw(t, "gap")
				w.begin(Record{Offset: offset})
				open = append(open, offset)
				offset++
			} else {
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				w.finish(open[i])
				open = append(open[:i], open[i+1:]...)
			}
			got := w.committable()
			if got < last {
				t.Fatalf("moved back from %d to %d", last, got)
			}
			last = got
			for _, o := range open {
				if got > o {
					t.Fatalf("committable %d passes unfinished %d", got, o)
				}
			}
			if len(open) == 0 && offset > first && got != offset {
				t.Fatalf("all done up to %d, committable is %d", offset, got)
			}
		}
	})
}

func TestWatermarkIgnoresUnknownOffset(t *testing.T) {
	w := newWatermark(10)
	w.begin(Record{Offset: 10})
	w.finish(99)
	w.finish(9)
	if got := w.committable(); got != 10 {
		t.Fatalf("committable = %d, want 10", got)
	}
	w.finish(10)
	w.finish(10)
	if got := w.committable(); got != 11 {
		t.Fatalf("committable = %d, want 11", got)
	}
}
