package ledger

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/prometheus/client_golang/prometheus"
)

// indexOf is an index that holds these articles.
type indexOf map[string]article.Article

func (x indexOf) Search(context.Context, search.Request) (search.Result, error) {
	return search.Result{}, nil
}

func (x indexOf) Get(_ context.Context, id string) (article.Article, error) {
	a, ok := x[id]
	switch {
	case !ok || a.Status == article.Withheld:
		return a, search.ErrNotFound
	case a.Status == article.Canceled:
		return a, search.ErrGone
	}
	return a, nil
}

func (x indexOf) Count(context.Context) (map[article.Status]int, error) {
	n := map[article.Status]int{}
	for _, a := range x {
		n[a.Status]++
	}
	return n, nil
}

func state(id string, revision int64, s article.Status) article.Article {
	now := time.Now().UTC()
	return article.Article{Schema: 1, ID: id, Revision: revision, Bucket: now.Format("2006-01"), Status: s, Received: now}
}

// counters as ingest would leave them.
func counts(outcomes map[string]float64) prometheus.Gatherer {
	reg := prometheus.NewRegistry()
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "marsad_ingest_articles_total"}, []string{"outcome"})
	reg.MustRegister(c)
	for o, n := range outcomes {
		c.WithLabelValues(o).Add(n)
	}
	return reg
}

func TestLedger(t *testing.T) {
	c := bustest.New(t, 2)
	write := func(topic string, values ...any) {
		p := bus.NewProducer(c, topic)
		defer p.Close()
		for i, v := range values {
			m := bus.Message{Key: fmt.Append(nil, i)}
			switch v := v.(type) {
			case article.Article:
				m.Key = []byte(v.ID)
				m.Value, _ = article.Encode(&v)
			case string:
				m.Key, m.Value = []byte(v), []byte(v)
			case nil:
				m.Key = []byte("overtaken")
			}
			if err := p.Write(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	latest := indexOf{
		"a": state("a", 2, article.Usable), "b": state("b", 2, article.Canceled), "c": state("c", 1, article.Withheld), "d": state("d", 1, article.Usable),
	}
	// 11 came in: a twice, a copy of a, b and its retraction, one more for b, c, d, junk, one waits, one that waited and was overtaken.
	write(bus.TopicRaw, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
	write(bus.TopicClean, state("a", 1, article.Usable), latest["a"], state("b", 1, article.Usable), latest["b"], latest["c"], latest["d"], latest["d"])
	write(bus.TopicDead, "junk")
	write(bus.TopicHeld, "waiting", "overtaken", nil)
	ingest := counts(map[string]float64{"unchanged": 1, "refused": 1, "held": 2})

	l, err := Compute(t.Context(), c, latest, ingest)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	l.Print(&out)
	// The overtaken one's successor is d.
	if want := (Ledger{In: 11, Indexed: 2, Superseded: 3, Unchanged: 1, Retracted: 2, Withheld: 1, Held: 1, DeadLettered: 1}); fmt.Sprint(l) != fmt.Sprint(want) || !l.Balanced() {
		t.Fatalf("got %+v, want %+v\n%s", l, want, &out)
	}

	for name, spoil := range map[string]func(indexOf){
		"one is missing":              func(x indexOf) { delete(x, "d") },
		"an older revision is there":  func(x indexOf) { x["a"] = state("a", 1, article.Usable) },
		"a retracted one is shown":    func(x indexOf) { x["b"] = state("b", 2, article.Usable) },
		"one is there that never was": func(x indexOf) { x["z"] = state("z", 1, article.Usable) },
	} {
		t.Run(name, func(t *testing.T) {
			index := indexOf{}
			for id, a := range latest {
				index[id] = a
			}
			spoil(index)
			l, err := Compute(t.Context(), c, index, ingest)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if l.Print(&out); l.Balanced() || !strings.Contains(out.String(), "NOT BALANCED") {
				t.Errorf("the fault is not seen:\n%s", &out)
			}
		})
	}
}
