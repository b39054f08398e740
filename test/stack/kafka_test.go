package stack_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/marsad-news/marsad/test/stack"
)

// TestKafka writes a record, kills the broker and reads the record from the
// next start on the same folder and port.
func TestKafka(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	s, err := stack.StartKafka(ctx, stack.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Kafka was ready after %v", s.Took.Round(time.Millisecond))
	client := &kafka.Client{Addr: kafka.TCP(s.Addr)}
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: "t", NumPartitions: 1, ReplicationFactor: 1}},
	})
	if err = errors.Join(err, created.Errors["t"]); err != nil {
		t.Fatal(err)
	}
	w := &kafka.Writer{Addr: kafka.TCP(s.Addr), Topic: "t", RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	if err := errors.Join(w.WriteMessages(ctx, kafka.Message{Value: []byte("مرحبا")}), w.Close()); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err = s.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{s.Addr}, Topic: "t", MaxWait: 200 * time.Millisecond})
	m, err := r.FetchMessage(ctx)
	if err != nil || string(m.Value) != "مرحبا" {
		t.Errorf("read %q, error %v", m.Value, err)
	}
	if err := errors.Join(r.Close(), s.Stop()); err != nil {
		t.Error(err)
	}
}

func TestNoJava(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := stack.StartKafka(t.Context(), stack.Options{Cache: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "apt-get install openjdk-17-jdk-headless") {
		t.Errorf("error is %v, want one that names the package", err)
	}
}

func TestNotReady(t *testing.T) {
	_, err := stack.StartKafka(t.Context(), stack.Options{Heap: "1m", Dir: t.TempDir()})
	if err == nil {
		t.Fatal("Kafka runs in 1 MB")
	}
	_, log, found := strings.Cut(err.Error(), "its output is in ")
	if _, statErr := os.Stat(log); !found || statErr != nil {
		t.Errorf("error %v does not name the log: %v", err, statErr)
	}
}
