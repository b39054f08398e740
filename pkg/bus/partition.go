package bus

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// partition is the work on one assigned partition:
//
//	fetchLoop (fetch.go) ─► batchLoop ─► process, by Concurrency goroutines ─► watermark
//
// What is atomic is read by the watchdog.
type partition struct {
	c           *Consumer
	poller      *poller // of the session
	id          int
	start       int64                     // the offset committed, or negative
	mark        atomic.Pointer[watermark] // nil until the partition has been opened
	position    atomic.Int64              // offset of what is to be fetched next
	blocked     atomic.Bool               // what was fetched waits for room downstream
	cancelFetch atomic.Pointer[context.CancelFunc]
	calls       []atomic.Int64 // for each goroutine of process: when the handler was called, Unix nanoseconds; 0 while it is not
	watched     watched        // the watchdog's own
}

func (c *Consumer) newPartition(poller *poller, a kafka.PartitionAssignment) *partition {
	return &partition{c: c, poller: poller, id: a.ID, start: a.Offset, calls: make([]atomic.Int64, c.cfg.Concurrency)}
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
	p.position.Store(offset)
	p.mark.Store(newWatermark(offset))
	fetches := make(chan []Record)
	batches := make(chan []Record)
	var wg sync.WaitGroup
	wg.Go(func() { p.fetchLoop(take, fetches) })
	wg.Go(func() { p.batchLoop(take, fetches, batches) })
	for i := range p.calls {
		h := timed(&p.calls[i], handler)
		wg.Go(func() {
			for b := range batches {
				p.process(work, h, b)
			}
		})
	}
	wg.Wait()
}

// timed keeps in since when h was called.
func timed(since *atomic.Int64, h Handler) Handler {
	return func(ctx context.Context, batch []Record) error {
		since.Store(time.Now().UnixNano())
		defer since.Store(0)
		return h(ctx, batch)
	}
}

// open gives the partition's handler and first offset, trying until take ends.
func (p *partition) open(take, work context.Context) (Handler, int64, error) {
	back := backoff{min: 100 * time.Millisecond, max: 5 * time.Second}
	for take.Err() == nil {
		h, err := p.c.cfg.Open(work, p.id)
		offset := p.start
		if err == nil && offset < 0 {
			offset, err = p.begin(take)
		}
		if err == nil {
			p.c.setOutage(p.id, nil)
			return h, offset, nil
		}
		if take.Err() != nil {
			break
		}
		p.c.setOutage(p.id, err)
		p.c.log.Error("opening partition, trying again", zap.Int("partition", p.id), zap.Error(err))
		if back.wait(take) != nil {
			break
		}
	}
	return nil, 0, take.Err()
}

// begin is where to start without a committed offset.
func (p *partition) begin(ctx context.Context) (int64, error) {
	if p.c.cfg.Start != nil {
		return p.c.cfg.Start(ctx, p.id)
	}
	first, _, err := p.c.cfg.Cluster.Offsets(ctx, p.c.cfg.Topic)
	return first[p.id], err
}

// batchLoop collects records into batches by count, bytes and age. It ends
// with take and closes out.
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
			for i, r := range rs {
				if !b.add(take, r) {
					p.c.release(rs[i:])
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
