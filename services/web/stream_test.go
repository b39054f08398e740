package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"pgregory.net/rapid"
)

// idOf gives the article id in an event's data.
func idOf(t testing.TB, e sse) string {
	t.Helper()
	var a struct{ ID string }
	if err := json.Unmarshal([]byte(e.data), &a); err != nil {
		t.Fatalf("data %q: %v", e.data, err)
	}
	return a.ID
}

// Whenever a client disconnects, and with whichever instance it goes on,
// what it got in all is every event of the topic, once, in the order of each
// partition.
func TestResume(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		parts := rapid.IntRange(1, 3).Draw(r, "partitions")
		f := newFeed(parts)
		cfg := Config{
			RingEvents: rapid.IntRange(1, 12).Draw(r, "ring"), Backlog: rapid.IntRange(1, 5).Draw(r, "backlog"),
			CatchUps: 1,
		}
		one := start(t, cfg, f, nil)
		defer one.stop()
		two := start(t, cfg, f, nil)
		defer two.stop()
		instances := []*harness{one, two}
		n := rapid.IntRange(1, 40).Draw(r, "articles")
		want := map[string][]string{}
		got := map[string][]string{}
		s := one.open("/v1/stream", "")
		first, err := s.next() // retry
		for ; err == nil && first.id == ""; first, err = s.next() {
		}
		if err != nil {
			r.Fatal(err)
		}
		last := first.id
		for i := 0; i < n; {
			for range rapid.IntRange(1, 15).Draw(r, "burst") {
				p := rapid.IntRange(0, parts-1).Draw(r, "partition")
				id := fmt.Sprintf("%d-%d", p, i)
				want[fmt.Sprint(p)] = append(want[fmt.Sprint(p)], id)
				f.add(p, news(id))
				i++
			}
			if rapid.Bool().Draw(r, "stay") {
				continue
			}
			for range rapid.IntRange(0, 8).Draw(r, "read") {
				if count(got) == count(want) {
					break
				}
				e := s.shows(t)
				p, _, _ := strings.Cut(idOf(t, e), "-")
				got[p], last = append(got[p], idOf(t, e)), e.id
			}
			s.close()
			s = instances[rapid.IntRange(0, 1).Draw(r, "instance")].open("/v1/stream", last)
		}
		for count(got) < count(want) {
			e := s.shows(t)
			p, _, _ := strings.Cut(idOf(t, e), "-")
			got[p] = append(got[p], idOf(t, e))
		}
		s.close()
		for p := range want {
			if !slices.Equal(got[p], want[p]) {
				r.Fatalf("partition %s: got %v, want %v", p, got[p], want[p])
			}
		}
	})
}

func count(m map[string][]string) int {
	n := 0
	for _, v := range m {
		n += len(v)
	}
	return n
}

func TestBadPosition(t *testing.T) {
	f := newFeed(2)
	f.add(0, news("a"))
	h := start(t, Config{}, f, nil)
	for _, last := range []string{"x", "0", "0:", "0:-1", "0:1,0:1", "9:0", "0:2", "0:1,1:1", "0:99999999999999999999", strings.Repeat("1", 20000)} {
		req := "/v1/stream?last_event_id=" + last
		if w := h.get(req); w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.40s: got %d %s", last, w.Code, w.Body)
		}
	}
	for _, target := range []string{"/v1/stream?q=(", "/v1/stream?from=now-1d", "/v1/stream?x=1"} {
		if w := h.get(target); w.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
	}
}

func TestExpired(t *testing.T) {
	f := newFeed(1)
	for i := range 10 {
		f.add(0, news(fmt.Sprint(i)))
	}
	f.expire(0, 7)
	h := start(t, Config{Backlog: 1}, f, nil)
	s := h.open("/v1/stream?last_event_id=0:2", "")
	defer s.close()
	var e sse
	for e.name != "reset" {
		var err error
		if e, err = s.next(); err != nil {
			t.Fatal(err)
		}
	}
	if want := `{"gaps":[{"partition":0,"from":2,"to":7}]}`; e.data != want || e.id != "0:7" {
		t.Errorf("got %+v, want data %s", e, want)
	}
	if e := s.shows(t); idOf(t, e) != "7" {
		t.Errorf("after the reset came %+v", e)
	}
}

