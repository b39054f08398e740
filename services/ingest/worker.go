package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"go.uber.org/zap"
)

// worker resolves the records of one partition of articles.raw. It is called
// by one goroutine at a time.
type worker struct {
	s         *Service
	partition int
	known     *identities
	waiting   map[string]time.Time // held articles, by id, and when their embargo ends
}

// open reads the state of a partition back.
func (s *Service) open(ctx context.Context, partition int) (bus.Handler, error) {
	w := &worker{s: s, partition: partition, known: newIdentities(), waiting: map[string]time.Time{}}
	if _, err := s.deps.Cluster.ReadAll(ctx, bus.TopicSeen, partition, w.known.load); err != nil {
		return nil, fmt.Errorf("reading identities back: %w", err)
	}
	for id, e := range w.known.byID {
		if !e.Release.IsZero() {
			w.waiting[id] = e.Release
		}
	}
	s.deps.Log.Info("identities read back", zap.Int("partition", partition), zap.Int("articles", len(w.known.byID)), zap.Int("held", len(w.waiting)))
	return w.handle, nil
}

// output is what a batch writes, topic by topic.
type output struct {
	clean, held, seen []bus.Message
	failed            []bus.RecordError
	counts            map[Outcome]int
	received          []time.Time // of what goes to articles.clean
}

// handle resolves a batch: articles.clean and articles.held first, then
// articles.seen; the state in memory changes only after that.
func (w *worker) handle(ctx context.Context, batch []bus.Record) error {
	now := w.s.deps.Now()
	if err := w.release(ctx, now); err != nil {
		return err
	}
	changes := &overlay{base: w.known, top: newIdentities()}
	out := &output{counts: map[Outcome]int{}}
	for i, r := range batch {
		err := w.resolve(changes, out, r, now)
		if errors.Is(err, article.ErrSchema) {
			return &bus.OutageError{Err: fmt.Errorf("articles.raw offset %d: %w", r.Offset, err)}
		}
		if err != nil {
			out.failed = append(out.failed, bus.RecordError{Index: i, Err: err, Do: bus.Reject})
		}
	}
	if err := w.write(ctx, out); err != nil {
		return err
	}
	for _, e := range changes.top.byID {
		w.known.apply(e)
		delete(w.waiting, e.ID)
		if !e.Release.IsZero() {
			w.waiting[e.ID] = e.Release
		}
	}
	w.s.metrics.count(out)
	if out.failed != nil {
		return &bus.BatchError{Records: out.failed}
	}
	return nil
}

// write makes a batch's output durable, in the order that a crash forgives.
func (w *worker) write(ctx context.Context, out *output) error {
	if err := w.s.clean.Write(ctx, out.clean...); err != nil {
		return err
	}
	if err := w.s.held.Write(ctx, out.held...); err != nil {
		return err
	}
	return w.s.seen.Write(ctx, out.seen...)
}

// resolve decides on one record and adds what follows to out.
func (w *worker) resolve(changes *overlay, out *output, r bus.Record, now time.Time) error {
	raw, err := decode(r)
	if err != nil {
		return err
	}
	d := changes.decide(&raw, r, now)
	out.counts[d.outcome]++
	if d.entry == nil {
		return nil
	}
	if err := out.state(d.entry, w.partition); err != nil {
		return err
	}
	if d.outcome == Unchanged {
		return nil
	}
	a := clean(&raw, d.entry)
	value, err := article.Encode(&a)
	if err != nil {
		return err
	}
	m := bus.Message{Key: []byte(a.ID), Value: value, Headers: headers(&a, r.Header(bus.HeaderTraceParent), now)}
	if d.outcome == Held {
		m.Partition = &w.partition
		out.held = append(out.held, m)
		return nil
	}
	out.clean = append(out.clean, m)
	out.received = append(out.received, a.Received)
	if d.wasHeld {
		out.held = append(out.held, bus.Message{Partition: &w.partition, Key: m.Key})
	}
	return nil
}

// state adds e to what goes to articles.seen.
func (out *output) state(e *entry, partition int) error {
	value, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding state: %w", err)
	}
	out.seen = append(out.seen, bus.Message{Partition: &partition, Key: []byte(e.ID), Value: value})
	return nil
}

