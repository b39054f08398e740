package enrich

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
)

// fragile is a stage that fails on some titles.
type fragile struct{}

func (fragile) Name() string { return "fragile" }

func (fragile) Apply(_ context.Context, a *article.Article) error {
	switch a.Title {
	case "panic":
		panic("no such luck")
	case "error":
		return errors.New("cannot be done")
	}
	a.Topics = []article.Topic{{ID: "medtop:16000000", Name: "conflict, war and peace", Score: 1, Evidence: []string{a.Title}}}
	return nil
}

// Every record comes out enriched, in its order, or ends as a dead letter with
// the reason; one that breaks a stage holds up no other.
func TestServiceSortsRecords(t *testing.T) {
	c := bustest.New(t, 1)
	in := bus.NewProducer(c, bus.TopicClean)
	defer in.Close()
	now := time.Now().UTC()
	sample := func(id, title string, status article.Status) bus.Message {
		a := article.Article{Schema: 1, ID: id, Revision: 1, Bucket: now.Format("2006-01"), Status: status, Title: title,
			Source: article.Source{ID: "s"}, Published: now, FirstPublished: now, Received: now}
		v, err := article.Encode(&a)
		if err != nil {
			t.Fatal(err)
		}
		return bus.Message{Key: []byte(id), Value: v, Headers: bus.EventHeaders(id+"/1", bus.TypeClean, "/test", "", now)}
	}
	var msgs []bus.Message
	for i := range 50 {
		msgs = append(msgs, sample(fmt.Sprint(i), fmt.Sprint("title ", i), article.Usable))
	}
	msgs[7], msgs[20], msgs[30] = sample("7", "panic", article.Usable), sample("20", "error", article.Usable), sample("30", "", article.Canceled)
	msgs[40].Value = []byte("junk")
	if err := in.Write(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{}, Deps{Cluster: c, Enricher: &Enricher{stages: []Stage{fragile{}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	out := read(t, c, bus.TopicEnriched, 47)
	dead := read(t, c, bus.TopicDead, 3)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, r := range out {
		var i int
		if _, err := fmt.Sscan(string(r.Key), &i); err != nil || i <= last {
			t.Fatalf("record %s comes after %d", r.Key, last)
		}
		last = i
		a, err := article.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case i == 30 && (len(a.Topics) != 0 || r.Header(bus.HeaderType) != bus.TypeRetracted):
			t.Errorf("retraction came out as %+v, %s", a, r.Header(bus.HeaderType))
		case i != 30 && (len(a.Topics) != 1 || a.Generation != Generation || a.Enriched.IsZero() || r.Header(bus.HeaderType) != bus.TypeEnriched):
			t.Errorf("article came out as %+v, %s", a, r.Header(bus.HeaderType))
		}
		if trace := bus.TraceID(r.Header(bus.HeaderTraceParent)); trace == "" || trace != bus.TraceID(string(msgs[i].Headers[6].Value)) {
			t.Errorf("article %d lost its trace", i)
		}
	}
	want := map[string]string{"7": "panic: no such luck", "20": "cannot be done", "40": "not JSON"}
	for _, r := range dead {
		if reason := r.Header(bus.DeadReason); !strings.Contains(reason, want[string(r.Key)]) || r.Header(bus.DeadStage) != "enrich" {
			t.Errorf("dead letter %s: %q", r.Key, reason)
		}
	}
}

func read(t *testing.T, c *bus.Cluster, topic string, n int) []bus.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []bus.Record
	enough := errors.New("enough")
	err := bus.NewFeed(c, topic).Follow(ctx, map[int]int64{0: 0}, func(r bus.Record) error {
		if out = append(out, r); len(out) == n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("%s: %d records, want %d: %v", topic, len(out), n, err)
	}
	return out
}

// A record of a newer schema pauses the stage and is not dead-lettered.
func TestServicePausesOnNewerSchema(t *testing.T) {
	c := bustest.New(t, 1)
	in := bus.NewProducer(c, bus.TopicClean)
	defer in.Close()
	if err := in.Write(t.Context(), bus.Message{Key: []byte("x"), Value: []byte(`{"schema":99,"id":"x"}`)}); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{}, Deps{Cluster: c, Enricher: &Enricher{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for err := s.Ready(); err == nil || !strings.Contains(err.Error(), "schema 99"); err = s.Ready() {
		select {
		case err := <-done:
			t.Fatal("ended: ", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	_, next, err := c.Offsets(t.Context(), bus.TopicDead)
	if err != nil || next[0] != 0 {
		t.Errorf("%d dead letters (%v)", next[0], err)
	}
}
