package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
)

// seen collects the values that a handler has finished.
type seen struct {
	mu     sync.Mutex
	counts map[string]int
	notify chan struct{}
}

func newSeen() *seen { return &seen{counts: map[string]int{}, notify: make(chan struct{}, 1)} }

func (s *seen) add(rs ...bus.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rs {
		s.counts[string(r.Value)]++
	}
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

func (s *seen) wait(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		got := len(s.counts)
		s.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-s.notify:
		case <-deadline:
			t.Fatalf("saw %d distinct records, want %d", got, n)
		}
	}
}

// start runs a consumer and returns a function that stops it and gives Run's error.
func start(t *testing.T, c *bus.Cluster, h bus.Handler, change func(*bus.ConsumerConfig)) (*bus.Consumer, func() error) {
	t.Helper()
	dead := bus.NewProducer(c, bus.TopicDead)
	t.Cleanup(func() { dead.Close() })
	cfg := bus.ConsumerConfig{
		Cluster: c, Group: "g", Topic: bus.TopicRaw, Stage: "test", DeadLetters: dead,
		Open: func(context.Context, int) (bus.Handler, error) { return h, nil },
	}
	if change != nil {
		change(&cfg)
	}
	consumer, err := bus.NewConsumer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { stop() })
	return consumer, stop
}

