// Package bustest gives tests a Kafka broker in their own process (kfake),
// which speaks the real protocol.
package bustest

import (
	"context"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// New starts a broker with all topics of bus.Topics, each with the given
// number of partitions, and returns a connection to it. Both end with the test.
func New(t testing.TB, partitions int) *bus.Cluster {
	t.Helper()
	c, _ := NewBroker(t, partitions)
	return c
}

// NewBroker is New for tests that also inject faults into the broker.
func NewBroker(t testing.TB, partitions int) (*bus.Cluster, *kfake.Cluster) {
	t.Helper()
	return NewBrokers(t, 1, partitions)
}

// NewBrokers is NewBroker with several brokers, among which the partitions are
// spread.
func NewBrokers(t testing.TB, brokers, partitions int) (*bus.Cluster, *kfake.Cluster) {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: broker.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.CreateTopics(ctx, bus.Topics(), partitions); err != nil {
		t.Fatal(err)
	}
	return c, broker
}

// BlackHole has the broker answer nothing from now on; it goes on to take
// connections and requests.
func BlackHole(broker *kfake.Cluster) {
	broker.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		return nil, nil, true
	})
}
