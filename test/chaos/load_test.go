package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// Sources are many, so that every partition has some.
const (
	sources = 96
	writers = 4
)

// load pushes articles over HTTP, each request until it is accepted: new ones,
// revisions, copies, repetitions, retractions, and junk that goes to Kafka past
// the door. It knows what must be found in the end.
type load struct {
	r       *rig
	door    string // where articles are pushed
	token   string // the first word of every title
	credits chan struct{}
	taken   atomic.Int64 // accepted, or written
	retries atomic.Int64
	failed  atomic.Pointer[error]
	done    sync.WaitGroup
	stop    context.CancelFunc

	mu     sync.Mutex
	titles map[string][]string // every title sent, by source and guid; none once it was retracted
	junk   int
}

// startLoad starts the writers. They write as many articles as allow lets
// them.
func startLoad(r *rig, rnd *rand.Rand) *load {
	ctx, cancel := context.WithCancel(r.t.Context())
	l := &load{
		r: r, door: "http://" + r.services["ingest"].addr + "/v1/articles", token: newToken(rnd), credits: make(chan struct{}, 1<<20), stop: cancel, titles: map[string][]string{},
	}
	r.t.Cleanup(func() { cancel(); l.done.Wait() })
	for w := range writers {
		rnd := rand.New(rand.NewPCG(rnd.Uint64(), rnd.Uint64()))
		l.done.Go(func() { l.write(ctx, w, rnd) })
	}
	return l
}

// newToken makes a word that is in no other test's titles.
func newToken(rnd *rand.Rand) string {
	b := []byte("chaos")
	for range 8 {
		b = append(b, byte('a'+rnd.IntN(26)))
	}
	return string(b)
}

// allow lets n more articles be written.
func (l *load) allow(n int) {
	for range n {
		l.credits <- struct{}{}
	}
}

// flow allows articles at a rate until the function it gives is called.
func (l *load) flow(perSecond int) (stop func()) {
	ctx, cancel := context.WithCancel(l.r.t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				l.allow(perSecond / 20)
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// finish waits until all that was allowed is written, and ends the writers.
func (l *load) finish(within time.Duration) {
	t := l.r.t
	t.Helper()
	close(l.credits)
	over := make(chan struct{})
	go func() { l.done.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(within):
		l.stop()
		<-over
		t.Fatalf("the load was not written within %v", within)
	}
	if err := l.failed.Load(); err != nil {
		t.Fatal(*err)
	}
}

// item is an article as it is pushed.
type item struct {
	Source struct {
		ID string `json:"id"`
	} `json:"source"`
	GUID   string `json:"guid"`
	Title  string `json:"title,omitempty"`
	Body   string `json:"body,omitempty"`
	Status string `json:"status,omitempty"`
}

// writer is one writer's articles: no other writes of them, so that their
// order is known.
type writer struct {
	l    *load
	rnd  *rand.Rand
	id   int
	n    int
	live []item // the latest of each
}

func (l *load) write(ctx context.Context, id int, rnd *rand.Rand) {
	w := &writer{l: l, rnd: rnd, id: id}
	for {
		want := 1 + rnd.IntN(20)
		var batch []item
		touched := map[string]bool{} // one article has one item in a request: a repeated request must not go back
		for len(batch) < want {
			if len(batch) > 0 && len(l.credits) == 0 {
				break
			}
			if !l.take(ctx) {
				want = 0
				break
			}
			if rnd.IntN(100) == 0 {
				w.writeJunk(ctx)
				continue
			}
			batch = append(batch, w.next(touched))
		}
		if err := w.push(ctx, batch); err != nil {
			l.failed.CompareAndSwap(nil, &err)
			return
		}
		if want == 0 || ctx.Err() != nil {
			return
		}
	}
}

// take waits until an article more may be written; false where none will be.
func (l *load) take(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case _, ok := <-l.credits:
		return ok
	}
}

// next makes the next item, of an article that is not in touched.
func (w *writer) next(touched map[string]bool) item {
	chance := w.rnd.IntN(100)
	if len(w.live) == 0 || chance < 70 {
		return w.create(touched)
	}
	i := w.rnd.IntN(len(w.live))
	it := w.live[i]
	if touched[it.Source.ID+it.GUID] {
		return w.create(touched)
	}
	touched[it.Source.ID+it.GUID] = true
	w.n++
	switch {
	case chance < 85: // a revision
		it.Title = w.title()
		it.Status = ""
		w.live[i] = it
	case chance < 90: // the same again
	case chance < 94: // a copy under another guid
		it.GUID += fmt.Sprint("-copy", w.n)
		return it
	case chance < 97: // hidden until a revision comes
		it = item{Source: it.Source, GUID: it.GUID, Title: it.Title, Body: it.Body, Status: "withheld"}
		w.live[i] = it
	default:
		w.live = slices.Delete(w.live, i, i+1)
		it = item{Source: it.Source, GUID: it.GUID, Status: "canceled"}
	}
	return it
}

func (w *writer) create(touched map[string]bool) item {
	w.n++
	it := item{GUID: fmt.Sprintf("%s-%d-%d", w.l.token, w.id, w.n), Title: w.title()}
	it.Source.ID = fmt.Sprintf("s%d", w.rnd.IntN(sources/writers)*writers+w.id)
	words := strings.Fields("Rabat Paris المغرب وفرنسا énergie accord security minister said that الحكومة قالت dans le cadre of the new plan")
	var body strings.Builder
	fmt.Fprintf(&body, "RABAT – %s.", it.GUID)
	for body.Len() < 1500+w.rnd.IntN(2000) {
		body.WriteByte(' ')
		body.WriteString(words[w.rnd.IntN(len(words))])
	}
	it.Body = body.String()
	touched[it.Source.ID+it.GUID] = true
	w.live = append(w.live, it)
	return it
}

func (w *writer) title() string { return fmt.Sprintf("%s %d of writer %d", w.l.token, w.n, w.id) }

// push sends a request until it is accepted, and notes what must be found.
func (w *writer) push(ctx context.Context, batch []item) error {
	if len(batch) == 0 {
		return nil
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for _, it := range batch {
		if err := enc.Encode(it); err != nil {
			return err
		}
	}
	for {
		err := w.try(ctx, body.Bytes(), len(batch))
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the test has ended
		}
		if _, fatal := err.(refused); fatal { //nolint:errorlint // try's own
			return err
		}
		w.l.retries.Add(1)
		time.Sleep(100 * time.Millisecond)
	}
	w.l.taken.Add(int64(len(batch)))
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	for _, it := range batch {
		k := it.Source.ID + " " + it.GUID
		switch {
		case strings.Contains(it.GUID, "-copy"):
		case it.Status == "canceled", it.Status == "withheld":
			delete(w.l.titles, k)
		default:
			w.l.titles[k] = append(w.l.titles[k], it.Title)
		}
	}
	return nil
}

// refused is an answer that says that the articles are at fault.
type refused string

func (r refused) Error() string { return string(r) }

// pushTimeout is longer than anything is stopped, so that no request that was
// given up is done later.
const pushTimeout = 40 * time.Second

func (w *writer) try(ctx context.Context, body []byte, n int) error {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.l.door, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return err
	case res.StatusCode >= 500:
		return fmt.Errorf("%s: %.200s", res.Status, answer)
	case res.StatusCode != http.StatusAccepted:
		return refused(fmt.Sprintf("push of %d articles: %s: %.500s", n, res.Status, answer))
	}
	return nil
}

