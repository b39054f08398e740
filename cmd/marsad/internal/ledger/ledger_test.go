package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/services/index"
	"github.com/marsad-news/marsad/services/ingest"
)

// figures gives the counts of a ledger alone.
func figures(l Ledger) Ledger {
	l.Faults, l.Notes, l.FaultsAll = nil, nil, 0
	return l
}

func compute(t *testing.T, w *world, s *served) (Ledger, string) {
	t.Helper()
	l, err := Compute(t.Context(), s.Cluster, w, Config{RetentionMonths: months})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	l.Print(&out)
	return l, out.String()
}

// One run of the true services gives the world; every test spoils a copy.
func TestLedger(t *testing.T) {
	w := produce(t)
	l, out := compute(t, w, w.broker(t, nil))
	if fmt.Sprint(figures(l)) != fmt.Sprint(want) || !l.Balanced() || !strings.Contains(out, "balanced: 17 in = 17 out") {
		t.Fatalf("got %+v, want %+v\n%s", l, want, out)
	}
	t.Run("faults", func(t *testing.T) { testFaults(t, w) })
	t.Run("changes", func(t *testing.T) { testChanges(t, w) })
	t.Run("retention", func(t *testing.T) { testRetention(t, w) })
	t.Run("dropped by hand", func(t *testing.T) { testDropped(t, w) })
	t.Run("made anew", func(t *testing.T) { testMadeAnew(t, w) })
	t.Run("not at rest", func(t *testing.T) { testNotAtRest(t, w) })
}

const generation = 1<<20 - 1

// testFaults plants each kind of fault: it must be named, and the balance lost.
func testFaults(t *testing.T, w *world) {
	a1, b1, b2, e := w.ids["a1"], w.ids["b1"], w.ids["b2"], w.ids["e"]
	for name, c := range map[string]struct {
		spoil func(*world)
		says  string
	}{
		"missing in clean": {func(w *world) { w.drop(bus.TopicClean, e, 0); w.drop(bus.TopicEnriched, e, 0); w.setIndex(e, 0, "") },
			"article " + e + " revision 1 came in, but is not in articles.clean"},
		"an overtaken revision missing in clean": {func(w *world) { w.drop(bus.TopicClean, a1, 1); w.drop(bus.TopicEnriched, a1, 1) },
			"article " + a1 + " revision 1 came in, but is not in articles.clean"},
		"missing in enriched": {func(w *world) { w.drop(bus.TopicEnriched, e, 0) },
			"article " + e + " revision 1 is in articles.clean, but neither in articles.enriched nor dead-lettered"},
		"missing in the index": {func(w *world) { w.setIndex(e, 0, "") }, "article " + e + " revision 1 is not in the index"},
		"an older revision in the index": {func(w *world) { w.setIndex(a1, 1<<20|generation, article.Usable) },
			"article " + a1 + " has revision 1 in the index, 2 in the topics"},
		"an older generation in the index": {func(w *world) { w.setIndex(e, 1<<20, article.Usable) }, "generation 0 in the index, 1 in the topics"},
		"a newer revision in the index": {func(w *world) { w.setIndex(e, 7<<20, article.Usable) },
			"article " + e + " has revision 7 in the index, the topics know only 1"},
		"a retracted one is shown": {func(w *world) { w.setIndex(b1, 2<<20|generation, article.Usable) },
			"article " + b1 + " is usable in the index, canceled in the topics"},
		"a withheld one is gone": {func(w *world) { w.setIndex(b2, 0, "") }, "article " + b2 + " revision 1 is not in the index"},
		"a ghost":                {func(w *world) { w.setIndex("ghost", 1<<20, article.Usable) }, "article ghost is in the index (revision 1, usable), but in no topic"},
		"an article twice": {func(w *world) { w.index = append(w.index, document{e, 1 << 20, article.Usable}) },
			"article " + e + " is in the index twice"},
		"an embargo that leaked": {func(w *world) { w.setIndex(w.ids["c1"], 1<<20, article.Usable) },
			"article " + w.ids["c1"] + " has revision 1 (usable) in the index, which no topic gave it"},
		"a held text is gone": {func(w *world) { w.drop(bus.TopicHeld, w.ids["c1"], 0) },
			"article " + w.ids["c1"] + " revision 1 is under embargo, but its text is not in articles.held"},
		"a lost dead letter of ingest": {func(w *world) { w.dropLetters("ingest") }, "and ingest wrote no dead letter for it"},
		"a lost dead letter of index":  {func(w *world) { w.dropLetters("index") }, "is not in the index"},
		"what nobody sent": {func(w *world) {
			w.add(bus.TopicClean, 0, w.copyOf(bus.TopicClean, e, func(a *article.Article) { a.ID = "nobody" }))
		},
			"article nobody revision 1 is in the topics, but no record of articles.raw gave it"},
		"junk in clean": {func(w *world) { w.add(bus.TopicClean, 0, bus.Message{Value: []byte("{")}) }, "and enrich wrote no dead letter for it"},
		"a revision that nobody sent": {func(w *world) {
			w.add(bus.TopicClean, 0, w.copyOf(bus.TopicClean, e, func(a *article.Article) { a.Revision = 2 }))
		}, "has revision 2 in articles.clean, articles.seen knows only 1"},
		"one source in two partitions": {func(w *world) {
			for p, rs := range w.records[bus.TopicRaw] {
				for _, r := range rs {
					if string(r.Key) == "e" {
						w.add(bus.TopicRaw, (p+1)%partitions, bus.Message{Key: r.Key, Value: r.Value})
					}
				}
			}
		}, "records of one source lie in several partitions"},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := w.clone()
			c.spoil(spoilt)
			l, out := compute(t, spoilt, spoilt.broker(t, nil))
			if l.Balanced() || !strings.Contains(out, "NOT BALANCED") || !strings.Contains(out, c.says) {
				t.Errorf("want %q:\n%s", c.says, out)
			}
		})
	}
}

