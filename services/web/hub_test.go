package web

import (
	"context"
	"testing"

	"go.uber.org/zap"
)

// racing is a feed that brings a record, which the hub takes in, while its
// offsets are being told.
type racing struct {
	*feed
	before, after func()
}

func (f *racing) Offsets(ctx context.Context) (first, next map[int]int64, err error) {
	f.before()
	first, next, err = f.feed.Offsets(ctx)
	f.after()
	return first, next, err
}

// Records that arrive while the topic's ends are asked for are no reason to
// begin anew; lost records and new partitions are.
func TestHubLooksWhileRecordsArrive(t *testing.T) {
	f := &racing{feed: newFeed(2), before: func() {}, after: func() {}}
	h := newHub(Config{RingEvents: 10, RingBytes: 1 << 20}, Deps{Feed: f, Log: zap.NewNop(), Now: clock})
	first, next, err := f.Offsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.begin(first, next)
	arrive := func() {
		f.add(0, news("a"))
		f.mu.Lock()
		rs := f.records[0]
		f.mu.Unlock()
		if err := h.take(rs[len(rs)-1]); err != nil {
			t.Fatal(err)
		}
	}
	f.before, f.after = arrive, arrive
	if h.look(t.Context()) {
		t.Error("records that arrived are taken for a topic that has moved")
	}
	f.before, f.after = func() {}, func() {}
	lost, grown := f.records[0], f.records[1]
	f.records[0] = nil
	if !h.look(t.Context()) {
		t.Error("lost records are not noticed")
	}
	f.records[0], f.records[2] = lost, grown
	if !h.look(t.Context()) {
		t.Error("a new partition is not noticed")
	}
}
