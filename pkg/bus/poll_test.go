package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// asked gives the partitions that a fetch asks for.
func asked(req kmsg.Request) (partitions []int32) {
	for _, t := range req.(*kmsg.FetchRequest).Topics {
		for _, p := range t.Partitions {
			partitions = append(partitions, p.Partition)
		}
	}
	return partitions
}

// follow reads what comes to articles.clean from its beginning.
func follow(t *testing.T, c *bus.Cluster) *seen {
	t.Helper()
	s := newSeen()
	first, _, err := c.Offsets(t.Context(), bus.TopicClean)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- bus.NewFeed(c, bus.TopicClean).Follow(ctx, first, func(r bus.Record) error { s.add(r); return nil })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return s
}

// each writes one record to each partition.
func each(t *testing.T, c *bus.Cluster, partitions int, value string) {
	t.Helper()
	p := bus.NewProducer(c, bus.TopicClean)
	var msgs []bus.Message
	for i := range partitions {
		msgs = append(msgs, to(i, fmt.Sprint(value, i)))
	}
	if err := p.Write(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

// All partitions are fetched from by one request, and one that brings nothing
// does not hold up the others.
func TestPollsShareRequests(t *testing.T) {
	c, broker := bustest.NewBroker(t, 4)
	all := make(chan struct{}, 1)
	broker.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		if len(asked(req)) == 4 {
			select {
			case all <- struct{}{}:
			default:
			}
		}
		return nil, nil, false
	})
	s := follow(t, c)
	each(t, c, 4, "a")
	s.wait(t, 4)
	<-all
	each(t, c, 1, "b")
	s.wait(t, 5)
}

// What spoils a request for many partitions is found to be one partition's:
// the others are read.
func TestPollSpoiltByOnePartition(t *testing.T) {
	c, broker := bustest.NewBroker(t, 4)
	spoilt := errors.New("spoilt")
	broker.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		for _, p := range asked(req) {
			if p == 2 {
				return nil, spoilt, true
			}
		}
		return nil, nil, false
	})
	s := follow(t, c)
	each(t, c, 4, "a")
	s.wait(t, 3)
	each(t, c, 2, "b")
	s.wait(t, 5)
	for _, v := range []string{"a0", "a1", "a3", "b0", "b1"} {
		s.mu.Lock()
		if n := s.counts[v]; n != 1 {
			t.Errorf("%s was read %d times", v, n)
		}
		s.mu.Unlock()
	}
}

// Each leader is asked for its own partitions, also after they have moved.
func TestPollManyBrokers(t *testing.T) {
	c, broker := bustest.NewBrokers(t, 3, 6)
	each(t, c, 6, "a")
	s := follow(t, c)
	s.wait(t, 6)
	if err := broker.MoveTopicPartition(bus.TopicClean, 3, (broker.LeaderFor(bus.TopicClean, 3)+1)%3); err != nil {
		t.Fatal(err)
	}
	w, err := bus.NewCluster(bus.ClusterConfig{Brokers: broker.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	each(t, w, 6, "b")
	s.wait(t, 12)
}
