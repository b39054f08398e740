package stack_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/test/stack"
)

// TestConsumer has pkg/bus meet what a real broker does: rebalances, crashes,
// silence. The parts share the broker and keep apart by topic and group.
func TestConsumer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s, err := stack.StartKafka(ctx, stack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("large", func(t *testing.T) { testLarge(t, s) })
	t.Run("offsets", func(t *testing.T) { testOffsets(t, s) })
	t.Run("rebalance", func(t *testing.T) { testRebalance(t, s) })
	t.Run("fencing", func(t *testing.T) { testFencing(t, s) })
	t.Run("bounce", func(t *testing.T) { testBounce(t, s) })
	t.Run("silence", func(t *testing.T) { testSilence(t, s) })
	t.Run("sigterm", func(t *testing.T) { testSigterm(t, s) })
}

// topic is a topic of one test, and a group that reads it.
type topic struct {
	t          *testing.T
	cluster    *bus.Cluster
	name       string
	partitions int
	written    int // values are the numbers below it

	mu      sync.Mutex
	handled map[int]int // by value: how often
	changed chan struct{}
}

func newTopic(t *testing.T, s *stack.Server, name string, partitions int) *topic {
	t.Helper()
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{s.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	// Dead letters have a topic, though none is expected.
	topics := []bus.Topic{{Name: name, MaxMessageBytes: 1 << 20, Retention: time.Hour}, {Name: bus.TopicDead, MaxMessageBytes: 1 << 20, Retention: time.Hour}}
	if err := c.CreateTopics(t.Context(), topics, partitions); err != nil {
		t.Fatal(err)
	}
	return &topic{t: t, cluster: c, name: name, partitions: partitions, handled: map[int]int{}, changed: make(chan struct{})}
}

// write writes the next n values, in turn to all partitions, trying again
// while the broker is away.
func (x *topic) write(n int) {
	x.t.Helper()
	p := bus.NewProducer(x.cluster, x.name)
	defer p.Close()
	var msgs []bus.Message
	for range n {
		part := x.written % x.partitions
		msgs = append(msgs, bus.Message{Partition: &part, Value: fmt.Append(nil, x.written)})
		x.written++
	}
	x.eventually("writing", func() bool { return p.Write(x.t.Context(), msgs...) == nil })
}

func (x *topic) note(value string) {
	n, err := strconv.Atoi(value)
	if err != nil {
		x.t.Errorf("value %q was never written", value)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.handled[n]++
	close(x.changed)
	x.changed = make(chan struct{})
}

func (x *topic) handle(_ context.Context, rs []bus.Record) error {
	for _, r := range rs {
		x.note(string(r.Value))
	}
	return nil
}

// waitAll waits until every value written has been handled.
func (x *topic) waitAll() {
	x.t.Helper()
	for deadline := time.After(2 * time.Minute); ; {
		x.mu.Lock()
		n, changed := len(x.handled), x.changed
		x.mu.Unlock()
		if n == x.written {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			x.t.Fatalf("%d of %d values were handled", n, x.written)
		}
	}
}

// repeats counts the values that were handled more than once.
func (x *topic) repeats() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, times := range x.handled {
		if times > 1 {
			n++
		}
	}
	return n
}

func (x *topic) eventually(what string, is func() bool) {
	x.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(2 * time.Minute); !is(); {
		select {
		case <-tick.C:
		case <-deadline:
			x.t.Fatalf("never came true: %s", what)
		}
	}
}

// start runs a member of the topic's group; stop gives Run's error.
func (x *topic) start(h bus.Handler, change func(*bus.ConsumerConfig)) (*bus.Consumer, func() error) {
	x.t.Helper()
	c, err := bus.NewConsumer(x.config(h, change))
	if err != nil {
		x.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	x.t.Cleanup(func() { _ = stop() }) // tests that end well have stopped it and seen the error
	return c, stop
}

func (x *topic) config(h bus.Handler, change func(*bus.ConsumerConfig)) bus.ConsumerConfig {
	cfg := bus.ConsumerConfig{
		Cluster: x.cluster, Group: x.name, Topic: x.name, Stage: "test", DeadLetters: bus.NewProducer(x.cluster, bus.TopicDead),
		Open: func(context.Context, int) (bus.Handler, error) { return h, nil },
	}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

// committed gives the group's offsets, asking again while the broker is busy.
func (x *topic) committed() (offsets map[int]int64) {
	x.t.Helper()
	x.eventually("asking for committed offsets", func() bool {
		var err error
		offsets, err = x.cluster.Committed(x.t.Context(), x.name, x.name)
		return err == nil
	})
	return offsets
}

// allCommitted tells whether the group has committed everything written.
func (x *topic) allCommitted() bool {
	var sum int
	for _, o := range x.committed() {
		sum += int(o)
	}
	return sum == x.written
}

func testOffsets(t *testing.T, s *stack.Server) {
	x := newTopic(t, s, "offsets", 2)
	x.write(10)
	last, ok, err := x.cluster.ReadOne(t.Context(), x.name, 1, 4)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, at := range []time.Time{time.Unix(0, 0), last.Time, last.Time.Add(time.Millisecond), last.Time.Add(time.Hour)} {
		offsets, err := x.cluster.OffsetsAt(t.Context(), x.name, at)
		if err != nil || len(offsets) != 2 {
			t.Fatalf("offsets at %v are %v, error %v", at, offsets, err)
		}
		for partition, o := range offsets {
			before, isBefore, err1 := x.cluster.ReadOne(t.Context(), x.name, partition, o-1)
			first, isFirst, err2 := x.cluster.ReadOne(t.Context(), x.name, partition, o)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if isBefore != (o > 0) || isBefore && !before.Time.Before(at) || isFirst != (o < 5) || isFirst && first.Time.Before(at) {
				t.Errorf("partition %d at %v: offset %d lies between records of %v and %v", partition, at, o, before.Time, first.Time)
			}
		}
	}
	var mu sync.Mutex
	var values []string
	h := func(_ context.Context, rs []bus.Record) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range rs {
			values = append(values, string(r.Value))
		}
		return nil
	}
	_, stop := x.start(h, func(cfg *bus.ConsumerConfig) {
		cfg.Start = func(_ context.Context, partition int) (int64, error) { return int64(3 + partition), nil }
	})
	x.eventually("everything committed from the start given", x.allCommitted)
	if err := x.cluster.DeleteGroup(t.Context(), x.name); err == nil {
		t.Error("a group with a member was deleted")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if len(values) != 3 {
		t.Errorf("handled %v, want 6, 8 and 9", values)
	}
	for range 2 {
		if err := x.cluster.DeleteGroup(t.Context(), x.name); err != nil {
			t.Error(err)
		}
	}
	if got := x.committed(); len(got) != 0 {
		t.Errorf("committed %v after the group was deleted", got)
	}
}

// testBounce kills the broker, starts it again a second later, and measures
// how long it takes until new records are handled.
func testBounce(t *testing.T, s *stack.Server) {
	x, reg := newTopic(t, s, "bounce", 3), prometheus.NewRegistry()
	x.write(300)
	c, stop := x.start(x.handle, func(cfg *bus.ConsumerConfig) { cfg.Metrics = bus.NewMetrics(reg) })
	x.waitAll()
	x.eventually("everything committed", x.allCommitted)
	s.Kill()
	killed := time.Now()
	x.eventually("not ready without a broker", func() bool { return c.Ready() != nil })
	t.Logf("without the broker: %v", c.Ready())
	time.Sleep(time.Until(killed.Add(time.Second))) // the length of the outage, not a wait for something
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	ready := time.Now()
	x.write(3)
	x.waitAll()
	handled := time.Now()
	x.eventually("everything committed", x.allCommitted)
	x.eventually("ready again", func() bool { return c.Ready() == nil })
	t.Logf("new records were handled %v after the broker was ready again, which took it %v; %v after its end",
		handled.Sub(ready).Round(time.Millisecond), s.Took.Round(time.Millisecond), handled.Sub(killed).Round(time.Millisecond))
	if d := handled.Sub(ready); d > time.Minute {
		t.Errorf("recovery took %v", d)
	}
	x.eventually("no lag", func() bool { return lag(t, reg) == 0 })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// lag sums the lag of all partitions; -1 where it is not known.
func lag(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := -1.0
	for _, f := range families {
		if f.GetName() != "marsad_consumer_lag_offsets" {
			continue
		}
		sum = 0
		for _, m := range f.GetMetric() {
			sum += m.GetGauge().GetValue()
		}
	}
	return sum
}

// testSilence stops the broker's process, so that it takes connections but
// does not answer: fetching goes on after it, and an end in between names what
// is not committed.
func testSilence(t *testing.T, s *stack.Server) {
	x := newTopic(t, s, "silence", 2)
	x.write(2)
	_, stop := x.start(x.handle, func(cfg *bus.ConsumerConfig) { cfg.CommitInterval = time.Hour })
	x.waitAll()
	s.Pause()
	defer s.Resume()
	began := time.Now()
	err := stop()
	t.Logf("with Kafka silent the consumer ended after %v: %v", time.Since(began).Round(time.Millisecond), err)
	if err == nil {
		t.Error("the end is orderly although nothing could be committed")
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("the end took %v", d)
	}
	c, stop := x.start(x.handle, nil) // whose first calls are not answered
	x.eventually("not ready", func() bool { return c.Ready() != nil })
	s.Resume()
	x.write(2)
	x.waitAll()
	x.eventually("everything committed", x.allCommitted)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := x.repeats(); n > 2 { // none where the broker carried out the commit once it went on
		t.Errorf("%d records were repeated, of 2 that were not committed", n)
	}
}

// testLarge has one partition hold batches larger than a fetch while the others
// always have small ones: a broker gives such a batch only to the first
// partition of a request that has any.
func testLarge(t *testing.T, s *stack.Server) {
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{s.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.CreateTopics(t.Context(), []bus.Topic{{Name: bus.TopicEnriched, MaxMessageBytes: 16 << 20, Retention: time.Hour}}, 6); err != nil {
		t.Fatal(err)
	}
	p := bus.NewProducer(c, bus.TopicEnriched)
	defer p.Close()
	noise := rand.NewChaCha8([32]byte{1})
	write := func(partition, size int) {
		value := make([]byte, size)
		_, _ = noise.Read(value)
		if err := p.Write(t.Context(), bus.Message{Partition: &partition, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	const large = 20
	for i := range large {
		write(3, 3<<20)
		for range 50 {
			write([]int{0, 1, 2, 4, 5}[i%5], 60<<10)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var read atomic.Int32
	done := errors.New("all were read")
	first, _, err := c.Offsets(ctx, bus.TopicEnriched)
	if err != nil {
		t.Fatal(err)
	}
	err = bus.NewFeed(c, bus.TopicEnriched).Follow(ctx, first, func(bus.Record) error {
		if read.Add(1) == large*51 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Errorf("%d of %d records were read: %v", read.Load(), large*51, err)
	}
}
