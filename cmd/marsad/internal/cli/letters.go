package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"golang.org/x/time/rate"
)

// letterFilter chooses dead letters. A field that is zero lets all through.
type letterFilter struct {
	brokers                          []string
	stage, topic, reason, id, source string
	since, until                     time.Duration // ages: not older than since, not younger than until
	limit                            int           // how many, the oldest first
}

// chooses tells whether the filter leaves any letter out.
func (f *letterFilter) chooses() bool {
	return f.stage != "" || f.topic != "" || f.reason != "" || f.id != "" || f.source != "" || f.since != 0 || f.until != 0 || f.limit != 0
}

func (f *letterFilter) match(r bus.Record, now time.Time) bool {
	failed, err := time.Parse(time.RFC3339Nano, r.Header(bus.DeadFailed))
	if err != nil {
		failed = r.Time
	}
	return (f.stage == "" || r.Header(bus.DeadStage) == f.stage) &&
		(f.topic == "" || r.Header(bus.DeadTopic) == f.topic) &&
		strings.Contains(r.Header(bus.DeadReason), f.reason) &&
		(f.id == "" || string(r.Key) == f.id) &&
		(f.until == 0 || now.Sub(failed) >= f.until) &&
		(f.since == 0 || now.Sub(failed) <= f.since) &&
		(f.source == "" || sourceOf(r) == f.source)
}

// sourceOf is the id of the source of the article in a letter: what the record
// says, else for raw ones their key.
func sourceOf(r bus.Record) string {
	var a struct{ Source struct{ ID string } }
	if json.Unmarshal(r.Value, &a) == nil && a.Source.ID != "" {
		return a.Source.ID
	}
	if r.Header(bus.DeadTopic) == bus.TopicRaw {
		return string(r.Key)
	}
	return ""
}

// letter is a dead letter as it is listed.
type letter struct {
	Place    string `json:"place"`
	Failed   string `json:"failed"`
	Stage    string `json:"stage"`
	Topic    string `json:"topic"`
	Offset   string `json:"offset"` // partition:offset in Topic
	Attempts string `json:"attempts"`
	Reason   string `json:"reason"`
	Trace    string `json:"trace_id,omitempty"`
	Bytes    int    `json:"bytes"`

	partition int
	offset    int64
	written   time.Time
}

func describe(r bus.Record) letter {
	return letter{
		Place: fmt.Sprintf("%d:%d", r.Partition, r.Offset), Failed: r.Header(bus.DeadFailed), Stage: r.Header(bus.DeadStage), Topic: r.Header(bus.DeadTopic),
		Offset:   r.Header(bus.DeadPartition) + ":" + r.Header(bus.DeadOffset),
		Attempts: r.Header(bus.DeadAttempts), Reason: r.Header(bus.DeadReason),
		Trace: bus.TraceID(r.Header(bus.HeaderTraceParent)), Bytes: len(r.Value),
		partition: r.Partition, offset: r.Offset, written: r.Time,
	}
}

