package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"pgregory.net/rapid"
)

// clock is a time that only tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type harness struct {
	t       *testing.T
	cluster *bus.Cluster
	clock   *clock
	mux     *http.ServeMux
	stop    func() error
}

func newHarness(t *testing.T, cluster *bus.Cluster, cfg Config) *harness {
	t.Helper()
	h := &harness{t: t, cluster: cluster, clock: &clock{t: time.Now()}, mux: http.NewServeMux()}
	cfg.ReleaseEvery = 10 * time.Millisecond
	s, err := New(cfg, Deps{Cluster: cluster, Now: h.clock.now})
	if err != nil {
		t.Fatal(err)
	}
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
	return h
}

func (h *harness) push(contentType, body string) (int, PushResult) {
	h.t.Helper()
	req := httptest.NewRequest("POST", "/v1/articles?source=src", strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, req)
	var res PushResult
	if err := json.Unmarshal(w.Body.Bytes(), &res); err != nil {
		h.t.Fatalf("answer %d is not JSON: %s", w.Code, w.Body)
	}
	return w.Code, res
}

// clean waits for n articles in articles.clean.
func (h *harness) clean(n int) []article.Article {
	h.t.Helper()
	var out []article.Article
	for _, r := range h.records(bus.TopicClean, n) {
		a, err := article.Decode(r.Value)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

func (h *harness) records(topic string, n int) []bus.Record {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	var out []bus.Record
	enough := errors.New("enough")
	err := bus.NewFeed(h.cluster, topic).Follow(ctx, map[int]int64{0: 0}, func(r bus.Record) error {
		if out = append(out, r); len(out) == n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		h.t.Fatalf("%s: got %d records, want %d (%v)", topic, len(out), n, err)
	}
	return out
}

const long = "A body that is long enough for its text alone to tell that two articles of one source are the same, whatever guid and address they come under. It goes on for a while so that nobody takes it for a flash or a headline."

func TestIdentity(t *testing.T) {
	h := newHarness(t, bustest.New(t, 1), Config{})
	lines := []string{
		`{"guid":"1","url":"https://a.example/x","title":"one","body":"` + long + `"}`, // created
		`{"guid":"1","url":"https://a.example/x","title":"one","body":"` + long + `"}`, // unchanged
		`{"guid":"2","url":"https://a.example/y","title":"one","body":"` + long + `"}`, // a copy: unchanged
		`{"guid":"2","title":"one, corrected","body":"` + long + `"}`,                  // revision 2, by the copy's guid
		`{"url":"http://www.a.example/x/#top","title":"third"}`,                        // revision 3, by the URL
		`{"title":"no name"}`,              // created, by its text
		`{"title":"no name"}`,              // unchanged
		`{"guid":"9","status":"canceled"}`, // tombstone of an unknown article
		`{"guid":"9","title":"too late"}`,  // refused
		`{"guid":"1","status":"canceled"}`, // retracted
		`{"guid":"1","title":"again"}`,     // refused
		`{"guid":"w","title":"hidden","status":"withheld"}`,
		`{"guid":"w","title":"shown"}`,
		`{"guid":"1","source":{"id":"other"},"title":"another source"}`, // created
	}
	code, res := h.push("application/x-ndjson", strings.Join(lines, "\n"))
	if code != 202 || res.Accepted != len(lines) {
		t.Fatalf("push: %d %+v", code, res)
	}
	var got []string
	ids := map[string]string{}
	for _, a := range h.clean(9) {
		if ids[a.ID] == "" {
			ids[a.ID] = string(rune('A' + len(ids)))
		}
		got = append(got, fmt.Sprintf("%s%d %s %q", ids[a.ID], a.Revision, a.Status, a.Title))
	}
	want := []string{
		`A1 usable "one"`, `A2 usable "one, corrected"`, `A3 usable "third"`, `B1 usable "no name"`,
		`C1 canceled ""`, `A4 canceled ""`, `D1 withheld ""`, `D2 usable "shown"`, `E1 usable "another source"`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A restart reads the state back: nothing is new twice.
func TestIdentitySurvivesRestart(t *testing.T) {
	cluster := bustest.New(t, 1)
	h := newHarness(t, cluster, Config{})
	h.push("application/json", `{"guid":"1","title":"one"}`)
	first := h.clean(1)[0]
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	h = newHarness(t, cluster, Config{})
	h.push("application/json", `[{"guid":"1","title":"one"},{"guid":"1","title":"two"}]`)
	second := h.clean(2)[1]
	if second.ID != first.ID || second.Revision != 2 || second.Title != "two" {
		t.Errorf("after the restart: %+v", second)
	}
}

func TestEmbargo(t *testing.T) {
	cluster := bustest.New(t, 1)
	h := newHarness(t, cluster, Config{})
	at := func(d time.Duration) string { return h.clock.now().Add(d).Format(time.RFC3339Nano) }
	h.push("application/json", fmt.Sprintf(`[{"guid":"e","title":"secret","embargoed":%q},{"guid":"f","title":"lifted","embargoed":%q},
		{"guid":"f","title":"lifted","status":"usable"},{"guid":"g","title":"killed","embargoed":%q},{"guid":"g","status":"canceled"}]`,
		at(time.Hour), at(time.Hour), at(time.Hour)))
	for _, a := range h.clean(2) {
		if a.Title == "secret" || a.Title == "killed" {
			t.Fatalf("embargoed article got out: %+v", a)
		}
	}
	h.records(bus.TopicHeld, 5)
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	now := h.clock.now()
	h = newHarness(t, cluster, Config{})
	h.clock.add(now.Add(2 * time.Hour).Sub(h.clock.now()))
	out := h.clean(3)
	if a := out[2]; a.Title != "secret" || a.Revision != 1 {
		t.Errorf("released %+v", a)
	}
}

// After a crash between articles.clean and articles.seen, or between
// articles.seen and the commit, the repetition gives the same ids, revisions
// and texts.
func TestRepetitionGivesTheSame(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t, now)
		n := len(records)
		straight, _ := play(t, newIdentities(), records, now)
		// A crash somewhere: some prefix of the state was written, an earlier offset committed.
		crash := rapid.IntRange(0, n).Draw(t, "crash")
		committed := rapid.IntRange(0, crash).Draw(t, "committed")
		_, states := play(t, newIdentities(), records[:crash], now)
		saved := newIdentities()
		for _, m := range states {
			if err := saved.load(bus.Record{Key: m.Key, Value: m.Value}); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := play(t, saved, records[committed:], now)
		for k, v := range again {
			if straight[k] != v {
				t.Fatalf("repetition gives %s = %q, first run gave %q", k, v, straight[k])
			}
		}
		for k := range straight {
			if _, inAgain := again[k]; !inAgain && offsetOf(k) >= int64(crash) {
				t.Fatalf("%s was not repeated", k)
			}
		}
	})
}

// State that a process writes after it has lost its partition does not undo
// what the next owner wrote before.
func TestStateWrittenLate(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		var records []bus.Record
		for i := range rapid.IntRange(2, 10).Draw(t, "n") {
			v, _ := article.Encode(&article.Raw{Source: article.Source{ID: "s"}, GUID: "1", Title: fmt.Sprint("title ", i)})
			records = append(records, bus.Record{Offset: int64(i), Value: v, Time: now.Add(time.Duration(i) * time.Millisecond)})
		}
		_, states := play(t, newIdentities(), records, now)
		late := states[:rapid.IntRange(1, len(states)).Draw(t, "late")]
		saved := newIdentities()
		for _, m := range append(append([]bus.Message(nil), states...), late...) {
			if err := saved.load(bus.Record{Key: m.Key, Value: m.Value}); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range saved.byID {
			if e.Revision != int64(len(records)) {
				t.Fatalf("revision is %d, want %d", e.Revision, len(records))
			}
		}
	})
}

func offsetOf(k string) (o int64) { fmt.Sscanf(k, "%d", &o); return o }

// play resolves the records in one batch, and gives what goes to
// articles.clean, by offset, id and revision, and to articles.seen.
func play(t *rapid.T, base *identities, records []bus.Record, now time.Time) (map[string]string, []bus.Message) {
	w := &worker{known: base}
	changes := &overlay{base: base, top: newIdentities()}
	cleaned := map[string]string{}
	all := &output{counts: map[Outcome]int{}}
	for _, r := range records {
		before := len(all.clean)
		if err := w.resolve(changes, all, r, now); err != nil {
			continue // not valid: dead-lettered the same way each time
		}
		for _, m := range all.clean[before:] {
			a, err := article.Decode(m.Value)
			if err != nil {
				t.Fatal(err)
			}
			cleaned[fmt.Sprintf("%d %s/%d", r.Offset, a.ID, a.Revision)] = string(a.Status) + a.Title + a.Body
		}
	}
	return cleaned, all.seen
}

// With Kafka black-holed, writes of the partition and of a push under way, the
// service ends by its time limits and not by the library's.
func TestDrainKafkaBlackHoled(t *testing.T) {
	cluster, broker := bustest.NewBroker(t, 1)
	h := newHarness(t, cluster, Config{DrainTimeout: 100 * time.Millisecond, PushTimeout: 3 * time.Second})
	h.push("text/plain", "first\n\nBody.")
	h.clean(1)
	bustest.BlackHole(broker)
	pushed := make(chan int, 1)
	go func() { code, _ := h.push("text/plain", "second\n\nBody."); pushed <- code }()
	deadline := time.AfterFunc(10*time.Second, func() { panic("the service hangs on a black-holed broker") })
	defer deadline.Stop()
	stop := h.stop
	h.stop = func() error { return nil } // its error is expected
	if err := stop(); err == nil || !strings.Contains(err.Error(), "leaving group") {
		t.Errorf("Run = %v, want what could not be done in order", err)
	}
	if code := <-pushed; code != http.StatusServiceUnavailable {
		t.Errorf("push is answered %d by a broker that does not answer", code)
	}
}

func TestPushErrors(t *testing.T) {
	h := newHarness(t, bustest.New(t, 1), Config{MaxBody: 1 << 20})
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	tests := []struct {
		name, kind, body string
		code             int
		says             string
	}{
		{"empty", "application/json", "", 400, "empty"},
		{"empty text", "text/plain", "", 400, "both empty"},
		{"truncated", "application/json", `{"title":"a`, 400, "not JSON at byte"},
		{"wrong type", "application/json", `{"title":5}`, 400, "title: is a JSON number"},
		{"no text", "application/json", `{"guid":"1"}`, 400, "both empty"},
		{"deep", "application/json", deep, 400, "depth"},
		{"latin-1", "text/plain", "caf\xe9\nbody", 400, "not UTF-8: byte 0xe9 at offset 3"},
		{"latin-1 in JSON", "application/json", "{\"title\":\"caf\xe9\"}", 400, "not UTF-8"},
		{"null byte", "application/json", `{"title":"a\u0000b"}`, 400, "U+0000"},
		{"null byte in text", "text/plain", "a\x00b", 400, "U+0000"},
		{"type", "image/png", "x", 415, "not accepted"},
		{"charset", "text/plain; charset=klingon", "x", 415, "klingon"},
		{"too large", "application/json", `{"title":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "at most"},
		{"long title", "application/json", `{"title":"` + strings.Repeat("x", 20<<10) + `"}`, 400, "title: has 20480 bytes"},
		{"bad date", "application/json", `{"title":"a","published":"yesterday"}`, 400, "RFC 3339"},
		{"bad status", "application/json", `{"title":"a","status":"maybe"}`, 400, "status"},
		{"far embargo", "application/json", `{"title":"a","embargoed":"2999-01-01T00:00:00Z"}`, 400, "embargoed"},
		{"open array", "application/json", `[{"title":"x"},`, 207, "not JSON"},
		{"bad ninjs", "application/vnd.iptc.ninjs+json", `{"uri":"u","headline":"t","pubStatus":"maybe"}`, 400, "pubStatus"},
		{"bad JSON-LD", "application/ld+json", `{"@type":"Person"}`, 400, "NewsArticle"},
		{"bad NewsML", "application/vnd.iptc.g2.newsmessage+xml", "<newsMessage>", 400, "not XML at line 1"},
		{"NewsML too large", "application/vnd.iptc.g2.newsitem+xml", "<a>" + strings.Repeat("x", 2<<20), 413, "at most"},
		{"bad mail", "message/rfc822", "nothing", 400, "not a mail message"},
		{"some bad lines", "application/x-ndjson", "{\"title\":\"x\"}\n{\"title\":\n\n{\"title\":\"y\"}\n", 207, "line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, res := h.push(tt.kind, tt.body)
			said := res.Error
			for _, e := range res.Errors {
				said += e.Error
			}
			if code != tt.code || !strings.Contains(said, tt.says) {
				t.Errorf("got %d %.300q, want %d with %q", code, said, tt.code, tt.says)
			}
		})
	}
}

// Foreign forms over HTTP: the source is that of the request, else the
// publisher that the document names.
func TestPushForeignForms(t *testing.T) {
	h := newHarness(t, bustest.New(t, 1), Config{})
	ninjs := `{"uri":"u","headlines":[{"value":"ninjs"}],"provider":"Atlas Press"}`
	post := func(query, kind, body string) {
		t.Helper()
		req := httptest.NewRequest("POST", "/v1/articles"+query, strings.NewReader(body))
		req.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		if h.mux.ServeHTTP(w, req); w.Code != http.StatusAccepted {
			t.Fatalf("answered with %d %s", w.Code, w.Body)
		}
	}
	post("?source=src", "application/vnd.iptc.ninjs+json", ninjs)
	post("", "application/vnd.iptc.ninjs+json", ninjs)
	post("", "application/ld+json; charset=utf-8", `{"@type":"NewsArticle","headline":"ld"}`)
	post("", "application/vnd.iptc.g2.newsitem+xml", `<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><contentMeta><headline>newsml</headline></contentMeta></newsItem>`)
	post("", "message/rfc822", "Subject: mail\r\n\r\nbody")
	var got []string
	for _, a := range h.clean(5) {
		got = append(got, a.Source.ID+" "+a.Title)
	}
	want := []string{"src ninjs", "atlas-press ninjs", "push ld", "push newsml", "push mail"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Records of articles.raw may be in any form, by their header or first bytes.
func TestDecodeForeignRecords(t *testing.T) {
	newsML := `<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><contentMeta><headline>t</headline></contentMeta></newsItem>`
	tests := []struct{ kind, value, says string }{
		{"application/vnd.iptc.ninjs+json", `{"uri":"u","headline":"t"}`, ""},
		{"", `{"uri":"u","headlines":[{"value":"t"}]}`, ""},
		{"application/json", `{"uri":"u","headlines":[{"value":"t"}]}`, ""},
		{"application/ld+json", `{"@type":"NewsArticle","headline":"t"}`, ""},
		{"application/vnd.iptc.g2.newsitem+xml", newsML, ""},
		{"", newsML, ""},
		{"", "From: a@b.example\nDate: Sat, 24 Oct 2026 09:00:00 +0000\nSubject: t\n\nb", ""},
		{"text/plain; charset=windows-1252", "t\n\xe9", ""},
		{"text/x-unknown", "t", ""},
		{"application/x-unknown", `{"title":"t"}`, ""},
		{"text/plain", "t\xe9", "not UTF-8"},
		{"application/vnd.iptc.g2.newsmessage+xml", `<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/">` + newsML + newsML + `</newsMessage>`, "several articles"},
	}
	for _, tt := range tests {
		r := bus.Record{Key: []byte("src"), Value: []byte(tt.value), Time: time.Now()}
		if tt.kind != "" {
			r.Headers = []bus.Header{{Key: bus.HeaderContentType, Value: []byte(tt.kind)}}
		}
		raw, err := decode(r)
		if tt.says != "" {
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s %.80s gives %v, want %q", tt.kind, tt.value, err, tt.says)
			}
			continue
		}
		if err != nil || raw.Title != "t" || raw.Source.ID != "src" {
			t.Errorf("%s %.80s gives %+v, %v", tt.kind, tt.value, raw, err)
		}
	}
}

// A page of another site cannot make a visitor's browser push articles.
func TestPushFromAnotherSite(t *testing.T) {
	h := newHarness(t, bustest.New(t, 1), Config{})
	req := httptest.NewRequest("POST", "/v1/articles", strings.NewReader("title"))
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, req)
	if w.Code != http.StatusForbidden {
		t.Errorf("answered with %d", w.Code)
	}
}

func TestPushAccepts(t *testing.T) {
	h := newHarness(t, bustest.New(t, 1), Config{})
	tests := []struct{ kind, body, title, text string }{
		{"text/plain", "\ufeffTitle\r\n\r\nOne\r\nTwo\r\n", "Title", "One\nTwo"},
		{"text/plain; charset=windows-1256", "\xe3\xd1\xd5\xcf", "مرصد", ""},
		{"application/json; charset=utf-8", `{"body":"only a body"}`, "", "only a body"},
		{"", `{"title":"e\u0301te\u0301"}`, "été", ""},
		{"application/json", `{"title":"\u202eevil\u202c \u2067rtl"}`, "evil rtl", ""},
		{"application/json", `{"title":"<script>alert(1)</script>"}`, "<script>alert(1)</script>", ""},
	}
	for i, tt := range tests {
		if code, res := h.push(tt.kind, tt.body); code != 202 || res.Accepted != 1 {
			t.Fatalf("%s %q: %d %+v", tt.kind, tt.body, code, res)
		}
		a := h.clean(i + 1)[i]
		if a.Title != tt.title || a.Body != tt.text || a.Source.ID != "src" {
			t.Errorf("%q became title %q, body %q, source %q", tt.body, a.Title, a.Body, a.Source.ID)
		}
	}
}

// What others write to articles.raw is taken as it comes, or dead-lettered whole.
func TestForeignRecords(t *testing.T) {
	cluster := bustest.New(t, 1)
	p := bus.NewProducer(cluster, bus.TopicRaw)
	defer p.Close()
	err := p.Write(t.Context(),
		bus.Message{Key: []byte("wire"), Value: []byte("Plain title\nbody")},
		bus.Message{Key: []byte("wire"), Value: []byte(`{"title":"bare JSON","language":"fr"}`)},
		bus.Message{Key: []byte("wire"), Value: []byte("\xff\xfe junk"), Headers: []bus.Header{{Key: "x", Value: []byte("y")}}},
		bus.Message{Key: []byte("wire"), Value: nil},
		bus.Message{Value: []byte(`{"title":"no source at all"}`)},
		bus.Message{Key: []byte("wire"), Value: []byte(`{"title":"last"}`), Headers: []bus.Header{{Key: "content-type", Value: []byte("text/plain")}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, cluster, Config{})
	got := h.clean(3)
	if got[0].Title != "Plain title" || got[0].Source.ID != "wire" || got[1].Language != "fr" || got[2].Title != `{"title":"last"}` {
		t.Errorf("got %+v", got)
	}
	dead := h.records(bus.TopicDead, 3)
	if string(dead[0].Value) != "\xff\xfe junk" || dead[0].Header("x") != "y" || !strings.Contains(dead[0].Header(bus.DeadReason), "UTF-8") {
		t.Errorf("dead letter lost something: %+v", dead[0])
	}
}

// A client that sends nothing, or cuts off, holds nothing up.
func TestPushBrokenBody(t *testing.T) {
	h := newHarness(t, bustest.New(t, 1), Config{})
	req := httptest.NewRequest("POST", "/v1/articles", io.MultiReader(strings.NewReader("{\"title\":\"a\"}\n{\"tit"), brokenReader{}))
	req.Header.Set("Content-Type", "application/x-ndjson")
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, req)
	if w.Code != http.StatusMultiStatus || !strings.Contains(w.Body.String(), "line 2") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	h.clean(1)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
