package broker_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/broker"
	"github.com/marsad-news/marsad/pkg/bus"
	"go.uber.org/zap"
)

func open(t *testing.T, dir string) (*bus.Cluster, func()) {
	t.Helper()
	b, err := broker.Start(dir, 0, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.CreateTopics(ctx, bus.Topics(), 1); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { c.Close(); b.Close() })
	t.Cleanup(end)
	return c, end
}

func write(t *testing.T, c *bus.Cluster, from, to int) {
	t.Helper()
	p := bus.NewProducer(c, bus.TopicRaw)
	defer p.Close()
	for i := from; i < to; i++ {
		if err := p.Write(t.Context(), bus.Message{Key: []byte("k"), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// consume runs a consumer until it has committed n records.
func consume(t *testing.T, c *bus.Cluster, n int64) []string {
	t.Helper()
	dead := bus.NewProducer(c, bus.TopicDead)
	defer dead.Close()
	var mu sync.Mutex
	var got []string
	consumer, err := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: c, Group: "g", Topic: bus.TopicRaw, Stage: "test", DeadLetters: dead, CommitInterval: 10 * time.Millisecond,
		Open: func(context.Context, int) (bus.Handler, error) {
			return func(_ context.Context, rs []bus.Record) error {
				mu.Lock()
				defer mu.Unlock()
				for _, r := range rs {
					got = append(got, string(r.Value))
				}
				return nil
			}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- consumer.Run(ctx) }()
	limit, stopLimit := context.WithTimeout(t.Context(), 20*time.Second)
	defer stopLimit()
	for {
		done, err := c.Committed(limit, "g", bus.TopicRaw)
		if err != nil {
			t.Fatal(err)
		}
		if done[0] >= n {
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return got
}

// What was acknowledged and committed is there after an orderly end, and after
// a crash: a copy of the running broker's folder stands for that.
func TestSurvivesRestartAndCrash(t *testing.T) {
	dir := t.TempDir()
	c, end := open(t, dir)
	write(t, c, 0, 50)
	consume(t, c, 50)
	end()

	c, _ = open(t, dir)
	write(t, c, 50, 80)
	if got := consume(t, c, 80); len(got) != 30 || got[0] != "50" {
		t.Fatalf("after the restart: %d records, the first %q", len(got), got[0])
	}
	write(t, c, 80, 100)
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	c, _ = open(t, crashed)
	if got := consume(t, c, 100); len(got) != 20 || got[0] != "80" {
		t.Fatalf("after the crash: %d records, the first %q", len(got), got[0])
	}
}
