package ingest

import (
	"errors"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
)

// State is what articles.seen says about one article.
type State struct {
	ID       string
	Revision int64 // the latest
	Status   article.Status
	Bucket   string
	Offset   int64     // of the record in articles.raw that gave this state
	Written  time.Time // that record's time
	Release  time.Time // end of the embargo while the latest revision is held; else zero

	entry *entry
}

// ReadState reads a record of articles.seen. The error wraps a
// *bus.OutageError where a newer program wrote it.
func ReadState(r bus.Record) (State, error) {
	one := newIdentities()
	if err := one.load(r); err != nil {
		return State{}, err
	}
	for _, e := range one.byID {
		return State{
			ID: e.ID, Revision: e.Revision, Status: e.Status, Bucket: e.Bucket,
			Offset: e.Offset, Written: e.Written, Release: e.Release, entry: e,
		}, nil
	}
	return State{}, errors.New("a record of articles.seen has no value: ingest writes no tombstones")
}

// Decision is what ingest makes of one record of articles.raw.
type Decision struct {
	Outcome  Outcome
	ID       string    // of the article
	Revision int64     // the new one; 0 where the record gives none
	Received time.Time // of the new revision
	Bucket   string
	Status   article.Status
}

// Replay repeats what ingest decides about the records of one partition of
// articles.raw, by the same code, and writes nothing. Not safe for concurrent
// use. It takes as much memory as ingest does for the partition.
type Replay struct{ known *identities }

// NewReplay begins from nothing known, as ingest did at the first record ever.
func NewReplay() *Replay { return &Replay{known: newIdentities()} }

// Begin takes in what was known of an article before the first record given to
// Next. A later state of an article takes the place of an earlier one.
func (p *Replay) Begin(s State) { p.known.apply(s.entry) }

// Next decides about the next record. An error makes the record a dead letter,
// unless it wraps article.ErrSchema: a newer program must do the replay.
//
// The clock is the record's time. A revision whose embargo ended between that
// time and ingest's look at it is Held here and was Created or Revised there: it
// went on as if released at once. Nothing else depends on the clock.
func (p *Replay) Next(r bus.Record) (Decision, error) {
	raw, err := decode(r)
	if err != nil {
		return Decision{}, err
	}
	o := &overlay{base: p.known, top: newIdentities()}
	d := o.decide(&raw, r, r.Time)
	out := Decision{Outcome: d.outcome, ID: d.id}
	if d.entry == nil {
		return out, nil
	}
	p.known.apply(d.entry)
	if d.outcome != Unchanged {
		out.Revision, out.Status, out.Bucket, out.Received = d.entry.Revision, d.entry.Status, d.entry.Bucket, raw.Received
	}
	return out, nil
}
