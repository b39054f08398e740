package bus

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.uber.org/zap"
)

// watchInterval is how often the ends of the topic are asked for, at most.
const watchInterval = 5 * time.Second

// watched is what the watchdog remembers of a partition.
type watched struct {
	end      int64 // the last end known
	position int64
	since    time.Time // when position was first seen where it is, with more to come; zero where nothing is amiss
	behind   time.Time // when the partition was first seen to lag; zero while it does not
}

// watch keeps the lag metrics true, also while nothing is fetched, and has the
// fetching of stalled partitions rebuilt. It ends with ctx.
func (s *session) watch(ctx context.Context) {
	tick := time.NewTicker(min(watchInterval, s.c.cfg.StallTimeout/4))
	defer tick.Stop()
	for {
		ends, err := s.c.cfg.Cluster.ends(ctx, s.c.cfg.Topic)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.c.log.Warn("asking for the ends of partitions, lag is not known", zap.Error(err))
		}
		now := time.Now()
		for _, p := range s.partitions {
			end, known := ends[p.id]
			if known {
				p.watched.end = end
				p.measureLag(now)
			}
			if p.stalled(known, now) {
				p.rebuild(now)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// stalled tells whether nothing has been fetched for StallTimeout although
// there is something to fetch, or the end is not known, and room for it.
func (p *partition) stalled(endKnown bool, now time.Time) bool {
	w, position := &p.watched, p.position.Load()
	atEnd := endKnown && w.end <= position
	switch {
	case p.mark.Load() == nil, p.blocked.Load(), atEnd:
		w.since = time.Time{}
	case w.since.IsZero(), w.position != position:
		w.since, w.position = now, position
	}
	return !w.since.IsZero() && now.Sub(w.since) >= p.c.cfg.StallTimeout
}

// rebuild gives up the fetch under way and the connections, one of which may
// be what is at fault: fetchLoop goes on at position over new ones.
func (p *partition) rebuild(now time.Time) {
	p.c.cfg.Metrics.stalls.WithLabelValues(p.c.cfg.Stage).Inc()
	p.c.log.Error("partition is stalled: nothing arrives although there is more; fetching anew over new connections",
		zap.Int("partition", p.id), zap.Int64("position", p.watched.position), zap.Int64("end", p.watched.end),
		zap.Duration("for", now.Sub(p.watched.since)))
	p.watched.since = now
	p.c.cfg.Cluster.Close()
	if cancel := p.cancelFetch.Load(); cancel != nil {
		(*cancel)()
	}
}

// measureLag sets the partition's lag metrics: the records from the first that
// is not durably processed to the end, and the age of that first one; while it
// has not been fetched its age counts from when the lag was noticed.
func (p *partition) measureLag(now time.Time) {
	w, done := &p.watched, p.start
	var written time.Time
	var fetched bool
	if mark := p.mark.Load(); mark != nil {
		done = mark.committable()
		written, fetched = mark.oldest()
	}
	if done < 0 { // not opened, and nothing committed
		return
	}
	lag, age := max(0, w.end-done), time.Duration(0)
	switch {
	case lag == 0:
		w.behind = time.Time{}
	case w.behind.IsZero():
		w.behind = now
	}
	if fetched {
		age = max(0, now.Sub(written))
	} else if lag > 0 {
		age = now.Sub(w.behind)
	}
	p.c.cfg.Metrics.lag(&p.c.cfg, p.id, lag, age)
}

// busy is an error where the handler has been at a batch of one of the
// partitions for longer than StallTimeout. It is waited for all the same.
func (s *session) busy(now time.Time) error {
	for _, p := range s.partitions {
		for i := range p.calls {
			since := p.calls[i].Load()
			if d := now.Sub(time.Unix(0, since)); since != 0 && d > s.c.cfg.StallTimeout {
				return fmt.Errorf("%s: handler busy for %v with one batch of partition %d", s.c.cfg.Stage, d.Round(time.Second), p.id)
			}
		}
	}
	return nil
}

func (m *Metrics) lag(cfg *ConsumerConfig, partition int, offsets int64, age time.Duration) {
	id := strconv.Itoa(partition)
	m.lagOffsets.WithLabelValues(cfg.Stage, cfg.Topic, id).Set(float64(offsets))
	m.lagSeconds.WithLabelValues(cfg.Stage, cfg.Topic, id).Set(age.Seconds())
}

// forgetLag removes the lag of a partition that others may have from now on.
func (m *Metrics) forgetLag(cfg *ConsumerConfig, partition int) {
	id := strconv.Itoa(partition)
	m.lagOffsets.DeleteLabelValues(cfg.Stage, cfg.Topic, id)
	m.lagSeconds.DeleteLabelValues(cfg.Stage, cfg.Topic, id)
}
