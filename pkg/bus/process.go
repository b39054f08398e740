package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

// Outcomes of a record, for metrics.
const (
	outcomeDone = "done"
	outcomeDead = "dead"
)

// task is a batch on its way through the handler.
type task struct {
	p        *partition
	handler  Handler
	pending  []Record
	attempts map[int64]int // by offset
	back     backoff       // for faults that lie elsewhere
	slow     backoff       // for outages
}

// process calls the handler until every record of the batch is durable or
// buried, or ctx ends; what is unfinished then stays below the watermark.
func (p *partition) process(ctx context.Context, h Handler, records []Record) {
	t := &task{
		p: p, handler: h, pending: records, attempts: map[int64]int{},
		back: backoff{min: 50 * time.Millisecond, max: 5 * time.Second},
		slow: backoff{min: time.Second, max: 15 * time.Second},
	}
	if len(records) == 0 { // a tick
		if err := p.call(ctx, h, nil); err != nil && ctx.Err() == nil {
			p.c.log.Warn("handler failed on a tick, trying again later", zap.Error(err))
		}
		return
	}
	p.c.cfg.Metrics.batch(&p.c.cfg, records)
	for len(t.pending) > 0 && t.try(ctx) {
	}
	p.c.release(t.pending)
	p.c.setOutage(p.id, nil)
}

// try is one attempt on what is pending; false where ctx has ended.
func (t *task) try(ctx context.Context) bool {
	err := t.p.call(ctx, t.handler, t.pending)
	var (
		failed *BatchError
		outage *OutageError
		crash  *panicError
	)
	switch {
	case err == nil:
		t.finish(outcomeDone, t.pending...)
		t.pending = nil
		return true
	case ctx.Err() != nil:
		return false
	case errors.As(err, &failed):
		return t.sort(ctx, failed)
	case errors.As(err, &outage):
		t.p.c.setOutage(t.p.id, err)
		t.p.c.log.Error("stage is paused", zap.Int("partition", t.p.id), zap.Error(err))
		return t.slow.wait(ctx) == nil
	case errors.As(err, &crash):
		return t.isolate(ctx, crash)
	}
	t.p.c.cfg.Metrics.retry(&t.p.c.cfg, len(t.pending))
	if lasting(err, t.back.n) {
		t.p.c.setOutage(t.p.id, err)
	}
	t.p.c.log.Warn("batch failed, trying again", zap.Int("partition", t.p.id), zap.Int("records", len(t.pending)), zap.Error(err))
	return t.back.wait(ctx) == nil
}

// sort finishes the records that are done, buries the hopeless ones and keeps
// the rest pending.
func (t *task) sort(ctx context.Context, failed *BatchError) bool {
	byIndex := make(map[int]RecordError, len(failed.Records))
	for _, f := range failed.Records {
		byIndex[f.Index] = f
	}
	var done, dead, again []Record
	var letters []Message
	now := time.Now()
	for i, r := range t.pending {
		f, isFailed := byIndex[i]
		t.attempts[r.Offset]++
		switch n := t.attempts[r.Offset]; {
		case !isFailed:
			done = append(done, r)
		case f.Do == Reject, f.Do == Doubt && n >= t.p.c.cfg.MaxAttempts:
			dead = append(dead, r)
			letters = append(letters, DeadLetter(r, t.p.c.cfg.Stage, f.Err.Error(), n, now))
		default:
			again = append(again, r)
		}
	}
	t.finish(outcomeDone, done...)
	t.pending = append(append([]Record(nil), dead...), again...)
	if len(letters) > 0 {
		if t.p.bury(ctx, letters) != nil {
			return false
		}
		t.p.c.log.Warn("records dead-lettered", zap.Int("records", len(dead)), zap.ByteString("reason", letters[0].header(DeadReason)))
		t.finish(outcomeDead, dead...)
		t.pending = again
	}
	if len(again) == 0 {
		return true
	}
	t.p.c.cfg.Metrics.retry(&t.p.c.cfg, len(again))
	return t.back.wait(ctx) == nil
}

// isolate finds the record that crashes the handler by trying one at a time,
// and buries it.
func (t *task) isolate(ctx context.Context, crash *panicError) bool {
	t.p.c.log.Error("handler panicked", zap.Error(crash), zap.ByteString("stack", crash.stack))
	if len(t.pending) == 1 {
		return t.sort(ctx, &BatchError{Records: []RecordError{{Err: crash, Do: Reject}}})
	}
	all := t.pending
	for i := range all {
		t.pending = all[i : i+1 : i+1]
		for len(t.pending) > 0 {
			if !t.try(ctx) {
				t.pending = append(t.pending, all[i+1:]...)
				return false
			}
		}
	}
	return true
}

// finish moves the watermark over records that are durable or buried.
func (t *task) finish(outcome string, records ...Record) {
	w := t.p.mark.Load()
	for _, r := range records {
		w.finish(r.Offset)
	}
	t.p.c.release(records)
	t.p.c.cfg.Metrics.records.WithLabelValues(t.p.c.cfg.Stage, outcome).Add(float64(len(records)))
}

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// call runs the handler and turns a panic into an error.
func (p *partition) call(ctx context.Context, h Handler, records []Record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return h(ctx, records)
}

func (m Message) header(key string) []byte {
	for _, h := range m.Headers {
		if h.Key == key {
			return h.Value
		}
	}
	return nil
}
