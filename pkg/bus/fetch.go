package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"go.uber.org/zap"
)

// fetchBytes bounds a fetch, but for one larger batch.
const fetchBytes = 1 << 20

// fetchWait bounds how long a fetch waits at the broker.
const fetchWait = 200 * time.Millisecond

// fetched is the answer to one fetch from one partition.
type fetched struct {
	records []Record // offsets rise, none below the one asked for
	next    int64    // where to go on: past the records, or past a hole where there are none
	first   int64    // first offset that the broker still has
	end     int64    // high watermark
}

// fetch reads from one partition what follows offset: at least one batch if
// there is any, at most about maxBytes; it waits up to fetchWait for the first
// record. What goes on for ever uses a poller.
func (c *Cluster) fetch(ctx context.Context, topic string, partition int, offset int64, maxBytes int) (fetched, error) {
	res, err := c.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: topic, Partition: partition, Offset: offset,
		MinBytes: 1, MaxBytes: int64(maxBytes), MaxWait: fetchWait,
	})
	if err != nil {
		return fetched{}, fmt.Errorf("fetching %s/%d at %d: %w", topic, partition, offset, err)
	}
	if res.Error != nil {
		return fetched{}, fmt.Errorf("fetching %s/%d at %d: %w", topic, partition, offset, res.Error)
	}
	at := fetched{next: offset, first: res.LogStartOffset, end: res.HighWatermark}
	return at.read(place{topic, partition}, res.Records)
}

// read adds the records to f, whose next is the offset asked for.
func (f fetched) read(from place, records kafka.RecordReader) (fetched, error) {
	if records == nil {
		return f, nil
	}
	asked := f.next
	for {
		r, err := records.ReadRecord()
		if errors.Is(err, io.EOF) {
			if len(f.records) == 0 {
				f.next = afterHole(records, asked)
			}
			return f, nil
		}
		if err != nil {
			return fetched{}, fmt.Errorf("reading %s/%d after %d: %w", from.topic, from.partition, f.next, err)
		}
		key, kerr := readBytes(r.Key)
		value, verr := readBytes(r.Value)
		if err := errors.Join(kerr, verr); err != nil {
			return fetched{}, fmt.Errorf("reading %s/%d at %d: %w", from.topic, from.partition, r.Offset, err)
		}
		if r.Offset < f.next { // batches may begin before the offset asked for
			continue
		}
		f.next = r.Offset + 1
		f.records = append(f.records, Record{
			Topic: from.topic, Partition: from.partition, Offset: r.Offset,
			Key: key, Value: value, Headers: headers(r.Headers), Time: r.Time,
		})
	}
}

// afterHole is where to go on after a fetch at offset that gave batches but no
// record: a transaction's marker or what compaction left of a batch lies there.
func afterHole(records kafka.RecordReader, offset int64) int64 {
	stream, _ := records.(*protocol.RecordStream)
	if stream == nil || len(stream.Records) == 0 {
		return offset
	}
	if last, ok := stream.Records[len(stream.Records)-1].(interface{ Offset() int64 }); ok {
		offset = max(offset, last.Offset())
	}
	return offset + 1
}

func readBytes(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	return protocol.ReadAll(b)
}

func headers(hs []protocol.Header) []Header {
	if len(hs) == 0 {
		return nil
	}
	out := make([]Header, len(hs))
	for i, h := range hs {
		out[i] = Header{Key: h.Key, Value: append([]byte(nil), h.Value...)}
	}
	return out
}

// fetchLoop reads ahead by one fetch. It ends with take and closes out.
func (p *partition) fetchLoop(take context.Context, out chan<- []Record) {
	defer close(out)
	back := backoff{min: 50 * time.Millisecond, max: 2 * time.Second}
	unread := fault{p.id, "read"}
	defer p.c.setFault(unread, nil)
	for take.Err() == nil {
		got, err := p.fetch(take)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			err = p.reposition(take)
		}
		if take.Err() != nil {
			return
		}
		if err != nil {
			if err = explain(err); lasting(err, back.n) {
				p.c.setFault(unread, err)
			}
			p.c.log.Warn("fetching, trying again", zap.Int("partition", p.id), zap.Error(err))
			if back.wait(take) != nil {
				return
			}
			continue
		}
		if back.n > 0 {
			back.n = 0
			p.c.setFault(unread, nil)
		}
		if !p.handOn(take, got, out) {
			return
		}
	}
}

// fetch reads what follows position. Besides take's end, rebuild ends it.
func (p *partition) fetch(take context.Context) (fetched, error) {
	ctx, cancel := context.WithCancel(take)
	defer cancel()
	p.cancelFetch.Store(&cancel)
	return p.poller.fetch(ctx, p.id, p.position.Load())
}

// reposition moves position, which is out of range, to the nearest offset kept.
func (p *partition) reposition(take context.Context) error {
	from := p.position.Load()
	to, err := p.c.cfg.Cluster.nearest(take, p.c.cfg.Topic, p.id, from)
	if err != nil {
		return err
	}
	p.c.log.Error("committed offset is no longer kept; records between were lost to retention",
		zap.Int("partition", p.id), zap.Int64("from", from), zap.Int64("to", to))
	p.position.Store(to)
	return nil
}

// handOn passes records on as the budget allows, and position moves past
// them; false where take ended first. In an outage the loop waits here, with
// one fetch outside the budget.
func (p *partition) handOn(take context.Context, got fetched, out chan<- []Record) bool {
	mark := p.mark.Load()
	for _, r := range got.records {
		mark.begin(r)
	}
	p.blocked.Store(true)
	defer p.blocked.Store(false)
	for records := got.records; len(records) > 0; {
		n, cost := p.c.portion(records)
		if p.c.budget.Acquire(take, cost) != nil {
			return false
		}
		select {
		case out <- records[:n:n]:
		case <-take.Done():
			p.c.release(records[:n])
			return false
		}
		records = records[n:]
	}
	if len(got.records) == 0 && got.next > p.position.Load() {
		mark.pass(got.next)
	}
	p.position.Store(got.next)
	return true
}

// portion gives the number of records that may be handed on at once, and what
// they take of the budget: never more than all of it.
func (c *Consumer) portion(records []Record) (n int, cost int64) {
	for n < len(records) {
		next := c.cost(records[n])
		if n > 0 && cost+next > c.cfg.MaxInFlight {
			break
		}
		n, cost = n+1, cost+next
	}
	return n, cost
}

// cost is what a record takes of the budget: never more than all of it.
func (c *Consumer) cost(r Record) int64 { return min(int64(r.Size()), c.cfg.MaxInFlight) }

func (c *Consumer) release(records []Record) {
	for _, r := range records {
		c.budget.Release(c.cost(r))
	}
}
