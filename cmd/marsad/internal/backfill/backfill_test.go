package backfill

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/services/enrich"
)

// store is a search index that keeps the latest version, as all do.
type store struct {
	mu       sync.Mutex
	articles map[string]article.Article
	after    func(n int) // is called with the number of articles held
}

func (s *store) Write(_ context.Context, as []article.Article) ([]search.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]search.Outcome, len(as))
	for i, a := range as {
		if old, ok := s.articles[a.ID]; ok && old.Version() > a.Version() {
			out[i] = search.Superseded
			continue
		}
		s.articles[a.ID], out[i] = a, search.Indexed
	}
	if s.after != nil {
		s.after(len(s.articles))
	}
	return out, nil
}

func news(id string) article.Article {
	now := time.Now().UTC()
	return article.Article{
		Schema: 1, ID: id, Revision: 1, Bucket: now.Format("2006-01"), Status: article.Usable, Language: "fr",
		Source: article.Source{ID: "s"}, Title: "Rabat et Paris", Published: now, FirstPublished: now, Received: now, Enriched: now,
	}
}

// publish writes articles to articles.enriched, and gives a time between those
// before and those after it.
func publish(t *testing.T, c *bus.Cluster, as ...article.Article) (after time.Time) {
	t.Helper()
	p := bus.NewProducer(c, bus.TopicEnriched)
	defer p.Close()
	for i := range as {
		b, err := article.Encode(&as[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write(t.Context(), bus.Message{Key: []byte(as[i].ID), Value: b}); err != nil {
			t.Fatal(err)
		}
	}
	after = time.Now().Truncate(time.Millisecond).Add(time.Millisecond)
	for time.Now().Before(after.Add(time.Millisecond)) { // Kafka's clock has milliseconds
	}
	return after
}

func seen(t *testing.T, c *bus.Cluster, id, status string) {
	t.Helper()
	p := bus.NewProducer(c, bus.TopicSeen)
	defer p.Close()
	value := fmt.Sprintf(`{"schema":1,"id":%q,"revision":2,"status":%q,"bucket":"2026-11"}`, id, status)
	if err := p.Write(t.Context(), bus.Message{Key: []byte(id), Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

// Only the range is written, without what was retracted since, of another
// source or expired; the group is gone afterwards.
func TestRange(t *testing.T) {
	c := bustest.New(t, 3)
	from := publish(t, c, news("before"))
	other, old := news("other"), news("old")
	other.Source.ID, old.Bucket = "t", "2020-01"
	to := publish(t, c, news("a"), news("b"), news("gone"), news("withheld"), other, old)
	publish(t, c, news("after"))
	seen(t, c, "a", "usable")
	seen(t, c, "gone", "canceled")
	seen(t, c, "withheld", "withheld")
	s := &store{articles: map[string]article.Article{}}
	newer := news("b")
	newer.Revision = 2
	s.articles["b"] = newer
	cfg := Config{From: from, To: to, Sources: []string{"s"}, RetentionMonths: 3}
	counts, err := Run(t.Context(), cfg, Deps{Cluster: c, Writer: s})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Counts{Indexed: 1, Superseded: 1, Retracted: 2, Expired: 1, Filtered: 1}); counts != want {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
	if len(s.articles) != 2 || s.articles["a"].ID == "" || s.articles["b"].Revision != 2 {
		t.Errorf("the index holds %v", s.articles)
	}
	if committed, err := c.Committed(t.Context(), cfg.Group(), bus.TopicEnriched); err != nil || len(committed) > 0 {
		t.Errorf("the group is left with %v (%v)", committed, err)
	}
}

// A run that is ended goes on where it was.
func TestGoesOn(t *testing.T) {
	c := bustest.New(t, 1)
	var as []article.Article
	for i := range 40 {
		as = append(as, news(fmt.Sprint(i)))
	}
	cfg := Config{From: time.Now().Add(-time.Minute), To: publish(t, c, as...), Rate: 10}
	ctx, cancel := context.WithCancel(t.Context())
	s := &store{articles: map[string]article.Article{}, after: func(n int) {
		if n >= 10 {
			cancel()
		}
	}}
	counts, err := Run(ctx, cfg, Deps{Cluster: c, Writer: s})
	if err != nil || counts.Left == 0 || counts.Indexed+counts.Left != 40 {
		t.Fatalf("counts %+v, error %v", counts, err)
	}
	first := counts.Indexed
	cfg.Rate = 1000
	if counts, err = Run(t.Context(), cfg, Deps{Cluster: c, Writer: s}); err != nil || counts.Indexed != 40-first || len(s.articles) != 40 {
		t.Errorf("counts %+v after %d, %d articles, error %v", counts, first, len(s.articles), err)
	}
}

// A run writes no faster than its rate, after a second's worth at once.
func TestRate(t *testing.T) {
	c := bustest.New(t, 2)
	var as []article.Article
	for i := range 16 {
		as = append(as, news(fmt.Sprint(i)))
	}
	cfg := Config{From: time.Now().Add(-time.Minute), To: publish(t, c, as...), Rate: 10}
	s := &store{articles: map[string]article.Article{}}
	start := time.Now()
	if counts, err := Run(t.Context(), cfg, Deps{Cluster: c, Writer: s}); err != nil || counts.Indexed != 16 {
		t.Fatalf("counts %+v, error %v", counts, err)
	}
	if took := time.Since(start); took < 600*time.Millisecond {
		t.Errorf("16 articles at 10 a second took %v", took)
	}
}

// Enriching anew finds what was not found before, in the generation of today.
func TestReenrich(t *testing.T) {
	c := bustest.New(t, 1)
	cfg := Config{From: time.Now().Add(-time.Minute), To: publish(t, c, news("a")), Reenrich: true}
	e, err := enrich.NewEnricher()
	if err != nil {
		t.Fatal(err)
	}
	s := &store{articles: map[string]article.Article{}}
	if _, err := Run(t.Context(), cfg, Deps{Cluster: c, Writer: s, Enricher: e}); err != nil {
		t.Fatal(err)
	}
	if a := s.articles["a"]; a.Generation != enrich.Generation || len(a.Entities) != 2 {
		t.Errorf("generation %d, entities %v", a.Generation, a.Entities)
	}
}

// While months are being migrated nothing is written.
func TestMigrating(t *testing.T) {
	c := bustest.New(t, 1)
	cfg := Config{From: time.Now().Add(-time.Minute), To: publish(t, c, news("a"))}
	s := &store{articles: map[string]article.Article{}}
	_, err := Run(t.Context(), cfg, Deps{Cluster: c, Writer: s, Migrating: func(context.Context) ([]string, error) { return []string{"2026.10"}, nil }})
	if err == nil || len(s.articles) > 0 {
		t.Errorf("error %v, %d written", err, len(s.articles))
	}
	calls := 0
	_, err = Run(t.Context(), cfg, Deps{Cluster: c, Writer: s, Migrating: func(context.Context) ([]string, error) {
		if calls++; calls == 2 { // it begins behind the first look
			return nil, errors.New("not to be told")
		}
		return nil, nil
	}})
	if err != nil || len(s.articles) != 1 || calls < 3 {
		t.Errorf("error %v, %d written, asked %d times", err, len(s.articles), calls)
	}
}

func TestEmptyRange(t *testing.T) {
	at := time.Now()
	if _, err := Run(t.Context(), Config{From: at, To: at}, Deps{Cluster: bustest.New(t, 1)}); err == nil {
		t.Error("no error")
	}
}

// Another job over the same range does not take up where this one is.
func TestGroup(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	groups := map[string]bool{}
	for _, c := range []Config{
		{From: at, To: at.Add(time.Hour)}, {From: at, To: at.Add(time.Hour), Reenrich: true}, {From: at, To: at.Add(2 * time.Hour)},
		{From: at, To: at.Add(time.Hour), Sources: []string{"a"}}, {From: at, To: at.Add(time.Hour), Sources: []string{"a", "b"}},
	} {
		groups[c.Group()] = true
	}
	if len(groups) != 5 {
		t.Errorf("groups %v", groups)
	}
	a, b := Config{From: at, To: at, Sources: []string{"a", "b"}}, Config{From: at, To: at, Sources: []string{"b", "a"}}
	if a.Group() != b.Group() {
		t.Errorf("%s and %s", a.Group(), b.Group())
	}
}

// A run ends when it can no longer tell what is retracted.
func TestUnreadableState(t *testing.T) {
	c := bustest.New(t, 1)
	cfg := Config{From: time.Now().Add(-time.Minute), To: publish(t, c, news("a"), news("b"))}
	first := true
	s := &store{articles: map[string]article.Article{}}
	_, err := Run(t.Context(), cfg, Deps{Cluster: c, Writer: s, Migrating: func(context.Context) ([]string, error) {
		if first { // the look before the run begins
			first = false
			return nil, nil
		}
		p := bus.NewProducer(c, bus.TopicSeen)
		defer p.Close()
		if err := p.Write(t.Context(), bus.Message{Key: []byte("x"), Value: []byte(`{"schema":99,"id":"x"}`)}); err != nil {
			t.Error(err)
		}
		return []string{"2026.10"}, nil
	}})
	if err == nil || !strings.Contains(err.Error(), "retracted") {
		t.Errorf("error %v", err)
	}
}
