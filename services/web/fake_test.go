package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is where all tests stand in time.
func clock() time.Time { return time.Date(2026, 10, 24, 9, 30, 0, 0, time.UTC) }

// news is an article as enrich writes it.
func news(id string, change ...func(*article.Article)) article.Article {
	at := clock().Add(-time.Hour)
	a := article.Article{
		Schema: 1, ID: id, Revision: 1, Generation: 1, Bucket: "2026-10", Status: article.Usable, Language: "en",
		Source: article.Source{ID: "wire", Name: "The Wire", Country: "GB"}, Title: "Title of " + id, Body: "Body of " + id + ".",
		Published: at, FirstPublished: at, Received: at,
	}
	for _, c := range change {
		c(&a)
	}
	return a
}

// feed is a topic in memory.
type feed struct {
	mu      sync.Mutex
	first   map[int]int64
	records map[int][]bus.Record // by partition; the index is the offset
	changed chan struct{}
	follows int // how often it was followed
}

func newFeed(partitions int) *feed {
	f := &feed{first: map[int]int64{}, records: map[int][]bus.Record{}, changed: make(chan struct{})}
	for p := range partitions {
		f.first[p], f.records[p] = 0, nil
	}
	return f
}

func (f *feed) add(partition int, a article.Article) string {
	b, err := article.Encode(&a)
	if err != nil {
		panic(err)
	}
	return f.addBytes(partition, b)
}

func (f *feed) addBytes(partition int, b []byte) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	offset := int64(len(f.records[partition]))
	f.records[partition] = append(f.records[partition], bus.Record{Topic: "articles.enriched", Partition: partition, Offset: offset, Value: b})
	close(f.changed)
	f.changed = make(chan struct{})
	return fmt.Sprintf("%d:%d", partition, offset)
}

// expire drops what lies before offset.
func (f *feed) expire(partition int, offset int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first[partition] = offset
}

func (f *feed) Offsets(ctx context.Context) (first, next map[int]int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next = map[int]int64{}
	for p, rs := range f.records {
		next[p] = int64(len(rs))
	}
	return maps.Clone(f.first), next, ctx.Err()
}