// testChanges has the world differ in ways that are no fault.
func testChanges(t *testing.T, w *world) {
	e, d1 := w.ids["e"], w.ids["d1"]
	for name, c := range map[string]struct {
		change func(*world)
		want   func(*Ledger)
	}{
		"a dead letter of enrich": {func(w *world) {
			w.drop(bus.TopicEnriched, e, 0)
			w.setIndex(e, 0, "")
			for _, rs := range w.records[bus.TopicClean] {
				for _, r := range rs {
					if string(r.Key) == e {
						w.add(bus.TopicDead, 0, bus.DeadLetter(r, "enrich", "why", 1, w.now))
					}
				}
			}
		}, func(l *Ledger) { l.Indexed--; l.DeadLettered++ }},
		"a dead letter of index, replayed": {func(w *world) {
			w.add(bus.TopicEnriched, 1, w.copyOf(bus.TopicEnriched, d1, func(*article.Article) {}))
			w.setIndex(d1, 1<<20|1, article.Usable)
		}, func(l *Ledger) { l.Indexed++; l.DeadLettered--; l.Recovered++ }},
		"a dead letter of ingest, replayed and given up again": {func(w *world) {
			for p, rs := range w.records[bus.TopicRaw] {
				for _, r := range rs {
					if strings.Contains(string(r.Value), "junk") {
						w.add(bus.TopicRaw, p, bus.Message{Key: r.Key, Value: r.Value})
						w.add(bus.TopicDead, 0, bus.DeadLetter(w.last(bus.TopicRaw, p), "ingest", "why", 1, w.now))
					}
				}
			}
		}, func(l *Ledger) { l.In++; l.DeadLettered++ }},
		"a state written late by a process that had lost the partition": {func(w *world) {
			for p, rs := range w.records[bus.TopicSeen] {
				for _, r := range rs {
					if s, err := ingest.ReadState(r); err == nil && s.ID == w.ids["a1"] && s.Revision == 1 {
						w.add(bus.TopicSeen, p, bus.Message{Key: r.Key, Value: r.Value})
						return
					}
				}
			}
		}, func(*Ledger) {}},
		"a later generation in the index": {func(w *world) { w.setIndex(e, 1<<20|generation, article.Usable) }, func(*Ledger) {}},
		"everything twice after a crash": {func(w *world) {
			for _, topic := range []string{bus.TopicClean, bus.TopicEnriched} {
				for p, rs := range w.records[topic] {
					for _, r := range rs {
						if !w.isLettered(r) {
							w.add(topic, p, bus.Message{Key: r.Key, Value: r.Value, Headers: r.Headers})
						}
					}
				}
			}
		}, func(*Ledger) {}},
	} {
		t.Run(name, func(t *testing.T) {
			changed, want := w.clone(), want
			c.change(changed)
			c.want(&want)
			l, out := compute(t, changed, changed.broker(t, nil))
			if fmt.Sprint(figures(l)) != fmt.Sprint(want) || !l.Balanced() {
				t.Errorf("got %+v, want %+v\n%s", figures(l), want, out)
			}
		})
	}
}