// writeJunk writes what is no article straight to Kafka.
func (w *writer) writeJunk(ctx context.Context) {
	p := bus.NewProducer(w.l.r.cluster, bus.TopicRaw)
	defer p.Close()
	m := bus.Message{Key: fmt.Appendf(nil, "s%d", w.rnd.IntN(sources)), Value: fmt.Appendf(nil, "\xff junk %s %d", w.l.token, w.n)}
	for p.Write(ctx, m) != nil && ctx.Err() == nil {
		w.l.retries.Add(1)
	}
	w.l.taken.Add(1)
	w.l.mu.Lock()
	w.l.junk++
	w.l.mu.Unlock()
}

// verify looks at what readers find: every article that must be, once, with a
// title that was sent, and no other.
func (l *load) verify() {
	t := l.r.t
	t.Helper()
	if err := l.r.index.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	req := search.Request{Query: query.Term{Field: query.Title, Form: l.token}, Size: search.MaxSize, Sort: search.ByReceived}
	found := map[string]bool{}
	stale := 0
	for {
		res, err := l.r.index.Search(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range res.Hits {
			stale += l.check(&h.Article, found)
		}
		if res.Next == "" {
			break
		}
		req.Cursor = res.Next
	}
	for k := range l.titles {
		if !found[k] {
			t.Errorf("%s was accepted and is not found", k)
		}
	}
	t.Logf("%d articles written (%d pieces of junk, %d retries), %d are found, each once; %d with a title sent before the last", l.taken.Load(), l.junk, l.retries.Load(), len(found), stale)
	if letters := len(l.r.letters("ingest", l.token)); letters < l.junk {
		t.Errorf("%d pieces of junk, but %d dead letters", l.junk, letters)
	}
}

// check looks at one article found; 1 where its title is not the last sent.
func (l *load) check(a *article.Article, found map[string]bool) int {
	k := a.Source.ID + " " + a.GUID
	k, _, _ = strings.Cut(k, "-copy")
	titles := l.titles[k]
	switch {
	case found[k]:
		l.r.t.Errorf("%s is found twice", k)
	case titles == nil:
		l.r.t.Errorf("%s is found, but was retracted or withheld, or never sent", k)
	case !slices.Contains(titles, a.Title):
		l.r.t.Errorf("%s has title %q, sent were %q", k, a.Title, titles)
	}
	found[k] = true
	if len(titles) > 0 && titles[len(titles)-1] != a.Title {
		return 1
	}
	return 0
}

func contains(b []byte, text string) bool { return bytes.Contains(b, []byte(text)) }

// wait waits until so many articles of the load are written.
func (l *load) wait(n int64, within time.Duration) {
	l.r.t.Helper()
	err := eventually(l.r.t.Context(), within, func() error {
		if err := l.failed.Load(); err != nil {
			l.r.t.Fatal(*err)
		}
		if taken := l.taken.Load(); taken < n {
			return fmt.Errorf("%d of %d articles are written", taken, n)
		}
		return nil
	})
	if err != nil {
		l.r.t.Fatal(err)
	}
}
