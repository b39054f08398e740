package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// revokeGrace is how long work under way may go on when a partition is taken
// away by a rebalance: well below the rebalance time-out.
const revokeGrace = 2 * time.Second

// session is one generation of the group: its partitions and their commits.
type session struct {
	c          *Consumer
	gen        *kafka.Generation
	partitions []*partition
	running    sync.WaitGroup // partitions
	mu         sync.Mutex
	committed  map[int]int64
}

// startSession starts the work on a generation's partitions and returns. All
// goroutines end with the generation, or soon after ctx.
func (c *Consumer) startSession(ctx context.Context, gen *kafka.Generation) *session {
	s := &session{c: c, gen: gen, committed: map[int]int64{}}
	for _, a := range gen.Assignments[c.cfg.Topic] {
		s.partitions = append(s.partitions, &partition{c: c, id: a.ID, start: a.Offset, hwm: -1})
	}
	c.log.Info("partitions assigned", zap.Int32("generation", gen.ID), zap.Int("partitions", len(s.partitions)))
	for _, p := range s.partitions {
		s.running.Add(1)
		gen.Start(func(g context.Context) {
			defer s.running.Done()
			s.runPartition(ctx, g, p)
		})
	}
	gen.Start(func(g context.Context) { s.commitLoop(ctx, g) })
	return s
}

// runPartition runs p until the generation ends or ctx does; work under way
// is then given some time.
func (s *session) runPartition(ctx, gen context.Context, p *partition) {
	take, stopTaking := context.WithCancel(ctx)
	defer stopTaking()
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	done := make(chan struct{})
	go func() {
		grace := revokeGrace
		select {
		case <-done:
			return
		case <-gen.Done():
			stopTaking()
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			grace = s.c.cfg.DrainTimeout
		}
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
			abandon()
		}
	}()
	p.run(take, work)
	close(done)
	s.c.setOutage(p.id, nil)
}

// commitLoop commits what has become durable, at intervals and once more after
// the partitions have ended.
func (s *session) commitLoop(ctx, gen context.Context) {
	tick := time.NewTicker(s.c.cfg.CommitInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.commit()
		case <-gen.Done():
			s.running.Wait()
			s.commit()
			return
		case <-ctx.Done():
			s.running.Wait()
			s.commit()
			return
		}
	}
}

// commit commits each partition's watermark where it has risen. A refusal
// because the generation is over is not an error: the records are repeated by
// whoever has the partition now.
func (s *session) commit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	offsets := map[int]int64{}
	for _, p := range s.partitions {
		if o := p.committable(); o > s.committed[p.id] {
			offsets[p.id] = o
		}
	}
	if len(offsets) == 0 {
		return
	}
	err := s.gen.CommitOffsets(map[string]map[int]int64{s.c.cfg.Topic: offsets})
	if err != nil {
		s.c.cfg.Metrics.commitErrors.WithLabelValues(s.c.cfg.Stage).Inc()
		s.c.log.Warn("committing offsets, the records may be repeated", zap.Error(err))
		return
	}
	for p, o := range offsets {
		s.committed[p] = o
	}
}

// uncommitted is an error where durable work could not be committed.
func (s *session) uncommitted() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range s.partitions {
		if o := p.committable(); o > s.committed[p.id] {
			errs = append(errs, fmt.Errorf("%s: %s/%d is done up to %d but not committed; a restart repeats it",
				s.c.cfg.Stage, s.c.cfg.Topic, p.id, o))
		}
	}
	return errors.Join(errs...)
}