// testRetention takes away what retention takes away: nothing is held for
// lost, and what cannot be proven is said.
func testRetention(t *testing.T, w *world) {
	for name, cut := range map[string]map[string]int64{
		"raw":            {bus.TopicRaw: 2},
		"clean":          {bus.TopicClean: 2},
		"enriched":       {bus.TopicEnriched: 2},
		"clean, all":     {bus.TopicClean: 100},
		"dead letters":   {bus.TopicDead: 100},
		"all three":      {bus.TopicRaw: 3, bus.TopicClean: 3, bus.TopicEnriched: 3},
		"all of raw":     {bus.TopicRaw: 100},
		"all but states": {bus.TopicRaw: 100, bus.TopicClean: 100, bus.TopicEnriched: 100, bus.TopicDead: 100},
	} {
		t.Run(name, func(t *testing.T) {
			l, out := compute(t, w, w.broker(t, cut))
			if !l.Balanced() || l.FaultsAll > 0 {
				t.Errorf("not balanced:\n%s", out)
			}
			if below, ok := cut[bus.TopicRaw]; ok && (l.In >= want.In || !strings.Contains(out, "articles.raw no longer keeps")) {
				t.Errorf("cut at %d, but %d came in:\n%s", below, l.In, out)
			}
		})
	}
}

// testDropped says what was dropped by hand, and does not.
func testDropped(t *testing.T, w *world) {
	c := w.broker(t, nil).Cluster
	if l, err := Compute(t.Context(), c, w, Config{}); err != nil || l.Balanced() {
		t.Errorf("an article that is not in the index is not missed: %+v (%v)", l, err)
	}
	l, err := Compute(t.Context(), c, w, Config{DroppedBefore: index.OldestBucket(months, time.Now())})
	if err != nil || !l.Balanced() || l.Expired != want.Expired {
		t.Errorf("got %+v (%v), want %d expired", l, err, want.Expired)
	}
}

// testMadeAnew has articles.raw made anew after the first records: offsets
// begin at 0 again, while the states of before are still there.
func testMadeAnew(t *testing.T, w *world) {
	w = w.clone()
	const gone = 2
	for p, rs := range w.records[bus.TopicRaw] {
		n := min(gone, len(rs))
		for i, r := range rs[n:] {
			w.moved(bus.TopicRaw, p, r.Offset, int64(i))
			rs[n+i].Offset = int64(i)
		}
		w.records[bus.TopicRaw][p] = rs[n:]
		for i, r := range w.records[bus.TopicSeen][p] {
			var state map[string]any
			if err := json.Unmarshal(r.Value, &state); err != nil {
				t.Fatal(err)
			}
			if o := state["offset"].(float64); o >= gone {
				state["offset"] = o - gone
			}
			w.records[bus.TopicSeen][p][i].Value, _ = json.Marshal(state) // it was decoded just now
		}
	}
	l, out := compute(t, w, w.broker(t, nil))
	if !l.Balanced() || l.In >= want.In || !strings.Contains(out, "the topic was made anew") {
		t.Errorf("want a balance of what is left:\n%s", out)
	}
}

// testNotAtRest has each group leave something.
func testNotAtRest(t *testing.T, w *world) {
	c := w.broker(t, nil)
	for _, s := range stages() {
		w.commit(t, c.client, s, 1)
		_, err := Compute(t.Context(), c.Cluster, w, Config{})
		var rest *RestError
		if !errors.As(err, &rest) || !strings.Contains(err.Error(), "not at rest: ") || !strings.Contains(err.Error(), s.group) {
			t.Errorf("error is %v, want one that says that %s is not at rest", err, s.group)
		}
		w.commit(t, c.client, s, 0)
	}
	_, err := Compute(t.Context(), c.Cluster, w, Config{Now: func() time.Time { return w.now.Add(2 * time.Hour) }})
	if err == nil || !strings.Contains(err.Error(), "not at rest: the embargo of 1 articles has ended") {
		t.Errorf("error is %v, want one that tells of the embargo", err)
	}
}
