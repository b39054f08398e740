package bus_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metric sums the series of a metric; ok is false where there are none.
func metric(t *testing.T, reg *prometheus.Registry, name string) (sum float64, ok bool) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
				ok = true
			}
		}
	}
	return sum, ok
}

// eventually waits for what is true sooner or later.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); !is(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// hold has the broker take the next request of a kind and never answer it.
func hold(broker *kfake.Cluster, key kmsg.Key) {
	broker.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) { return nil, nil, true })
}

// A fetch that is never answered ends by its time limit, and fetching goes on.
func TestFetchHeld(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 5)
	hold(broker, kmsg.Fetch)
	s := newSeen()
	_, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }, nil)
	s.wait(t, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// A partition that brings nothing although it has more is noticed, and fetched
// anew well before the time limit of the fetch that hangs.
func TestStalledPartition(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 5)
	hold(broker, kmsg.Fetch)
	s, reg := newSeen(), prometheus.NewRegistry()
	_, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil },
		func(cfg *bus.ConsumerConfig) {
			cfg.StallTimeout = 200 * time.Millisecond
			cfg.Metrics = bus.NewMetrics(reg)
		})
	s.wait(t, 5)
	if n, _ := metric(t, reg, "marsad_consumer_stalls_total"); n < 1 {
		t.Errorf("stalls = %v, want the one that was", n)
	}
	waitCommitted(t, c, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for v, n := range s.counts {
		if n != 1 {
			t.Errorf("record %s came %d times", v, n)
		}
	}
}

// Lag is measured also while the stage is paused and nothing is fetched; that
// is no stall. What is fetched meanwhile is bounded.
func TestLagInOutage(t *testing.T) {
	c, broker := bustest.NewBroker(t, 3)
	write(t, c, 0, 300)
	var fetches atomic.Int32
	broker.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		fetches.Add(1)
		return nil, nil, false
	})
	var broken atomic.Bool
	broken.Store(true)
	s, reg := newSeen(), prometheus.NewRegistry()
	h := func(_ context.Context, rs []bus.Record) error {
		if broken.Load() {
			return &bus.OutageError{Err: errors.New("no permission")}
		}
		s.add(rs...)
		return nil
	}
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) {
		cfg.MaxInFlight, cfg.BatchRecords = 1000, 5
		cfg.StallTimeout = 200 * time.Millisecond
		cfg.Metrics = bus.NewMetrics(reg)
	})
	lag := func(want float64) func() bool {
		return func() bool {
			got, ok := metric(t, reg, "marsad_consumer_lag_offsets")
			return ok && got == want
		}
	}
	eventually(t, "lag of 300", lag(300))
	write(t, c, 300, 350)
	eventually(t, "lag of 350", lag(350))
	eventually(t, "age of the oldest record", func() bool {
		age, _ := metric(t, reg, "marsad_consumer_lag_seconds")
		return age > 0.5 // twice the stall time-out and more
	})
	if n, _ := metric(t, reg, "marsad_consumer_stalls_total"); n != 0 {
		t.Errorf("%v stalls in an outage", n)
	}
	if n := fetches.Load(); n > 3 {
		t.Errorf("%d fetches in an outage, want one a partition", n)
	}
	broken.Store(false)
	s.wait(t, 350)
	eventually(t, "no lag", lag(0))
	if age, _ := metric(t, reg, "marsad_consumer_lag_seconds"); age != 0 {
		t.Errorf("age %v without lag", age)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, ok := metric(t, reg, "marsad_consumer_lag_offsets"); ok {
		t.Error("lag of partitions that were given up is still shown")
	}
}

// A handler that does not return shows in Ready, and is waited for.
func TestHandlerBusy(t *testing.T) {
	c := bustest.New(t, 1)
	write(t, c, 0, 2)
	release, s := make(chan struct{}), newSeen()
	h := func(_ context.Context, rs []bus.Record) error { <-release; s.add(rs...); return nil }
	consumer, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) { cfg.StallTimeout = 50 * time.Millisecond })
	eventually(t, "not ready because the handler is busy", func() bool {
		err := consumer.Ready()
		return err != nil && strings.Contains(err.Error(), "handler busy")
	})
	close(release)
	s.wait(t, 2)
	eventually(t, "ready", func() bool { return consumer.Ready() == nil })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for v, n := range s.counts {
		if n != 1 {
			t.Errorf("record %s came %d times", v, n)
		}
	}
}
