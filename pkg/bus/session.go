package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// revokeGrace is how long work under way may go on when a partition is taken
// away by a rebalance: with the last commit well below the rebalance time-out,
// so that who gets the partition next begins after it.
const revokeGrace = 2 * time.Second

// session is one generation of the group: its partitions and their commits.
type session struct {
	c          *Consumer
	gen        *kafka.Generation
	partitions []*partition
	abandon    context.CancelFunc // ends all work at once
	lost       atomic.Bool        // the partitions have another owner
	forgotten  bool               // its member of the group is not used again; sessions' own
	drained    chan struct{}      // closed once no partition is worked on
	done       chan struct{}      // closed once nothing of the session goes on

	mu        sync.Mutex
	committed map[int]int64
}

// startSession starts the work on a generation's partitions and returns. All
// goroutines end with the generation, or soon after ctx.
func (c *Consumer) startSession(ctx context.Context, gen *kafka.Generation) *session {
	s := &session{c: c, gen: gen, drained: make(chan struct{}), done: make(chan struct{}), committed: map[int]int64{}}
	poller := newPoller(c.cfg.Cluster, c.cfg.Topic, c.cfg.FetchInterval)
	for _, a := range gen.Assignments[c.cfg.Topic] {
		s.partitions = append(s.partitions, c.newPartition(poller, a))
		s.committed[a.ID] = max(0, a.Offset)
	}
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	s.abandon = abandon
	c.log.Info("partitions assigned", zap.Int32("generation", gen.ID), zap.Int("partitions", len(s.partitions)))
	gen.Start(func(g context.Context) { s.run(ctx, g, work) })
	return s
}

// run works on the partitions until the generation ends or ctx does, and
// returns once all work has ended and its last commit is made.
func (s *session) run(ctx, gen, work context.Context) {
	defer close(s.done)
	defer s.abandon()
	var working, watching sync.WaitGroup
	for _, p := range s.partitions {
		working.Go(func() { s.runPartition(ctx, gen, work, p) })
	}
	watch, unwatch := context.WithCancel(work)
	watching.Go(func() { s.watch(watch) })
	go func() {
		working.Wait()
		close(s.drained)
	}()
	s.commitLoop(gen)
	unwatch()
	watching.Wait()
	for _, p := range s.partitions {
		s.c.cfg.Metrics.forgetLag(&s.c.cfg, p.id)
	}
}

// runPartition runs p until the generation ends or ctx does; work under way
// is then given some time.
func (s *session) runPartition(ctx, gen, work context.Context, p *partition) {
	take, stopTaking := context.WithCancel(ctx)
	defer stopTaking()
	work, abandon := context.WithCancel(work)
	defer abandon()
	done := make(chan struct{})
	go func() {
		grace := revokeGrace
		select {
		case <-done:
			return
		case <-gen.Done():
		case <-work.Done(): // lost
		case <-ctx.Done():
		}
		stopTaking()
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
// the partitions have ended. At the end of the generation it commits at once,
// to learn whether the partitions are still its own.
func (s *session) commitLoop(gen context.Context) {
	tick := time.NewTicker(s.c.cfg.CommitInterval)
	defer tick.Stop()
	over := gen.Done()
	for {
		select {
		case <-tick.C:
			s.commit(false)
		case <-over:
			s.commit(true)
			over = nil
		case <-s.drained:
			s.commit(false)
			return
		}
	}
}

// commit commits each partition's watermark where it has risen, or everywhere
// if again is set. A refusal because others own the partitions ends the work
// on them: they repeat it.
func (s *session) commit(again bool) {
	offsets := s.rose(again)
	if len(offsets) == 0 || s.lost.Load() {
		return
	}
	err := s.gen.CommitOffsets(map[string]map[int]int64{s.c.cfg.Topic: offsets})
	if err != nil {
		s.c.cfg.Metrics.commitErrors.WithLabelValues(s.c.cfg.Stage).Inc()
	}
	if errors.Is(err, kafka.UnknownMemberId) || errors.Is(err, kafka.IllegalGeneration) {
		s.c.log.Warn("partitions were lost to another member, which repeats what was not committed", zap.Error(err))
		s.lost.Store(true)
		s.abandon()
		return
	}
	if err != nil {
		s.c.log.Warn("committing offsets, the records may be repeated", zap.Error(err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, o := range offsets {
		s.committed[p] = o
	}
}

// rose gives the watermarks above what is committed, or all if again is set.
func (s *session) rose(again bool) map[int]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	offsets := map[int]int64{}
	for _, p := range s.partitions {
		if o := p.committable(); o > s.committed[p.id] || again && o > 0 {
			offsets[p.id] = o
		}
	}
	return offsets
}

// forget tells, once, whether the library will not use the session's member of
// the group again, given why it could not join anew. A nil session has none.
func (s *session) forget(err error) bool {
	if s == nil || s.forgotten || errors.Is(err, kafka.RebalanceInProgress) {
		return false
	}
	s.forgotten = true
	return true
}

// ended waits until nothing of the session goes on, so that no partition has
// two handlers; false where ctx ended first. A nil session has ended.
func (s *session) ended(ctx context.Context) bool {
	if s == nil {
		return true
	}
	select {
	case <-s.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// uncommitted is an error where durable work could not be committed. A nil
// session has none, nor one whose partitions others own.
func (s *session) uncommitted() error {
	if s == nil || s.lost.Load() {
		return nil
	}
	var errs []error
	offsets := s.rose(false)
	for _, p := range slices.Sorted(maps.Keys(offsets)) {
		errs = append(errs, fmt.Errorf("%s: %s/%d is done up to %d but not committed; a restart may repeat it",
			s.c.cfg.Stage, s.c.cfg.Topic, p, offsets[p]))
	}
	return errors.Join(errs...)
}