// release moves held articles whose embargo has ended to articles.clean.
func (w *worker) release(ctx context.Context, now time.Time) error {
	due := false
	for _, t := range w.waiting {
		due = due || !t.After(now)
	}
	if !due {
		return nil
	}
	kept := map[string]bus.Record{}
	_, err := w.s.deps.Cluster.ReadAll(ctx, bus.TopicHeld, w.partition, func(r bus.Record) error {
		if t, ok := w.waiting[string(r.Key)]; ok && !t.After(now) {
			kept[string(r.Key)] = r
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading held articles: %w", err)
	}
	out := &output{}
	freed := newIdentities()
	for id, t := range w.waiting {
		if t.After(now) {
			continue
		}
		e := *w.known.byID[id]
		e.Release = time.Time{}
		freed.apply(&e)
		if r := kept[id]; r.Value != nil { // else it was released before a crash
			out.clean = append(out.clean, bus.Message{Key: r.Key, Value: r.Value, Headers: r.Headers})
			out.held = append(out.held, bus.Message{Partition: &w.partition, Key: r.Key})
		}
		if err := out.state(&e, w.partition); err != nil {
			return err
		}
	}
	if err := w.write(ctx, out); err != nil {
		return err
	}
	for id, e := range freed.byID {
		w.known.apply(e)
		delete(w.waiting, id)
	}
	w.s.metrics.articles.WithLabelValues("released").Add(float64(len(out.clean)))
	return nil
}

// decode reads a record of articles.raw: one article in any form of
// [article.FormOf], by the header content-type, else by its first bytes. The
// source is that of the article, else the record's key, else the publisher's
// name.
func decode(r bus.Record) (article.Raw, error) {
	raw, err := decodeForm(r)
	if err != nil {
		return raw, err
	}
	raw.NameSource(strings.ToValidUTF8(string(r.Key), "\uFFFD"), "")
	if raw.Received.IsZero() || raw.Received.After(r.Time.Add(time.Minute)) {
		raw.Received = r.Time
	}
	raw.Received = raw.Received.UTC()
	return raw, raw.Clean(r.Time)
}

func decodeForm(r bus.Record) (article.Raw, error) {
	if r.Value == nil {
		return article.Raw{}, errors.New("record has no value: articles.raw takes articles, not tombstones")
	}
	switch kind := r.Header(bus.HeaderContentType); kind {
	case "application/json":
		return article.ReadOne(r.Value, article.JSON)
	case "":
		return article.ReadOne(r.Value, article.Sniff(r.Value))
	default:
		return decodeAs(kind, r.Value)
	}
}

// decodeAs reads a value by its media type. One that is not known is taken for
// JSON, or for text where it begins with text/.
func decodeAs(kind string, value []byte) (article.Raw, error) {
	form, charset, err := article.FormOf(kind)
	if err != nil && strings.HasPrefix(kind, "text/") {
		form = article.Text
	}
	if charset == nil {
		return article.ReadOne(value, form)
	}
	value, err = charset.Bytes(value)
	if err != nil {
		return article.Raw{}, fmt.Errorf("decoding as %.80q: %w", kind, err)
	}
	return article.ReadOne(value, form)
}

// clean makes the article that goes on.
func clean(raw *article.Raw, e *entry) article.Article {
	a := article.Article{
		Schema: article.SchemaVersion, ID: e.ID, Revision: e.Revision, Bucket: e.Bucket, Status: raw.Status,
		Language: raw.Language, Source: raw.Source, GUID: raw.GUID, URL: raw.URL,
		Title: raw.Title, Body: raw.Body, Byline: raw.Byline,
		Published: published(raw), FirstPublished: e.FirstPublished, Embargoed: raw.Embargoed, Received: raw.Received,
	}
	if a.Status != article.Usable {
		a.Redact()
	}
	return a
}

func headers(a *article.Article, parent string, at time.Time) []bus.Header {
	kind := bus.TypeClean
	if a.Status == article.Canceled {
		kind = bus.TypeRetracted
	}
	return bus.EventHeaders(fmt.Sprintf("%s/%d", a.ID, a.Revision), kind, "/marsad/ingest", parent, at)
}

func (m *metrics) count(out *output) {
	for o, n := range out.counts {
		m.articles.WithLabelValues(string(o)).Add(float64(n))
	}
	m.articles.WithLabelValues("rejected").Add(float64(len(out.failed)))
	for _, t := range out.received {
		m.seconds.Observe(time.Since(t).Seconds())
	}
}

// Alone makes the article that raw would become if it came in now and nothing
// was known before. It needs no server.
func Alone(raw article.Raw, now time.Time) (article.Article, error) {
	raw.NameSource("", "file")
	raw.Received = now.UTC()
	if err := raw.Clean(now); err != nil {
		return article.Article{}, err
	}
	o := &overlay{base: newIdentities(), top: newIdentities()}
	return clean(&raw, o.decide(&raw, bus.Record{Time: now}, now).entry), nil
}
