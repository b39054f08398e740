package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/services/ingest"
)

// partition is the replay of one partition of articles.raw.
type partition struct {
	*book
	id          int
	first, next int64     // offsets kept
	begin       time.Time // of the record at first
	replay      *ingest.Replay
	older       int             // states of before
	unsure      map[string]bool // ids of which it cannot be told whether they were known before
}

// readRaw reads articles.seen and replays articles.raw.
func (b *book) readRaw(ctx context.Context) error {
	first, next, err := b.cluster.Offsets(ctx, bus.TopicRaw)
	if err != nil {
		return err
	}
	gone := int64(0)
	var all []*partition
	for id := range first {
		p := &partition{book: b, id: id, first: first[id], next: next[id], replay: ingest.NewReplay(), unsure: map[string]bool{}}
		gone += p.first
		all = append(all, p)
		if err := p.findBegin(ctx); err != nil {
			return err
		}
		if _, err := b.cluster.ReadAll(ctx, bus.TopicSeen, id, func(r bus.Record) error { return p.state(ctx, r) }); err != nil {
			return fmt.Errorf("reading identities: %w", err)
		}
		if p.first > 0 || p.older > 0 {
			b.rawWhole = false
		}
		if _, err := b.cluster.ReadAll(ctx, bus.TopicRaw, id, p.record); err != nil {
			return err
		}
		p.replay = nil // as much as ingest holds for a partition
	}
	older := 0
	for _, p := range all {
		older += p.older
	}
	switch {
	case gone > 0:
		b.note("articles.raw no longer keeps its first %d records: they are not counted; articles.seen has %d states of then", gone, older)
	case older > 0:
		b.note("articles.seen has %d states of before articles.raw began: the topic was made anew, and what it held is not counted", older)
	}
	return nil
}

// findBegin looks up when the first record kept was written.
func (p *partition) findBegin(ctx context.Context) error {
	p.begin = p.now
	if p.first == p.next {
		return nil
	}
	r, ok, err := p.cluster.ReadOne(ctx, bus.TopicRaw, p.id, p.first)
	if ok {
		p.begin = r.Time
	}
	return err
}

// state takes in a record of articles.seen.
func (p *partition) state(ctx context.Context, r bus.Record) error {
	s, err := ingest.ReadState(r)
	if err != nil {
		return err
	}
	k := p.article(s.ID)
	if s.Offset < k.seenOffset && !s.Written.After(k.seenWritten) {
		return nil // written late, by a process that had lost the partition
	}
	k.seen, k.seenStatus, k.release, k.bucket = s.Revision, canonical(s.Status), s.Release, p.intern(s.Bucket)
	k.seenOffset, k.seenWritten = s.Offset, s.Written
	before, err := p.before(ctx, s)
	if before {
		p.older++
		p.replay.Begin(s)
	}
	return err
}

// before tells whether a state was given by a record that articles.raw no
// longer has, or had before it was made anew.
func (p *partition) before(ctx context.Context, s ingest.State) (bool, error) {
	switch {
	case s.Offset < p.first || s.Offset >= p.next:
		return true, nil
	case !s.Written.Before(p.begin):
		return false, nil
	}
	r, ok, err := p.cluster.ReadOne(ctx, bus.TopicRaw, p.id, s.Offset) // clocks differ, so look
	return !ok || !r.Time.Equal(s.Written), err
}

// record replays one record of articles.raw.
func (p *partition) record(r bus.Record) error {
	p.In++
	if p.isLetter(r) {
		p.DeadLettered++ // and ingest's state did not change
		return nil
	}
	d, err := p.replay.Next(r)
	switch {
	case errors.Is(err, article.ErrSchema):
		return fmt.Errorf("%w: draw up the ledger with the newest marsad", err)
	case err != nil && p.lost(bus.TopicDead, r.Time):
		p.Unproven++
	case err != nil:
		p.fault("%s cannot be processed (%v), and ingest wrote no dead letter for it", at(r), err)
	case p.doubtful(d):
		p.Unproven++
	case d.Outcome == ingest.Unchanged, d.Outcome == ingest.Repeated:
		p.Unchanged++
	case d.Outcome == ingest.Refused:
		p.Retracted++
	default:
		p.expect(d, r)
	}
	return nil
}

// doubtful tells whether the article may have had a state before the first
// record kept, which articles.seen no longer has because a later one took its
// place. That it had none is proven by its first revision, received when this
// record was.
func (p *partition) doubtful(d ingest.Decision) bool {
	if d.Revision == 1 && (p.first > 0 || p.older > 0) {
		k := p.article(d.ID)
		proven := k.has(1, inClean) && k.revision(1).received.Equal(d.Received) || k.seen == 1 && k.waiting()
		if !proven {
			p.unsure[d.ID] = true
		}
	}
	return p.unsure[d.ID]
}

// expect notes that the topics must know the revision.
func (p *partition) expect(d ingest.Decision, r bus.Record) {
	k := p.article(d.ID)
	k.bucket = p.intern(d.Bucket)
	v := k.revision(d.Revision)
	if v.has(inRaw) {
		p.fault("article %s revision %d came in twice, the second time by %s: records of one source lie in several partitions", d.ID, d.Revision, at(r))
	}
	v.marks |= inRaw
	if v.status == "" {
		v.status = canonical(d.Status)
	} else if v.status != d.Status {
		p.fault("article %s revision %d is %s after %s, %s in the topics", d.ID, d.Revision, d.Status, at(r), v.status)
	}
	if d.Outcome == ingest.Held {
		v.marks |= underEmbargo
	}
	if p.lost(bus.TopicClean, r.Time) {
		v.marks |= oldClean
	}
	if p.lost(bus.TopicEnriched, r.Time) || p.lost(bus.TopicDead, r.Time) {
		v.marks |= oldEnriched
	}
}
