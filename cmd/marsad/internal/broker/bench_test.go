package broker_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/marsad-news/marsad/cmd/marsad/internal/broker"
	"github.com/marsad-news/marsad/pkg/bus"
	"go.uber.org/zap"
)

// BenchmarkWrite writes batches of 100 records of 4 KB, synced to disk.
func BenchmarkWrite(b *testing.B) {
	br, err := broker.Start(b.TempDir(), 0, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	defer br.Close()
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{br.Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.CreateTopics(b.Context(), bus.Topics(), 1); err != nil {
		b.Fatal(err)
	}
	p := bus.NewProducer(c, bus.TopicRaw)
	defer p.Close()
	msgs := make([]bus.Message, 100)
	for i := range msgs {
		msgs[i] = bus.Message{Key: fmt.Append(nil, i), Value: bytes.Repeat(fmt.Append(nil, i, " "), 1200)}
	}
	for b.Loop() {
		if err := p.Write(b.Context(), msgs...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(msgs))/b.Elapsed().Seconds(), "records/s")
}