func TestWhatIsShown(t *testing.T) {
	revision := func(n int64) func(*article.Article) { return func(a *article.Article) { a.Revision = n } }
	status := func(s article.Status) func(*article.Article) { return func(a *article.Article) { a.Status = s } }
	source := func(s string) func(*article.Article) { return func(a *article.Article) { a.Source.ID = s } }
	about := func(a *article.Article) {
		a.Entities = []article.Entity{{ID: "Q1028", Type: article.Place, Country: "MA"}}
		a.Topics = []article.Topic{{ID: "medtop:2", Broader: []string{"medtop:1"}}}
		a.Language = "fr-MA"
		a.Title = "Le Maroc gagne"
	}
	f := newFeed(1)
	h := start(t, Config{}, f, nil)
	all := []article.Article{
		news("old", revision(3)),
		news("old", revision(2)), // outdated
		news("old", revision(3)), // repeated
		news("embargoed", func(a *article.Article) { a.Embargoed = clock().Add(time.Minute) }),
		news("about", about),
		news("other", source("other")),
		news("gone", revision(2), status(article.Canceled)),
		news("kept", revision(2), status(article.Withheld), source("other")),
	}
	for _, a := range all {
		f.add(0, a)
	}
	f.addBytes(0, []byte("{broken"))
	f.add(0, news("end", revision(2), status(article.Canceled))) // passes all filters
	h.takenIn(f)
	for filter, want := range map[string]string{
		"":                                  "old about other gone kept end",
		"source=wire":                       "old about gone end",
		"source=wire,other":                 "old about other gone kept end",
		"lang=fr":                           "about gone kept end",
		"lang=f":                            "gone kept end",
		"entity=Q1028&country=ma":           "about gone kept end",
		"topic=medtop:1":                    "about gone kept end",
		"topic=medtop:3":                    "gone kept end",
		"q=maroc":                           "about gone kept end",
		"q=maroc+NOT+gagne":                 "gone kept end",
		"q=title:maroc&source=wire&lang=en": "gone end",
	} {
		s := h.open("/v1/stream?last_event_id=0:0&"+filter, "")
		var got []string
		for len(got) == 0 || got[len(got)-1] != "end" {
			e := s.shows(t)
			got = append(got, idOf(t, e))
			if idOf(t, e) == "gone" && (e.name != "retract" || e.data != `{"id":"gone","revision":2,"status":"canceled"}`) {
				t.Errorf("retraction is %+v", e)
			}
		}
		s.close()
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %v, want %s", filter, got, want)
		}
	}
}

// Signs of life carry no id; what a filter hid moves the position.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		h := start(t, Config{}, f, nil)
		s := h.open("/v1/stream?source=none", "")
		read := func(want sse) {
			t.Helper()
			if e, err := s.next(); err != nil || e != want {
				t.Fatalf("got %+v, %v; want %+v", e, err, want)
			}
		}
		read(sse{}) // retry
		read(sse{id: "0:0", name: "position", data: "{}"})
		begin := time.Now()
		read(sse{comment: "heartbeat"})
		if d := time.Since(begin); d != 15*time.Second {
			t.Errorf("heartbeat after %v", d)
		}
		f.add(0, news("a"))
		read(sse{comment: "heartbeat"})
		read(sse{id: "0:1", name: "position", data: "{}"})
		for range hiddenBetween {
			f.add(0, news("b"))
		}
		read(sse{id: "0:501", name: "position", data: "{}"})
		s.close()
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A client that takes nothing holds nobody up and is sent away.
func TestStalledClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		h := start(t, Config{RingEvents: 4}, f, nil)
		stalled, well := h.open("/v1/stream", ""), h.open("/v1/stream", "")
		synctest.Wait() // until they are open
		begin := time.Now()
		for i := range 50 {
			f.add(0, news(fmt.Sprint(i)))
			if e := well.shows(t); idOf(t, e) != fmt.Sprint(i) {
				t.Fatalf("got %s, want %d", e.data, i)
			}
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("the others waited %v", d)
		}
		<-stalled.done
		if d := time.Since(begin); d != 30*time.Second {
			t.Errorf("the stalled client was kept for %v", d)
		}
		well.close()
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A slow client that fell out of the ring is caught up from the topic.
func TestSlowClient(t *testing.T) {
	f := newFeed(2)
	h := start(t, Config{RingEvents: 4}, f, nil)
	s := h.open("/v1/stream", "")
	defer s.close()
	s.next() // open
	for i := range 100 {
		f.add(i%2, news(fmt.Sprint(i)))
	}
	h.takenIn(f)
	got := map[string]bool{}
	for range 100 {
		got[idOf(t, s.shows(t))] = true
	}
	if len(got) != 100 {
		t.Errorf("got %d articles", len(got))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.follows < 2 {
		t.Errorf("the client was not caught up: followed %d times", f.follows)
	}
}

// A client too slow even to catch up is told so and let go.
func TestCatchUpEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		for i := range 100 {
			f.add(0, news(fmt.Sprint(i)))
		}
		h := start(t, Config{RingEvents: 2}, f, nil)
		s := h.open("/v1/stream", "0:0")
		var last sse
		for {
			e, err := s.next()
			if err != nil {
				break
			}
			last = e
			time.Sleep(20 * time.Second)
		}
		if !strings.Contains(last.comment, "reconnect with the last event id") {
			t.Errorf("ended with %+v", last)
		}
		s.close()
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestLimitOfStreams(t *testing.T) {
	h := start(t, Config{Streams: 1}, newFeed(1), nil)
	s := h.open("/v1/stream", "")
	s.next()
	if w := h.get("/v1/stream"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	s.close()
	again := h.open("/v1/stream", "")
	if _, err := again.next(); err != nil {
		t.Error(err)
	}
	again.close()
}

// Streams end at once when the service does, even those that nobody reads.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		h := start(t, Config{}, f, nil)
		idle, stalled := h.open("/v1/stream", ""), h.open("/v1/stream", "")
		idle.next()
		idle.next()
		synctest.Wait() // stalled waits in its first write
		begin := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- h.stop() }()
		e, err := idle.next()
		if err != nil || !strings.Contains(e.comment, "shutting down") {
			t.Errorf("got %+v, %v", e, err)
		}
		if _, err := idle.next(); !errors.Is(err, io.EOF) {
			t.Errorf("the stream goes on: %v", err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d >= time.Second {
			t.Errorf("drain took %v", d)
		}
		if w := h.get("/v1/stream"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("a new stream got %d", w.Code)
		}
		<-idle.done
		<-stalled.done
	})
}

