package bus

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// fetchBytes bounds a fetch, but for one larger batch.
const fetchBytes = 1 << 20

// partition is the work on one assigned partition.
type partition struct {
	c     *Consumer
	id    int
	start int64 // where to begin, or kafka.FirstOffset
	mark  atomic.Pointer[watermark]
	hwm   int64 // highest watermark seen, for lag; only the fetching goroutine writes
}

// committable is 0 until the partition has been opened.
func (p *partition) committable() int64 {
	if w := p.mark.Load(); w != nil {
		return w.committable()
	}
	return 0
}

// run opens the partition and processes it until take ends, then waits for
// work under way; work's end abandons that too.
func (p *partition) run(take, work context.Context) {
	handler, offset, err := p.open(take, work)
	if err != nil {
		return // take has ended
	}
	p.mark.Store(newWatermark(offset))
	fetches := make(chan []Record)
	batches := make(chan []Record)
	var wg sync.WaitGroup
	wg.Go(func() { p.fetchLoop(take, offset, fetches) })
	wg.Go(func() { p.batchLoop(take, fetches, batches) })
	for range p.c.cfg.Concurrency {
		wg.Go(func() {
			for b := range batches {
				p.process(work, handler, b)
			}
		})
	}
	wg.Wait()
}

// open gives the partition's handler and first offset, trying until take ends.
func (p *partition) open(take, work context.Context) (Handler, int64, error) {
	back := backoff{min: 100 * time.Millisecond, max: 5 * time.Second}
	for {
		h, err := p.c.cfg.Open(work, p.id)
		offset := p.start
		if err == nil && offset < 0 {
			var first map[int]int64
			first, _, err = p.c.cfg.Cluster.Offsets(take, p.c.cfg.Topic)
			offset = first[p.id]
		}
		if err == nil {
			p.c.setOutage(p.id, nil)
			return h, offset, nil
		}
		if take.Err() != nil {
			return nil, 0, take.Err()
		}
		p.c.setOutage(p.id, err)
		p.c.log.Error("opening partition, trying again", zap.Int("partition", p.id), zap.Error(err))
		if err := back.wait(take); err != nil {
			return nil, 0, err
		}
	}
}

// fetchLoop reads ahead by one fetch. It ends with take and closes out.
func (p *partition) fetchLoop(take context.Context, offset int64, out chan<- []Record) {
	defer close(out)
	cfg, back := &p.c.cfg, backoff{min: 50 * time.Millisecond, max: 2 * time.Second}
	unread := fault{p.id, "read"}
	defer p.c.setFault(unread, nil)
	for take.Err() == nil {
		got, err := cfg.Cluster.fetch(take, cfg.Topic, p.id, offset, fetchBytes)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			old := offset
			if offset, err = cfg.Cluster.nearest(take, cfg.Topic, p.id, offset); err == nil {
				p.c.log.Error("committed offset is no longer kept; records between were lost to retention",
					zap.Int("partition", p.id), zap.Int64("from", old), zap.Int64("to", offset))
				continue
			}
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
		cfg.Metrics.observeLag(cfg, p, got)
		if len(got.records) == 0 {
			continue
		}
		offset = got.next
		select {
		case out <- got.records:
		case <-take.Done():
			return
		}
	}
}

// batchLoop collects records into batches by count, bytes and age, within the
// consumer's budget of bytes. It ends with take and closes out.
func (p *partition) batchLoop(take context.Context, in <-chan []Record, out chan<- []Record) {
	defer close(out)
	cfg := &p.c.cfg
	b := batch{p: p, out: out}
	idle, stopIdle := ticker(cfg.Tick)
	defer stopIdle()
	for {
		select {
		case <-take.Done():
			b.drop()
			return
		case <-b.timer:
			if !b.flush(take) {
				return
			}
		case <-idle:
			if len(b.records) == 0 && !b.send(take, nil) {
				return
			}
		case rs, ok := <-in:
			if !ok {
				b.drop()
				return
			}
			for _, r := range rs {
				if !b.add(take, r) {
					return
				}
			}
			if cfg.BatchAge == 0 && !b.flush(take) {
				return
			}
		}
	}
}

func ticker(d time.Duration) (<-chan time.Time, func()) {
	if d == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// batch is the batch being collected. Its records have been counted against
// the budget but work on them has not begun.
type batch struct {
	p       *partition
	out     chan<- []Record
	records []Record
	bytes   int
	timer   <-chan time.Time // nil while empty
}

func (b *batch) add(take context.Context, r Record) bool {
	cfg := &b.p.c.cfg
	if len(b.records) > 0 && (len(b.records) >= cfg.BatchRecords || b.bytes+r.Size() > cfg.BatchBytes) && !b.flush(take) {
		return false
	}
	cost := b.p.c.cost(r)
	if !b.p.c.budget.TryAcquire(cost) {
		// Never wait while holding what others may be waiting for.
		if !b.flush(take) || b.p.c.budget.Acquire(take, cost) != nil {
			return false
		}
	}
	if len(b.records) == 0 && cfg.BatchAge > 0 {
		b.timer = time.After(cfg.BatchAge)
	}
	b.records = append(b.records, r)
	b.bytes += r.Size()
	return true
}

// flush hands the batch on; false where take ended first.
func (b *batch) flush(take context.Context) bool {
	if len(b.records) == 0 {
		return true
	}
	for _, r := range b.records {
		b.p.mark.Load().begin(r.Offset)
	}
	records := b.records
	b.records, b.bytes, b.timer = nil, 0, nil
	if !b.send(take, records) {
		b.p.c.release(records)
		return false
	}
	return true
}

func (b *batch) send(take context.Context, records []Record) bool {
	select {
	case b.out <- records:
		return true
	case <-take.Done():
		return false
	}
}

func (b *batch) drop() { b.p.c.release(b.records) }

// cost is what a record takes of the budget: never more than all of it.
func (c *Consumer) cost(r Record) int64 { return min(int64(r.Size()), c.cfg.MaxInFlight) }

func (c *Consumer) release(records []Record) {
	for _, r := range records {
		c.budget.Release(c.cost(r))
	}
}