func (f *feed) Follow(ctx context.Context, from map[int]int64, fn func(bus.Record) error) error {
	_, pos, _ := f.Offsets(ctx)
	maps.Copy(pos, from)
	f.mu.Lock()
	f.follows++
	f.mu.Unlock()
	for {
		f.mu.Lock()
		var some []bus.Record
		for p, rs := range f.records {
			at := min(max(pos[p], f.first[p]), int64(len(rs)))
			some = append(some, rs[at:min(int64(len(rs)), at+3)]...) // a few of each, in turn
			pos[p] = min(int64(len(rs)), at+3)
		}
		changed := f.changed
		f.mu.Unlock()
		for _, r := range some {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(some) > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// index is a search.Reader in memory: newest first, filters by query alone.
type index struct {
	articles []article.Article
	gone     string
	err      error
	block    bool           // until the context ends
	asked    search.Request // the last one
}

func (x *index) Search(ctx context.Context, req search.Request) (search.Result, error) {
	x.asked = req
	if x.block {
		<-ctx.Done()
		return search.Result{}, ctx.Err()
	}
	if x.err != nil {
		return search.Result{}, x.err
	}
	res := search.Result{Total: len(x.articles), Facets: map[search.FacetField][]search.Bucket{}}
	for _, a := range x.articles[:min(len(x.articles), req.Size)] {
		res.Hits = append(res.Hits, search.Hit{Article: a})
	}
	for _, f := range req.Facets {
		counts := map[string]int{}
		for _, a := range x.articles {
			switch f.Field {
			case search.FacetLanguage:
				counts[a.Language]++
			case search.FacetSource:
				counts[a.Source.ID]++
			case search.FacetEntity:
				for _, e := range a.Entities {
					counts[e.ID]++
				}
			}
		}
		for _, v := range slices.Sorted(maps.Keys(counts)) {
			res.Facets[f.Field] = append(res.Facets[f.Field], search.Bucket{Value: v, Count: counts[v]})
		}
	}
	if len(x.articles) > req.Size {
		res.Next = "next+page=1"
	}
	return res, nil
}

func (x *index) Get(ctx context.Context, id string) (article.Article, error) {
	for _, a := range x.articles {
		if a.ID == id {
			return a, nil
		}
	}
	if id == x.gone {
		return article.Article{}, search.ErrGone
	}
	return article.Article{}, search.ErrNotFound
}

func (x *index) Count(context.Context) (map[article.Status]int, error) { return nil, nil }

func (x *index) Versions(context.Context, func(string, int64, article.Status) error) error {
	return nil
}

// harness runs a service.
type harness struct {
	*Service
	t    *testing.T
	mux  *http.ServeMux
	stop func() error
}

func start(t *testing.T, cfg Config, f *feed, x *index) *harness {
	t.Helper()
	if x == nil {
		x = &index{}
	}
	s, err := New(cfg, Deps{Reader: x, Feed: f, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{Service: s, t: t, mux: http.NewServeMux()}
	s.Register(h.mux)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	h.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
	h.until(func() bool { return s.Ready() == nil })
	return h
}

// until waits for the hub to come to a state, woken by its changes.
func (h *harness) until(is func() bool) {
	h.t.Helper()
	for {
		h.hub.mu.RLock()
		changed := h.hub.changed
		h.hub.mu.RUnlock()
		if is() {
			return
		}
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			h.t.Fatal("the hub does not come on")
		}
	}
}

// takenIn waits until the hub has read the topic to its end.
func (h *harness) takenIn(f *feed) {
	h.t.Helper()
	_, next, _ := f.Offsets(context.Background())
	h.until(func() bool { pos, _, _ := h.hub.head(); return pos.reaches(next) })
}

func (h *harness) get(target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}

// sse is an event as a client reads it.
type sse struct{ id, name, data, comment string }

// stream is an open stream without a network: writes wait for the reader.
type stream struct {
	header http.Header
	status int
	r      *io.PipeReader
	w      *io.PipeWriter
	lines  *bufio.Reader
	mu     sync.Mutex
	timer  *time.Timer
	cancel context.CancelFunc
	done   chan struct{}
}

func (s *stream) Header() http.Header         { return s.header }
func (s *stream) WriteHeader(status int)      { s.status = status }
func (s *stream) Write(b []byte) (int, error) { return s.w.Write(b) }
func (s *stream) Flush()                      {}
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(time.Until(t), func() { s.r.CloseWithError(os.ErrDeadlineExceeded) })
	return nil
}

// open begins a stream; close ends it.
func (h *harness) open(target, last string) *stream {
	s := &stream{header: http.Header{}, done: make(chan struct{})}
	s.r, s.w = io.Pipe()
	s.lines = bufio.NewReader(s.r)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	req := httptest.NewRequest("GET", target, nil).WithContext(ctx)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	go func() {
		defer close(s.done)
		h.mux.ServeHTTP(s, req)
		s.mu.Lock()
		if s.timer != nil {
			s.timer.Stop()
		}
		s.mu.Unlock()
		s.w.Close()
	}()
	return s
}

// close goes away as a client does.
func (s *stream) close() {
	s.cancel()
	s.r.CloseWithError(io.ErrClosedPipe)
	<-s.done
}

// next reads the next block; io.EOF at the stream's end.
func (s *stream) next() (sse, error) {
	var e sse
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			return e, nil
		case name == "id":
			e.id = value
		case name == "event":
			e.name = value
		case name == "data":
			e.data = value
		case name == "":
			e.comment = value
		}
	}
}

// shows reads on to the next article or retraction.
func (s *stream) shows(t *testing.T) sse {
	t.Helper()
	for {
		e, err := s.next()
		if err != nil {
			t.Fatalf("stream ended: %v (status %d)", err, s.status)
		}
		if e.name == "article" || e.name == "retract" {
			return e
		}
	}
}
