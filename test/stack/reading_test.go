package stack_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/marsad-news/marsad/pkg/bus"
)

func connect(t *testing.T, s bus.Settings) *bus.Cluster {
	t.Helper()
	c, err := bus.Open(s, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// createTopic makes a topic of one partition, named by the test if not told.
func createTopic(t *testing.T, c *bus.Cluster, name ...string) string {
	t.Helper()
	name = append(name, strings.NewReplacer("/", ".", ",", "", " ", "-").Replace(t.Name()))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.CreateTopics(ctx, []bus.Topic{{Name: name[0], Partitions: 1, Retention: time.Hour, MaxMessageBytes: 1 << 20}}, 0); err != nil {
		t.Fatal(err)
	}
	return name[0]
}

func produce(t *testing.T, c *bus.Cluster, topic string, values ...string) {
	t.Helper()
	p := bus.NewProducer(c, topic)
	defer p.Close()
	var msgs []bus.Message
	for _, v := range values {
		msgs = append(msgs, bus.Message{Value: []byte(v)})
	}
	if err := p.Write(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

// content reads a topic's values by the plain listener.
func content(t *testing.T, k *secureKafka, topic string) []string {
	t.Helper()
	var values []string
	_, err := connect(t, k.plain()).ReadAll(t.Context(), topic, 0, func(r bus.Record) error {
		values = append(values, string(r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func committed(t *testing.T, k *secureKafka, topic string) int64 {
	t.Helper()
	offsets, err := connect(t, k.plain()).Committed(t.Context(), topic, topic)
	if err != nil {
		t.Fatal(err)
	}
	return offsets[0]
}

// reading is a consumer at work, in a group of the topic's name.
type reading struct {
	consumer *bus.Consumer
	cluster  *bus.Cluster
	topic    string
	mu       sync.Mutex
	seen     map[string]int
}

// consume runs a consumer until the test ends, and then looks for the password
// in all that it logged.
func consume(t *testing.T, c *bus.Cluster, topic string, change func(*bus.ConsumerConfig)) *reading {
	t.Helper()
	dead := bus.NewProducer(c, bus.TopicDead)
	core, logs := observer.New(zap.DebugLevel)
	r := &reading{cluster: c, topic: topic, seen: map[string]int{}}
	cfg := bus.ConsumerConfig{
		Cluster: c, Group: topic, Topic: topic, Stage: "test", DeadLetters: dead, Log: zap.New(core),
		Open: func(context.Context, int) (bus.Handler, error) { return r.handle, nil },
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.consumer, err = bus.NewConsumer(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.consumer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, dead.Close()); err != nil {
			t.Errorf("consumer: %v", err)
		}
		for _, e := range logs.All() {
			keepsSecret(t, e.Message+fmt.Sprint(e.ContextMap()))
			if t.Failed() {
				t.Log(e.Level, e.Message, e.ContextMap())
			}
		}
	})
	return r
}

func (r *reading) handle(_ context.Context, rs []bus.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range rs {
		r.seen[string(x.Value)]++
	}
	return nil
}

// waitFor waits until each value was handled, and fails if one was twice.
func (r *reading) waitFor(t *testing.T, values ...string) {
	t.Helper()
	want := map[string]int{}
	for _, v := range values {
		want[v] = 1
	}
	poll(t, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !maps.Equal(want, r.seen) {
			return fmt.Errorf("handled %v, want %v; ready: %w", r.seen, want, r.consumer.Ready())
		}
		return nil
	})
}

func (r *reading) waitCommitted(t *testing.T, offset int64) {
	t.Helper()
	poll(t, func() error {
		got, err := r.cluster.Committed(t.Context(), r.topic, r.topic)
		if err == nil && got[0] != offset {
			err = fmt.Errorf("committed %d, want %d; ready: %w", got[0], offset, r.consumer.Ready())
		}
		return err
	})
}

// waitUnready waits until the consumer says that it is not ready, and why.
func (r *reading) waitUnready(t *testing.T, want string) {
	t.Helper()
	poll(t, func() error {
		err := r.consumer.Ready()
		keepsSecret(t, fmt.Sprint(err))
		if err == nil || !strings.Contains(err.Error(), want) {
			return fmt.Errorf("Ready gives an error %w, want one with %q", err, want)
		}
		return nil
	})
}

// poll calls f until it gives no error, and fails the test after a minute.
func poll(t *testing.T, f func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func keepsSecret(t *testing.T, s string) {
	t.Helper()
	if strings.Contains(s, password) {
		t.Errorf("the password is in %q", s)
	}
}
