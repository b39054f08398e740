package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Producer writes to one topic, with RequiredAcks all. Safe for concurrent
// use; concurrent writes share batches.
type Producer struct {
	topic string
	w     *kafka.Writer
}

// NewProducer returns a producer for the topic. It opens no connection.
func NewProducer(c *Cluster, topic string) *Producer {
	return &Producer{topic: topic, w: &kafka.Writer{
		Addr:            kafka.TCP(c.cfg.Brokers...),
		Topic:           topic,
		Transport:       c.transport,
		Balancer:        partitioner{},
		RequiredAcks:    kafka.RequireAll,
		BatchSize:       1000,
		BatchBytes:      int64(maxBytes(topic)) - 4<<10, // room for the batch's own header
		BatchTimeout:    2 * time.Millisecond,           // the library waits a second if not told otherwise
		MaxAttempts:     5,
		WriteBackoffMin: 50 * time.Millisecond,
		WriteBackoffMax: 500 * time.Millisecond,
		Compression:     kafka.Lz4,
	}}
}

// Write returns nil once all messages are on all in-sync replicas. After an
// error some of them may have been written: writing again repeats those.
// The topics of the messages are ignored.
func (p *Producer) Write(ctx context.Context, msgs ...Message) error {
	if len(msgs) == 0 {
		return nil
	}
	out := make([]kafka.Message, len(msgs))
	for i, m := range msgs {
		out[i] = kafka.Message{Key: m.Key, Value: m.Value, Headers: kafkaHeaders(m.Headers)}
		if m.Partition != nil {
			out[i].WriterData = *m.Partition
		}
	}
	if err := p.w.WriteMessages(ctx, out...); err != nil {
		return fmt.Errorf("writing to %s: %w", p.topic, explain(first(err)))
	}
	return nil
}

// first gives one error for the many of a batch, which are mostly the same and
// hide what they wrap.
func first(err error) error {
	var each kafka.WriteErrors
	if !errors.As(err, &each) {
		return err
	}
	for _, e := range each {
		if e != nil {
			return fmt.Errorf("%d of %d records: %w", each.Count(), len(each), e)
		}
	}
	return err
}

// closeTimeout is how long Close waits.
const closeTimeout = 500 * time.Millisecond

// Close waits a moment for writes under way; the error says that some were
// still under way then, of which it is not known whether they arrive. Nothing
// may be written from then on. The library's own attempts end within a minute.
func (p *Producer) Close() error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = p.w.Close() // never fails: see kafka-go
	}()
	timeout := time.NewTimer(closeTimeout)
	defer timeout.Stop()
	select {
	case <-closed:
		return nil
	case <-timeout.C:
		return fmt.Errorf("writes to %s were still under way when it was closed: they were not acknowledged and may be lost", p.topic)
	}
}

// CloseAll closes producers, all at the same time.
func CloseAll(producers ...*Producer) error {
	errs := make([]error, len(producers))
	var wg sync.WaitGroup
	for i, p := range producers {
		wg.Go(func() { errs[i] = p.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// partitioner obeys a partition given in WriterData, and else hashes the key
// as Kafka's own clients do (murmur2).
type partitioner struct{}

func (partitioner) Balance(m kafka.Message, partitions ...int) int {
	if p, ok := m.WriterData.(int); ok {
		return p
	}
	return kafka.Murmur2Balancer{Consistent: true}.Balance(m, partitions...)
}

func kafkaHeaders(hs []Header) []kafka.Header {
	out := make([]kafka.Header, len(hs))
	for i, h := range hs {
		out[i] = kafka.Header{Key: h.Key, Value: h.Value}
	}
	return out
}
