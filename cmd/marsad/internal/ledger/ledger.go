// Package ledger balances what came in against what became of it, from the
// topics, the index and the count of what ingest left out.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/prometheus/client_golang/prometheus"
)

// Ledger says what became of every record of articles.raw. It balances when
// In is the sum of the others.
type Ledger struct {
	In           int // records in articles.raw
	Indexed      int // articles that readers find
	Superseded   int // revisions overtaken by a later one
	Unchanged    int // repetitions and exact copies
	Retracted    int // tombstones, and what came for them later
	Withheld     int // not to be shown for now
	Held         int // under embargo
	DeadLettered int
	Expired      int // older than the index keeps

	Faults []string // articles whose state in the index is not the latest in the topic
}

// Out is the sum of all that In became.
func (l Ledger) Out() int {
	return l.Indexed + l.Superseded + l.Unchanged + l.Retracted + l.Withheld + l.Held + l.DeadLettered + l.Expired
}

// Balanced tells whether nothing was lost and nothing is there twice.
func (l Ledger) Balanced() bool { return l.In == l.Out() && len(l.Faults) == 0 }

// Print writes the ledger.
func (l Ledger) Print(w io.Writer) {
	for _, row := range []struct {
		name string
		n    int
		what string
	}{
		{"in", l.In, "records in articles.raw"},
		{"indexed", l.Indexed, "articles that readers find"},
		{"superseded", l.Superseded, "revisions overtaken by a later one"},
		{"unchanged", l.Unchanged, "repetitions and exact copies of one source"},
		{"retracted", l.Retracted, "kill notices, and what came after them"},
		{"withheld", l.Withheld, "not to be shown for now"},
		{"held", l.Held, "under embargo"},
		{"dead-lettered", l.DeadLettered, "could not be processed; see \"marsad dlq list\""},
		{"expired", l.Expired, "older than the index keeps"},
	} {
		fmt.Fprintf(w, "  %-14s %7d  %s\n", row.name, row.n, row.what)
	}
	for _, f := range l.Faults {
		fmt.Fprintln(w, "  fault:", f)
	}
	if l.Balanced() {
		fmt.Fprintf(w, "  balanced: %d in = %d out\n", l.In, l.Out())
	} else {
		fmt.Fprintf(w, "  NOT BALANCED: %d in, %d out, %d faults\n", l.In, l.Out(), len(l.Faults))
	}
}

// Compute reads the topics and the index. The pipeline must be at rest, and
// counts must come from a process that has seen all of articles.raw once: its
// counters tell what left no trace in a topic.
func Compute(ctx context.Context, c *bus.Cluster, index search.Reader, counts prometheus.Gatherer) (Ledger, error) {
	var l Ledger
	_, next, err := c.Offsets(ctx, bus.TopicRaw)
	if err != nil {
		return l, err
	}
	for _, n := range next {
		l.In += int(n)
	}
	ingest, err := counters(counts, "marsad_ingest_articles_total", "outcome")
	if err != nil {
		return l, err
	}
	indexed, err := counters(counts, "marsad_index_articles_total", "outcome")
	if err != nil {
		return l, err
	}
	latest, revisions, err := readClean(ctx, c)
	if err != nil {
		return l, err
	}
	if l.DeadLettered, err = count(ctx, c, bus.TopicDead); err != nil {
		return l, err
	}
	if l.Held, err = Held(ctx, c); err != nil {
		return l, err
	}
	byStatus, err := index.Count(ctx)
	if err != nil {
		return l, err
	}
	overtaken := ingest["held"] - ingest["released"] - l.Held // embargoed revisions that a later one replaced
	l.Indexed = byStatus[article.Usable]
	l.Withheld = byStatus[article.Withheld]
	l.Retracted = byStatus[article.Canceled] + ingest["refused"]
	l.Superseded = revisions - len(latest) + overtaken
	l.Unchanged = ingest["unchanged"] + ingest["repeated"]
	l.Expired = indexed["expired"]
	return l, l.verify(ctx, index, latest)
}

// verify holds every article's state in the index against the latest in the
// topic.
func (l *Ledger) verify(ctx context.Context, index search.Reader, latest map[string]article.Article) error {
	for id, want := range latest {
		got, err := index.Get(ctx, id)
		switch {
		case errors.Is(err, search.ErrGone):
			got.Status, err = article.Canceled, nil
		case errors.Is(err, search.ErrNotFound):
			got.Status, err = article.Withheld, nil
		}
		switch {
		case err != nil:
			return fmt.Errorf("asking the index for %s: %w", id, err)
		case got.Status != want.Status:
			l.Faults = append(l.Faults, fmt.Sprintf("%s is %s in the index, %s in articles.clean", id, got.Status, want.Status))
		case got.Status == article.Usable && got.Revision != want.Revision:
			l.Faults = append(l.Faults, fmt.Sprintf("%s has revision %d in the index, %d in articles.clean", id, got.Revision, want.Revision))
		}
	}
	return nil
}

// readClean gives the latest revision of every article, without its text, and
// the number of distinct revisions.
func readClean(ctx context.Context, c *bus.Cluster) (map[string]article.Article, int, error) {
	latest, seen := map[string]article.Article{}, map[string]bool{}
	err := each(ctx, c, bus.TopicClean, func(r bus.Record) error {
		a, err := article.Decode(r.Value)
		if err != nil {
			return nil //nolint:nilerr // dead-lettered by enrich, and counted there
		}
		seen[fmt.Sprintf("%s/%d", a.ID, a.Revision)] = true
		if a.Revision > latest[a.ID].Revision {
			a.Redact()
			latest[a.ID] = a
		}
		return nil
	})
	return latest, len(seen), err
}

// Held counts the articles that wait for the end of an embargo.
func Held(ctx context.Context, c *bus.Cluster) (int, error) {
	waiting := map[string]bool{}
	err := each(ctx, c, bus.TopicHeld, func(r bus.Record) error {
		if r.Value == nil {
			delete(waiting, string(r.Key))
		} else {
			waiting[string(r.Key)] = true
		}
		return nil
	})
	return len(waiting), err
}

func count(ctx context.Context, c *bus.Cluster, topic string) (n int, err error) {
	err = each(ctx, c, topic, func(bus.Record) error { n++; return nil })
	return n, err
}

func each(ctx context.Context, c *bus.Cluster, topic string, fn func(bus.Record) error) error {
	first, _, err := c.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	for p := range first {
		if _, err := c.ReadAll(ctx, topic, p, fn); err != nil {
			return err
		}
	}
	return nil
}

// counters reads one counter's values by a label.
func counters(g prometheus.Gatherer, name, label string) (map[string]int, error) {
	families, err := g.Gather()
	if err != nil {
		return nil, fmt.Errorf("reading counters: %w", err)
	}
	out := map[string]int{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label {
					out[l.GetValue()] += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return out, nil
}