func write(t *testing.T, c *bus.Cluster, from, to int) {
	t.Helper()
	p := bus.NewProducer(c, bus.TopicRaw)
	defer p.Close()
	var msgs []bus.Message
	for i := from; i < to; i++ {
		msgs = append(msgs, bus.Message{Key: fmt.Append(nil, i), Value: fmt.Append(nil, i),
			Headers: []bus.Header{{Key: "h", Value: fmt.Append(nil, i)}}})
	}
	if err := p.Write(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

func deadLetters(t *testing.T, c *bus.Cluster) []bus.Record {
	t.Helper()
	var out []bus.Record
	first, _, err := c.Offsets(t.Context(), bus.TopicDead)
	if err != nil {
		t.Fatal(err)
	}
	for p := range first {
		if _, err := c.ReadAll(t.Context(), bus.TopicDead, p, func(r bus.Record) error { out = append(out, r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestConsumerResumesWhereItCommitted(t *testing.T) {
	c := bustest.New(t, 3)
	s := newSeen()
	h := func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }
	write(t, c, 0, 500)
	_, stop := start(t, c, h, nil)
	s.wait(t, 500)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	committed, err := c.Committed(t.Context(), "g", bus.TopicRaw)
	if err != nil {
		t.Fatal(err)
	}
	_, next, err := c.Offsets(t.Context(), bus.TopicRaw)
	if err != nil {
		t.Fatal(err)
	}
	for p, n := range next {
		if committed[p] != n {
			t.Errorf("partition %d: committed %d, want %d", p, committed[p], n)
		}
	}
	write(t, c, 500, 700)
	_, stop = start(t, c, h, nil)
	s.wait(t, 700)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for v, n := range s.counts {
		if n != 1 {
			t.Errorf("record %s came %d times after an orderly restart", v, n)
		}
	}
}

func TestConsumerSortsFailures(t *testing.T) {
	c := bustest.New(t, 1)
	write(t, c, 0, 20)
	s := newSeen()
	var mu sync.Mutex
	tries := map[string]int{}
	h := func(_ context.Context, rs []bus.Record) error {
		mu.Lock()
		defer mu.Unlock()
		var failed []bus.RecordError
		for i, r := range rs {
			v := string(r.Value)
			tries[v]++
			switch {
			case v == "3":
				failed = append(failed, bus.RecordError{Index: i, Err: errors.New("broken"), Do: bus.Reject})
			case v == "5":
				failed = append(failed, bus.RecordError{Index: i, Err: errors.New("odd"), Do: bus.Doubt})
			case v == "7" && tries[v] < 4:
				failed = append(failed, bus.RecordError{Index: i, Err: errors.New("busy"), Do: bus.Retry})
			case v == "11":
				panic("eleven")
			default:
				s.add(r)
			}
		}
		if failed != nil {
			return &bus.BatchError{Records: failed}
		}
		return nil
	}
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) { cfg.MaxAttempts = 3 })
	s.wait(t, 17)
	waitCommitted(t, c, 20)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"3": "broken", "5": "odd", "11": "panic: eleven"}
	for _, r := range deadLetters(t, c) {
		v := string(r.Value)
		if got := r.Header(bus.DeadReason); got != want[v] || got == "" {
			t.Errorf("dead letter %s: reason %q, want %q", v, got, want[v])
		}
		if string(r.Key) != v || r.Header("h") != v || r.Header(bus.DeadOffset) != v || r.Header(bus.DeadTopic) != bus.TopicRaw {
			t.Errorf("dead letter %s lost its context: %+v", v, r.Headers)
		}
		m, topic, ok := bus.Revive(r)
		if !ok || topic != bus.TopicRaw || len(m.Headers) != 1 {
			t.Errorf("dead letter %s does not revive: %v %q %v", v, ok, topic, m.Headers)
		}
		delete(want, v)
	}
	if len(want) > 0 {
		t.Errorf("not dead-lettered: %v", want)
	}
}

func waitCommitted(t *testing.T, c *bus.Cluster, n int64) {
	t.Helper()
	for ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second); ; {
		got, err := c.Committed(ctx, "g", bus.TopicRaw)
		if err != nil {
			t.Fatal(err)
		}
		if got[0] == n {
			cancel()
			return
		}
		if got[0] > n {
			t.Fatalf("committed %d, past %d", got[0], n)
		}
	}
}

// An outage stops the partition without skipping anything, and shows in Ready.
func TestConsumerOutage(t *testing.T) {
	c := bustest.New(t, 1)
	write(t, c, 0, 3)
	s, failed := newSeen(), make(chan struct{}, 100)
	var mu sync.Mutex
	broken := true
	h := func(_ context.Context, rs []bus.Record) error {
		mu.Lock()
		defer mu.Unlock()
		if broken {
			failed <- struct{}{}
			return &bus.OutageError{Err: errors.New("no permission")}
		}
		s.add(rs...)
		return nil
	}
	consumer, stop := start(t, c, h, nil)
	<-failed
	<-failed // Ready is set between two attempts
	if err := consumer.Ready(); err == nil || !strings.Contains(err.Error(), "no permission") {
		t.Errorf("Ready = %v, want the outage", err)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	s.wait(t, 3)
	waitCommitted(t, c, 3)
	if err := consumer.Ready(); err != nil {
		t.Errorf("Ready after the outage = %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := deadLetters(t, c); len(got) != 0 {
		t.Errorf("%d records were dead-lettered in an outage", len(got))
	}
}

// Members come and go; every record is processed, and none is committed that
// was not.
func TestConsumerRebalance(t *testing.T) {
	c := bustest.New(t, 6)
	s := newSeen()
	h := func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }
	few := func(cfg *bus.ConsumerConfig) { cfg.BatchRecords = 7; cfg.Concurrency = 3 }
	_, stop1 := start(t, c, h, few)
	write(t, c, 0, 300)
	_, stop2 := start(t, c, h, few)
	write(t, c, 300, 600)
	s.wait(t, 600)
	stop1()
	write(t, c, 600, 900)
	s.wait(t, 900)
	if err := stop2(); err != nil {
		t.Fatal(err)
	}
}

// Work that does not end in time is left uncommitted, and Run does not hang.
func TestConsumerDrainTimeout(t *testing.T) {
	c := bustest.New(t, 1)
	write(t, c, 0, 1)
	entered := make(chan struct{})
	h := func(ctx context.Context, _ []bus.Record) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) { cfg.DrainTimeout = 50 * time.Millisecond })
	<-entered
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Committed(t.Context(), "g", bus.TopicRaw)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != 0 {
		t.Errorf("committed %d although nothing was done", got[0])
	}
}

// Records larger than the whole budget still pass, one at a time.
func TestConsumerBudgetSmallerThanRecord(t *testing.T) {
	c := bustest.New(t, 2)
	p := bus.NewProducer(c, bus.TopicRaw)
	defer p.Close()
	for i := range 8 {
		v := strings.Repeat("x", 2000) + fmt.Sprint(i)
		if err := p.Write(t.Context(), bus.Message{Key: []byte(v), Value: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
	s := newSeen()
	_, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil },
		func(cfg *bus.ConsumerConfig) { cfg.MaxInFlight = 500; cfg.BatchAge = time.Millisecond })
	s.wait(t, 8)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// With nothing to read the handler still gets its ticks.
func TestConsumerTick(t *testing.T) {
	c := bustest.New(t, 1)
	ticked := make(chan struct{}, 1)
	h := func(_ context.Context, rs []bus.Record) error {
		if len(rs) == 0 {
			select {
			case ticked <- struct{}{}:
			default:
			}
		}
		return nil
	}
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) { cfg.Tick = time.Millisecond })
	<-ticked
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestFollowAndExplicitPartition(t *testing.T) {
	c := bustest.New(t, 3)
	p := bus.NewProducer(c, bus.TopicClean)
	defer p.Close()
	for i := range 9 {
		part := i % 3
		if err := p.Write(t.Context(), bus.Message{Partition: &part, Key: []byte("same"), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	got := map[int][]string{}
	n := 0
	stop := errors.New("stop")
	err := bus.NewFeed(c, bus.TopicClean).Follow(t.Context(), map[int]int64{0: 1, 1: 0, 2: 2}, func(r bus.Record) error {
		mu.Lock()
		defer mu.Unlock()
		got[r.Partition] = append(got[r.Partition], string(r.Value))
		if n++; n == 6 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if want := "map[0:[3 6] 1:[1 4 7] 2:[8]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	r, ok, err := c.ReadOne(t.Context(), bus.TopicClean, 1, 1)
	if err != nil || !ok || string(r.Value) != "4" {
		t.Errorf("ReadOne = %q %v %v", r.Value, ok, err)
	}
}
