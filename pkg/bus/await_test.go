package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/marsad-news/marsad/pkg/bus"
)

// TestConsumerBeforeItsTopic starts a consumer first and creates its topic
// later, as happens where services and topics are deployed at once.
func TestConsumerBeforeItsTopic(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: broker.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	core, logs := observer.New(zap.WarnLevel)
	s := newSeen()
	consumer, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil },
		func(cfg *bus.ConsumerConfig) { cfg.Log = zap.New(core) })

	deadline := time.Now().Add(30 * time.Second)
	for logs.FilterMessageSnippet("waiting for the topic").Len() == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the consumer does not say that its topic is missing")
		}
		time.Sleep(time.Millisecond)
	}
	if consumer.Ready() == nil {
		t.Error("the consumer is ready without a topic")
	}
	if err := c.CreateTopics(t.Context(), bus.Topics(), 3); err != nil {
		t.Fatal(err)
	}
	write(t, c, 0, 10)
	s.wait(t, 10)
	if err := consumer.Ready(); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
