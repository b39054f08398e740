package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Producer writes to one topic, with acks=all and lz4. Safe for concurrent
// use; concurrent writes, also those of other producers of the cluster, share
// requests.
type Producer struct {
	topic   string
	cluster *Cluster

	mu      sync.Mutex
	writing int // calls whose records are not settled, also where the caller has given up
	closed  bool
	idle    chan struct{} // closed once it is closed and writing is 0
}

// NewProducer returns a producer for the topic. It opens no connection.
func NewProducer(c *Cluster, topic string) *Producer {
	return &Producer{topic: topic, cluster: c, idle: make(chan struct{})}
}

// Write returns nil once all messages are on all in-sync replicas; those for
// the same partition are written in their order. After an error some of them
// may have been written: writing again repeats those. A fault of the broker's
// is given some tries, which go on after ctx's end. The topics of the messages
// are ignored.
func (p *Producer) Write(ctx context.Context, msgs ...Message) error {
	if len(msgs) == 0 {
		return nil
	}
	if err := p.write(ctx, msgs); err != nil {
		return fmt.Errorf("writing to %s: %w", p.topic, explain(err))
	}
	return nil
}

func (p *Producer) write(ctx context.Context, msgs []Message) error {
	leaders, err := p.cluster.layouts.leaders(ctx, p.topic)
	if err != nil {
		return err
	}
	w := &write{producer: p, open: len(msgs), done: make(chan struct{})}
	records, partitions := make([]*outgoing, len(msgs)), make([]int, len(msgs))
	all := make([]int, len(leaders))
	for i := range all {
		all[i] = i
	}
	limit := maxBatch(p.topic)
	for i, m := range msgs {
		records[i], partitions[i] = &outgoing{Message: m, size: m.size(), write: w}, m.partition(all)
		if records[i].size > limit {
			return fmt.Errorf("record %d of %d has %d bytes, at most %d fit: %w", i, len(msgs), records[i].size, limit, kafka.MessageSizeTooLarge)
		}
		if partitions[i] < 0 || partitions[i] >= len(leaders) {
			return fmt.Errorf("record %d of %d is for partition %d of %d", i, len(msgs), partitions[i], len(leaders))
		}
	}
	if !p.begin() {
		return errors.New("the producer is closed")
	}
	p.cluster.writer.enqueue(p.topic, records, partitions, leaders)
	select {
	case <-w.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.failed > 0 && len(msgs) > 1 {
		return fmt.Errorf("%d of %d records: %w", w.failed, len(msgs), w.err)
	}
	return w.err
}

func (p *Producer) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.writing++
	return true
}

func (p *Producer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writing--; p.writing == 0 && p.closed {
		close(p.idle)
	}
}

func (p *Producer) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// closeTimeout is how long Close waits.
const closeTimeout = 500 * time.Millisecond

// Close waits a moment for writes under way; the error says that some were
// still under way then, of which it is not known whether they arrive. Nothing
// can be written from then on, and nothing is tried again. It is called once.
func (p *Producer) Close() error {
	p.mu.Lock()
	p.closed = true
	writing := p.writing
	p.mu.Unlock()
	if writing == 0 {
		return nil
	}
	timeout := time.NewTimer(closeTimeout)
	defer timeout.Stop()
	select {
	case <-p.idle:
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

// maxBatch bounds a batch of records for the topic, before compression: what
// the topic takes, with room for the batch's own header.
func maxBatch(topic string) int { return maxBytes(topic) - 4<<10 }

// size is what the message takes in a batch, at most.
func (m *Message) size() int {
	n := len(m.Key) + len(m.Value) + 40
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value) + 10
	}
	return n
}

// partition obeys Partition, and else chooses among all by the hash of the key,
// as Kafka's own clients do (murmur2).
func (m *Message) partition(all []int) int {
	if m.Partition != nil {
		return *m.Partition
	}
	return kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: m.Key}, all...)
}

func kafkaHeaders(hs []Header) []kafka.Header {
	out := make([]kafka.Header, len(hs))
	for i, h := range hs {
		out[i] = kafka.Header{Key: h.Key, Value: h.Value}
	}
	return out
}
