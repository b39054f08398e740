package elastic

import (
	"testing"
	"time"
)

func TestLimitAdapts(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	l := newLimit(8)
	if l.allowed() != 2 {
		t.Fatalf("starts at %d", l.allowed())
	}
	for range 100 {
		l.passed()
	}
	if l.allowed() != 8 {
		t.Errorf("rises to %d, want its most", l.allowed())
	}
	for range 8 { // eight requests that began together fail together
		l.congested(at(10), at(11))
	}
	if l.allowed() != 4 {
		t.Errorf("is %d after one congestion, want half", l.allowed())
	}
	l.congested(at(12), at(13))
	l.congested(at(14), at(15))
	l.congested(at(16), at(17))
	if l.allowed() != 1 {
		t.Errorf("is %d, want never less than 1", l.allowed())
	}
	l.passed()
	if l.allowed() != 2 {
		t.Errorf("is %d after one success at 1, want 2", l.allowed())
	}
	if l := newLimit(1); l.allowed() != 1 {
		t.Errorf("a limit of 1 starts at %d", l.allowed())
	}
}
