package index

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/search/embedded"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func sample(id string, revision int64) article.Article {
	now := time.Now().UTC()
	return article.Article{
		Schema: 1, ID: id, Revision: revision, Generation: 1, Bucket: now.Format("2006-01"), Status: article.Usable,
		Source: article.Source{ID: "s"}, Title: "title " + id, Published: now, FirstPublished: now, Received: now, Enriched: now,
	}
}

func publish(t *testing.T, c *bus.Cluster, values ...[]byte) {
	t.Helper()
	p := bus.NewProducer(c, bus.TopicEnriched)
	defer p.Close()
	msgs := make([]bus.Message, len(values))
	for i, v := range values {
		msgs[i] = bus.Message{Key: fmt.Append(nil, i), Value: v}
	}
	if err := p.Write(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

func encode(t *testing.T, a article.Article) []byte {
	t.Helper()
	b, err := article.Encode(&a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs the service until all that was published is committed.
func run(t *testing.T, c *bus.Cluster, cfg Config, w search.Writer) *Service {
	t.Helper()
	cfg.BatchAge = time.Millisecond
	s, err := New(cfg, Deps{Cluster: c, Writer: w, Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	limit, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	for {
		_, next, err := c.Offsets(limit, bus.TopicEnriched)
		if err != nil {
			t.Fatal(err)
		}
		committed, err := c.Committed(limit, Group, bus.TopicEnriched)
		if err != nil {
			t.Fatal(err)
		}
		if committed[0] == next[0] {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIndexesIntoTheEmbeddedIndex(t *testing.T) {
	ix, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	c := bustest.New(t, 1)
	gone := sample("b", 2)
	gone.Status = article.Canceled
	gone.Redact()
	publish(t, c, encode(t, sample("a", 2)), encode(t, sample("b", 1)), []byte("junk"), encode(t, gone), encode(t, sample("a", 1)))
	s := run(t, c, Config{Concurrency: 1}, ix)
	if a, err := ix.Get(t.Context(), "a"); err != nil || a.Revision != 2 {
		t.Errorf("a: %+v %v", a, err)
	}
	if _, err := ix.Get(t.Context(), "b"); !errors.Is(err, search.ErrGone) {
		t.Errorf("b: %v", err)
	}
	if n := testutil.ToFloat64(s.articles.WithLabelValues("rejected")); n != 1 {
		t.Errorf("%v rejected, want the junk", n)
	}
	if n := testutil.ToFloat64(s.articles.WithLabelValues("superseded")); n != 1 {
		t.Errorf("%v superseded, want the older revision", n)
	}
}

// faulty refuses articles by id: "bad" for good, "busy" the first time.
type faulty struct {
	mu    sync.Mutex
	calls map[string]int
}

func (f *faulty) Write(_ context.Context, as []article.Article) ([]search.Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]search.Outcome, len(as))
	var refused search.BatchError
	for i, a := range as {
		f.calls[a.ID]++
		switch {
		case a.ID == "bad":
			refused.Items = append(refused.Items, search.ItemError{Index: i, Err: errors.New("mapper_parsing_exception"), Permanent: true})
		case a.ID == "busy" && f.calls[a.ID] == 1:
			refused.Items = append(refused.Items, search.ItemError{Index: i, Err: errors.New("rejected_execution")})
		default:
			out[i] = search.Indexed
		}
	}
	if refused.Items != nil {
		return out, &refused
	}
	return out, nil
}

// Only what failed is tried again or dead-lettered; expired ones are not written.
func TestFailuresAndExpiry(t *testing.T) {
	c := bustest.New(t, 1)
	old := sample("old", 1)
	old.Bucket = "2020-01"
	publish(t, c, []byte("{"), encode(t, old), encode(t, sample("good", 1)), encode(t, sample("bad", 1)), encode(t, sample("busy", 1)))
	f := &faulty{calls: map[string]int{}}
	s := run(t, c, Config{RetentionMonths: 3}, f)
	if f.calls["old"] != 0 || f.calls["good"] != 1 || f.calls["bad"] != 1 || f.calls["busy"] != 2 {
		t.Errorf("writes by article: %v", f.calls)
	}
	if n := testutil.ToFloat64(s.articles.WithLabelValues("expired")); n != 1 {
		t.Errorf("%v expired, want 1", n)
	}
	var reasons []string
	if _, err := c.ReadAll(t.Context(), bus.TopicDead, 0, func(r bus.Record) error {
		reasons = append(reasons, r.Header(bus.DeadReason))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(reasons) != 2 {
		t.Errorf("dead letters: %q", reasons)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Config{}, Deps{}); err == nil {
		t.Error("missing dependencies were accepted")
	}
	if _, err := New(Config{RetentionMonths: -1}, Deps{Cluster: bustest.New(t, 1), Writer: &faulty{}}); err == nil {
		t.Error("a negative retention was accepted")
	}
}

// keeper is an index that can drop months.
type keeper struct {
	faulty
	before chan string
}

func (k *keeper) DropBefore(_ context.Context, bucket string) ([]string, error) {
	k.before <- bucket
	return nil, errors.New("not now")
}

// Old months are dropped at the start; a failure ends nothing.
func TestRetention(t *testing.T) {
	c := bustest.New(t, 1)
	k := &keeper{faulty: faulty{calls: map[string]int{}}, before: make(chan string, 1)}
	publish(t, c, encode(t, sample("a", 1)))
	run(t, c, Config{RetentionMonths: 3}, k)
	want := OldestBucket(3, time.Now())
	if got := <-k.before; got != want || k.calls["a"] != 1 {
		t.Errorf("dropped before %q, want %q; writes %v", got, want, k.calls)
	}
}
