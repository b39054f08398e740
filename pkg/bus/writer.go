package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/produce"
)

// Bounds on a request to write, whose parts are one batch of records for each
// partition.
const (
	maxBatchRecords = 1000
	maxRequestBytes = 32 << 20 // unless one batch alone is larger; a broker takes 100 MiB
	maxTries        = 5        // of a record, when the broker is at fault

	writeLinger = 2 * time.Millisecond // before each request, for what others write at about the same time
)

// writer sends what the producers of a cluster write. One request at most is
// on its way to a broker; what is written meanwhile goes together in the next,
// whatever its topic and partition. So little waits where little is written, and
// requests are few where much is. (kafka-go's own Writer sends each batch of
// each partition by itself.) Safe for concurrent use.
//
//	enqueue ─► queue of a partition ─┐
//	enqueue ─► queue of a partition ─┼─ take ─► request to their leader ─► settle: done, failed, or back into the queue
//	           …                     ┘
type writer struct {
	cluster *Cluster

	mu      sync.Mutex
	queues  map[place]*queue
	order   []*queue     // in which they are looked at
	turn    int          // where in order the next request begins
	sending map[int]bool // by leader
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int
}

// queue is what waits to be written to one partition, in order.
type queue struct {
	place
	leader  int
	waiting []*outgoing
	held    bool // a batch is on its way, or has failed and waits to be tried again
	back    backoff
}

// outgoing is a record on its way.
type outgoing struct {
	Message
	size  int
	tries int
	write *write
}

// write is one call of Producer.Write.
type write struct {
	producer *Producer
	open     int // records not settled
	failed   int
	err      error         // of the first that failed
	done     chan struct{} // closed once open is 0
}

func newWriter(c *Cluster) *writer {
	return &writer{cluster: c, queues: map[place]*queue{}, sending: map[int]bool{}}
}

// enqueue takes the records, which go to the partitions at the same index, and
// has them sent. leaders are those of the topic's partitions.
func (w *writer) enqueue(topic string, records []*outgoing, partitions, leaders []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, r := range records {
		at := place{topic, partitions[i]}
		q := w.queues[at]
		if q == nil {
			q = &queue{place: at, back: backoff{min: 50 * time.Millisecond, max: 500 * time.Millisecond}}
			w.queues[at] = q
			w.order = append(w.order, q)
		}
		q.leader = leaders[at.partition]
		q.waiting = append(q.waiting, r)
		w.kick(q.leader)
	}
}

// kick starts sending to a leader, unless that goes on. mu is held.
func (w *writer) kick(leader int) {
	if !w.sending[leader] {
		w.sending[leader] = true
		go w.send(leader)
	}
}

// part is what goes to one partition in one request.
type part struct {
	q       *queue
	records []*outgoing
}

// send sends to a leader as long as there is something for it.
func (w *writer) send(leader int) {
	for {
		time.Sleep(writeLinger)
		parts := w.take(leader)
		if parts == nil {
			return
		}
		w.settle(parts, w.request(parts))
	}
}

// take takes what goes to a leader in the next request; nil where there is
// nothing, and sending to it has ended then.
func (w *writer) take(leader int) (parts []part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	room := maxRequestBytes
	w.turn++
	for i := range w.order {
		q := w.order[(w.turn+i)%len(w.order)]
		if q.held || q.leader != leader || len(q.waiting) == 0 {
			continue
		}
		n, size := q.next()
		if parts != nil && size > room {
			continue
		}
		parts = append(parts, part{q, q.waiting[:n:n]})
		room -= size
		q.waiting, q.held = q.waiting[n:], true
	}
	if parts == nil {
		delete(w.sending, leader)
	}
	return parts
}

// next is how many of the waiting records make the next batch, and their size.
func (q *queue) next() (n, size int) {
	limit := maxBatch(q.topic)
	for n < len(q.waiting) && n < maxBatchRecords && (n == 0 || size+q.waiting[n].size <= limit) {
		size += q.waiting[n].size
		n++
	}
	return n, size
}

// request sends parts and gives the error of each.
func (w *writer) request(parts []part) []error {
	req := &produce.Request{Acks: int16(kafka.RequireAll), Timeout: int32(callTimeout.Milliseconds())}
	for _, b := range parts {
		i := slices.IndexFunc(req.Topics, func(t produce.RequestTopic) bool { return t.Topic == b.q.topic })
		if i < 0 {
			i = len(req.Topics)
			req.Topics = append(req.Topics, produce.RequestTopic{Topic: b.q.topic})
		}
		records := make([]kafka.Record, len(b.records))
		for j, r := range b.records {
			records[j] = kafka.Record{Key: kafka.NewBytes(r.Key), Value: kafka.NewBytes(r.Value), Headers: kafkaHeaders(r.Headers)}
		}
		p := produce.RequestPartition{Partition: int32(b.q.partition)} //nolint:gosec // Kafka numbers partitions by int32
		p.RecordSet.Attributes = lz4
		p.RecordSet.Records = kafka.NewRecordReader(records...)
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	errs := make([]error, len(parts))
	res, err := w.cluster.transport.RoundTrip(ctx, w.cluster.client.Addr, req)
	answers := map[place]error{}
	if answer, ok := res.(*produce.Response); ok && err == nil {
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				answers[place{t.Topic, int(p.Partition)}] = produceError(p.ErrorCode, p.ErrorMessage)
			}
		}
	}
	for i, b := range parts {
		var told bool
		if errs[i], told = answers[b.q.place]; !told && err == nil {
			errs[i] = errLeftOut
		} else if !told {
			errs[i] = err
		}
	}
	return errs
}

const lz4 = 3 // as record batches name it

func produceError(code int16, message string) error {
	switch {
	case code == 0:
		return nil
	case message != "":
		return fmt.Errorf("%w: %s", kafka.Error(code), message)
	}
	return kafka.Error(code)
}

// settle ends what is done or hopeless, and puts the rest back to be tried
// again after a while.
func (w *writer) settle(parts []part, errs []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, b := range parts {
		var again []*outgoing
		for _, r := range b.records {
			r.tries++
			if errs[i] != nil && r.tries < maxTries && passing(errs[i]) && !r.write.producer.isClosed() {
				again = append(again, r)
			} else {
				r.write.settle(errs[i])
			}
		}
		if again == nil {
			b.q.held, b.q.back.n = false, 0
			w.kick(b.q.leader)
			continue
		}
		b.q.waiting = append(again, b.q.waiting...)
		time.AfterFunc(b.q.back.next(), func() { w.resume(b.q) })
	}
}

// resume has a queue sent again, to the leader of that time.
func (w *writer) resume(q *queue) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	w.cluster.layouts.forget(q.topic)
	leaders, err := w.cluster.layouts.leaders(ctx, q.topic)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && q.partition < len(leaders) {
		q.leader = leaders[q.partition]
	}
	q.held = false
	w.kick(q.leader)
}

// passing says that trying again may help.
func passing(err error) bool {
	if e := kafka.Error(0); errors.As(err, &e) {
		return e.Temporary()
	}
	return true // of the connection, or of the library's knowledge of the cluster
}

// settle notes that a record of the call is written, or has failed.
func (w *write) settle(err error) {
	if err != nil {
		w.failed++
		if w.err == nil {
			w.err = err
		}
	}
	if w.open--; w.open == 0 {
		close(w.done)
		w.producer.end()
	}
}