// findLetters describes the dead letters at places, or all that f lets
// through, oldest first. Their records are not kept: there may be many.
func findLetters(ctx context.Context, c *bus.Cluster, f *letterFilter, places []string) ([]letter, error) {
	first, _, err := c.Offsets(ctx, bus.TopicDead)
	if err != nil {
		return nil, err
	}
	now, wanted := time.Now(), map[string]bool{}
	for _, p := range places {
		wanted[p] = true
	}
	var found []letter
	for p := range first {
		_, err := c.ReadAll(ctx, bus.TopicDead, p, func(r bus.Record) error {
			if l := describe(r); wanted[l.Place] || len(places) == 0 && f.match(r, now) {
				found = append(found, l)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, l := range found {
		delete(wanted, l.Place)
	}
	for p := range wanted {
		return nil, fmt.Errorf("there is no dead letter at %q: write PARTITION:OFFSET as in \"marsad dlq list\"", p)
	}
	slices.SortFunc(found, func(a, b letter) int { return a.written.Compare(b.written) })
	if f.limit > 0 {
		found = found[:min(len(found), f.limit)]
	}
	return found, nil
}

func listLetters(out io.Writer, letters []letter, asJSON bool) error {
	enc := json.NewEncoder(out)
	for _, l := range letters {
		if asJSON {
			if err := enc.Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(out, "%-8s %s  %-7s %s@%s  %s\n", l.Place, l.Failed, l.Stage, l.Topic, l.Offset, printable(l.Reason))
	}
	if !asJSON {
		fmt.Fprintf(out, "%d dead letters\n", len(letters))
	}
	return nil
}

// open reads a letter's record.
func (l *letter) open(ctx context.Context, c *bus.Cluster) (bus.Record, error) {
	r, ok, err := c.ReadOne(ctx, bus.TopicDead, l.partition, l.offset)
	if err == nil && !ok {
		err = fmt.Errorf("the dead letter at %s is gone", l.Place)
	}
	return r, err
}

func showLetter(out io.Writer, r bus.Record) error {
	for _, h := range r.Headers {
		fmt.Fprintf(out, "%s: %s\n", printable(h.Key), printable(string(h.Value)))
	}
	fmt.Fprintf(out, "key: %s\n\n%s\n", printable(string(r.Key)), strings.Map(keepLines, string(r.Value)))
	return nil
}

func keepLines(c rune) rune {
	if c == '\n' || c == '\t' {
		return c
	}
	return []rune(printable(string(c)))[0]
}

// replay is a run of dlq replay.
type replay struct {
	cluster   *bus.Cluster
	out       io.Writer
	limit     *rate.Limiter // letters written, a second
	dryRun    bool
	retracted map[string]bool // ids of articles
	producers map[string]*bus.Producer
	replayed  int
}

// replayLetters writes letters back into the topics they came from.
func replayLetters(ctx context.Context, c *bus.Cluster, out io.Writer, letters []letter, perSecond int, dryRun bool) error {
	gone, err := retractedIDs(ctx, c)
	if err != nil {
		return err
	}
	r := &replay{
		cluster: c, out: out, limit: rate.NewLimiter(rate.Limit(perSecond), 1), dryRun: dryRun,
		retracted: gone, producers: map[string]*bus.Producer{},
	}
	defer func() {
		for _, p := range r.producers {
			p.Close()
		}
	}()
	for i := range letters {
		if err := r.one(ctx, &letters[i]); err != nil {
			return errors.Join(fmt.Errorf("%d of %d dead letters were replayed before", r.replayed, len(letters)), err)
		}
	}
	verb := "replayed"
	if dryRun {
		verb = "would be replayed"
	}
	fmt.Fprintf(out, "%d of %d dead letters %s\n", r.replayed, len(letters), verb)
	return nil
}

func (r *replay) one(ctx context.Context, l *letter) error {
	record, err := l.open(ctx, r.cluster)
	if err != nil {
		return err
	}
	m, topic, ok := bus.Revive(record)
	switch {
	case !ok || !slices.ContainsFunc(bus.Topics(), func(t bus.Topic) bool { return t.Name == topic && t.Name != bus.TopicDead }):
		fmt.Fprintf(r.out, "%s left alone: it names no topic of Marsad\n", l.Place)
		return nil
	case topic != bus.TopicRaw && r.retracted[string(record.Key)]:
		fmt.Fprintf(r.out, "%s left alone: article %s was retracted\n", l.Place, printable(string(record.Key)))
		return nil
	}
	if !r.dryRun {
		if r.producers[topic] == nil {
			r.producers[topic] = bus.NewProducer(r.cluster, topic)
		}
		if err := r.limit.Wait(ctx); err != nil {
			return err
		}
		if err := r.producers[topic].Write(ctx, m); err != nil {
			return err
		}
	}
	r.replayed++
	fmt.Fprintf(r.out, "%s → %s\n", l.Place, topic)
	return nil
}

// retractedIDs are the ids of articles that were retracted.
func retractedIDs(ctx context.Context, c *bus.Cluster) (map[string]bool, error) {
	first, _, err := c.Offsets(ctx, bus.TopicSeen)
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for p := range first {
		_, err := c.ReadAll(ctx, bus.TopicSeen, p, func(r bus.Record) error {
			var e struct {
				ID     string         `json:"id"`
				Status article.Status `json:"status"`
			}
			if err := json.Unmarshal(r.Value, &e); err != nil {
				return err
			}
			if e.Status == article.Canceled {
				gone[e.ID] = true
			} else {
				delete(gone, e.ID)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading which articles were retracted: %w", err)
		}
	}
	return gone, nil
}