// Over a real connection, an event is there as soon as it is in the topic, and
// the server can be closed while streams are open.
func TestOverHTTP(t *testing.T) {
	f := newFeed(1)
	h := start(t, Config{}, f, nil)
	server := httptest.NewServer(h.mux)
	res, err := server.Client().Get(server.URL + "/v1/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	s := &stream{lines: bufio.NewReader(res.Body)}
	for _, id := range []string{"a", "b"} {
		f.add(0, news(id))
		if e := s.shows(t); idOf(t, e) != id {
			t.Errorf("got %+v", e)
		}
	}
	begin := time.Now()
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	server.Close() // waits for connections
	if d := time.Since(begin); d > time.Second {
		t.Errorf("closing took %v", d)
	}
}

// Partitions that are added are read, streams that are open included; a topic
// that begins anew ends them.
func TestMovedTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		h := start(t, Config{}, f, nil)
		s := h.open("/v1/stream", "")
		synctest.Wait() // until it is open
		f.add(0, news("a"))
		if e := s.shows(t); e.id != "0:1" {
			t.Errorf("got %+v", e)
		}
		f.mu.Lock()
		f.first[1], f.records[1] = 0, nil
		f.mu.Unlock()
		f.add(1, news("b"))
		if e := s.shows(t); e.id != "0:1,1:1" || idOf(t, e) != "b" {
			t.Errorf("got %+v", e)
		}
		f.mu.Lock()
		f.records[0] = nil
		f.mu.Unlock()
		for {
			e, err := s.next()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(e.comment, "replaced") {
				break
			}
		}
		s.close()
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
}

// The live column begins with the latest events that pass its filter.
func TestRecent(t *testing.T) {
	f := newFeed(2)
	for i := range 10 {
		f.add(i%2, news(fmt.Sprint(i), func(a *article.Article) { a.Source.ID = fmt.Sprint("s", i%5) }))
	}
	h := start(t, Config{}, f, nil)
	h.takenIn(f)
	s := h.open("/v1/stream?source=s3", h.hub.recent(&filter{sources: []string{"s3"}}, 1).String())
	defer s.close()
	got := idOf(t, s.shows(t))
	if got != "8" && got != "3" { // as the partitions came in
		t.Errorf("got %s", got)
	}
	if pos := h.hub.recent(&filter{}, 3); pos[0]+pos[1] != 7 {
		t.Errorf("got %v", pos)
	}
}

// A record of a newer schema stops the stream loudly rather than passing by.
func TestNewerSchema(t *testing.T) {
	f := newFeed(1)
	h := start(t, Config{}, f, nil)
	f.addBytes(0, []byte(`{"schema":99,"id":"x"}`))
	h.until(func() bool { return h.Ready() != nil })
	if err := h.Ready(); !errors.Is(err, article.ErrSchema) {
		t.Errorf("got %v", err)
	}
}
