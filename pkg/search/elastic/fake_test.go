package elastic

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/marsad-news/marsad/pkg/article"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer is what the fake server says.
type answer struct {
	status int
	body   string
}

// sent is a request that the fake server got.
type sent struct {
	method, path string
	body         []byte
	packed       bool // it came as gzip
}

// ids lists the articles of a bulk request.
func (s sent) ids() []string {
	var ids []string
	for i, l := range bytes.Split(bytes.TrimSuffix(s.body, []byte("\n")), []byte("\n")) {
		var action struct {
			Index struct {
				ID string `json:"_id"`
			} `json:"index"`
		}
		if i%2 == 0 && json.Unmarshal(l, &action) == nil {
			ids = append(ids, action.Index.ID)
		}
	}
	return ids
}

// fake is an Elasticsearch that answers as reply says and keeps what it got.
type fake struct {
	mu    sync.Mutex
	got   []sent
	one   sync.Locker // over reply
	reply func(sent) answer
}

// none is a lock that locks nothing.
type none struct{}

func (none) Lock()   {}
func (none) Unlock() {}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, packed := io.Reader(r.Body), r.Header.Get("Content-Encoding") == "gzip"
	if packed {
		z, err := gzip.NewReader(in)
		if err != nil {
			return
		}
		in = z
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return
	}
	s := sent{r.Method, r.URL.Path, b, packed}
	if s.path == "/_alias/articles-next-*" { // no month is being migrated
		w.WriteHeader(http.StatusNotFound)
		return
	}
	f.mu.Lock()
	f.got = append(f.got, s)
	f.mu.Unlock()
	f.one.Lock()
	a := f.reply(s)
	f.one.Unlock()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	fmt.Fprint(w, a.body)
}

// paths lists the requests so far.
func (f *fake) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var paths []string
	for _, s := range f.got {
		paths = append(paths, s.method+" "+s.path)
	}
	return paths
}

// serve gives an index on a fake server.
func serve(t *testing.T, reply func(sent) answer, change ...func(*Config)) (*Index, *fake) {
	t.Helper()
	return start(t, &fake{reply: reply, one: new(sync.Mutex)}, change...)
}

// serveSlow is serve for a reply that may be called by several requests at
// once.
func serveSlow(t *testing.T, reply func(sent) answer, change ...func(*Config)) (*Index, *fake) {
	t.Helper()
	return start(t, &fake{reply: reply, one: none{}}, change...)
}

func start(t *testing.T, f *fake, change ...func(*Config)) (*Index, *fake) {
	t.Helper()
	s := httptest.NewServer(f)
	c := Config{Addresses: []string{s.URL}, Timeout: 5 * time.Second, Linger: time.Millisecond}
	for _, change := range change {
		change(&c)
	}
	x, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		s.Close()
	})
	return x, f
}

// items answers a bulk request.
func items(items ...string) answer {
	return answer{http.StatusOK, `{"items":[` + strings.Join(items, ",") + `]}`}
}

func ok() string { return `{"index":{"status":201}}` }

func failed(status int, kind, reason string) string {
	return fmt.Sprintf(`{"index":{"status":%d,"error":{"type":%q,"reason":%q}}}`, status, kind, reason)
}

// all answers a bulk request with the same item for each article.
func all(s sent, item string) answer { return items(slices.Repeat([]string{item}, len(s.ids()))...) }

func news(id string) article.Article {
	at := time.Date(2026, 10, 24, 9, 0, 0, 0, time.UTC)
	return article.Article{
		Schema: article.SchemaVersion, ID: id, Revision: 1, Bucket: "2026-10", Status: article.Usable, Language: "fr",
		Source: article.Source{ID: "map"}, Title: "Le Conseil", Body: "RABAT - Le texte.", Published: at, FirstPublished: at, Received: at,
	}
}
