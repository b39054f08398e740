package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

func TestBadParameters(t *testing.T) {
	h := start(t, Config{}, newFeed(1), &index{})
	for target, parameter := range map[string]string{
		"colour=red":                          "colour",
		"size=x":                              "size",
		"size=-1":                             "size",
		"size=201":                            "size",
		"size=1&size=2":                       "size",
		"q=a&q=b":                             "q",
		"sort=best":                           "sort",
		"time=never":                          "time",
		"from=yesterday":                      "from",
		"from=now-":                           "from",
		"from=now-1y":                         "from",
		"from=now-99999d":                     "from",
		"from=now&to=now-1d":                  "from",
		"facets=colour":                       "facets",
		"highlight=perhaps":                   "highlight",
		"lang=" + strings.Repeat("a", 600):    "lang",
		"lang=" + strings.Repeat("a,b%00", 2): "lang",
		"q=%ff":                               "q",
		"q=%zz":                               "query string",
		"cursor=" + strings.Repeat("a", 5000): "cursor",
	} {
		w := h.get("/v1/search?" + target)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%.60s: %s", target, w.Body)
		}
		if w.Code != http.StatusBadRequest || p.Status != w.Code || p.Parameter != parameter || p.Detail == "" ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.60s: got %d %s", target, w.Code, w.Body)
		}
	}
	if w := h.get("/v1/search?q=" + strings.Repeat("a", maxQueryString)); w.Code != http.StatusRequestURITooLong {
		t.Errorf("long address: got %d", w.Code)
	}
	if w := h.get("/v1/articles/x?y=1"); w.Code != http.StatusBadRequest {
		t.Errorf("article with a parameter: got %d", w.Code)
	}
}

func TestSyntaxError(t *testing.T) {
	h := start(t, Config{}, newFeed(1), &index{})
	w := h.get("/v1/search?q=" + url.QueryEscape("maroc AND (sport"))
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if w.Code != 400 || p.Position == nil || p.Position.Start != 10 || p.Hint == "" || p.Type != "urn:marsad:problem:query" {
		t.Errorf("got %s", w.Body)
	}
}

func TestRequest(t *testing.T) {
	x := &index{}
	h := start(t, Config{}, newFeed(1), x)
	now := clock()
	for target, want := range map[string]search.Request{
		"":               {Size: 20},
		"q=&lang=&size=": {Size: 20},
		"q=%D9%85%D8%B5%D8%B1&lang=ar,fr&lang=en&entity=Q1&topic=medtop:1&source=s&country=ma,fr": {
			Query: query.Term{Form: "مصر", Pos: query.Pos{End: 3}}, Languages: []string{"ar", "fr", "en"}, Size: 20,
			Entities: []string{"Q1"}, Topics: []string{"medtop:1"}, Sources: []string{"s"}, Countries: []string{"MA", "FR"},
		},
		"from=now-2h&to=now&time=received&sort=relevance&size=0&cursor=c&facets=language,topic": {
			From: now.Add(-2 * time.Hour), To: now, TimeField: search.ByReceived, Sort: search.ByRelevance, Cursor: "c",
			Facets: []search.Facet{{Field: search.FacetLanguage}, {Field: search.FacetTopic}},
		},
		"from=2026-10-01&to=2026-10-24T11:00:00%2B02:00": {
			From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: now.Add(-30 * time.Minute), Size: 20,
		},
	} {
		if w := h.get("/v1/search?" + target); w.Code != http.StatusOK {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
			continue
		}
		if want.TimeField == "" {
			want.TimeField = search.ByPublished
		}
		if want.Sort == "" {
			want.Sort = search.ByReceived
		}
		if diff := cmp.Diff(want, x.asked, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
}

func TestSearch(t *testing.T) {
	x := &index{articles: []article.Article{news("a", func(a *article.Article) {
		a.Title, a.Body, a.Language = "Le Maroc gagne", "Rabat.\nLe Maroc a <b>gagné</b>.", "fr"
	}), news("b")}}
	h := start(t, Config{}, newFeed(1), x)
	w := h.get("/v1/search?q=maroc&size=1&facets=language,source")
	var res SearchResult
	if err := json.Unmarshal(w.Body.Bytes(), &res); err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	want := SearchResult{
		Total: 2, Next: "next+page=1",
		Hits: []Hit{{
			Article:    x.articles[0],
			Highlights: []Highlight{{"title", Range{3, 8}}, {"body", Range{10, 15}}},
			Snippets: []Snippet{
				{"title", []Part{{"Le ", false}, {"Maroc", true}, {" gagne", false}}},
				{"body", []Part{{"Rabat. Le ", false}, {"Maroc", true}, {" a <b>gagné</b>.", false}}},
			},
		}},
		Facets: map[search.FacetField][]FacetBucket{
			"language": {{"en", "English", 1}, {"fr", "French", 1}},
			"source":   {{"wire", "The Wire", 2}},
		},
	}
	if diff := cmp.Diff(want, res, cmpopts.IgnoreFields(SearchResult{}, "Took")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w = h.get("/v1/search?q=maroc&highlight=false")
	if strings.Contains(w.Body.String(), "snippets") || strings.Contains(w.Body.String(), `"facets"`) {
		t.Errorf("not asked for: %s", w.Body)
	}
}

func TestSearchFails(t *testing.T) {
	x := &index{err: errors.Join(search.ErrRequest, errors.New("cursor is bad"))}
	h := start(t, Config{}, newFeed(1), x)
	if w := h.get("/v1/search"); w.Code != 400 || !strings.Contains(w.Body.String(), "cursor is bad") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	x.err = errors.New("secret address refused")
	if w := h.get("/v1/search"); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestSearchTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Config{Searches: 1}, newFeed(1), &index{block: true})
		begin := time.Now()
		if w := h.get("/v1/search"); w.Code != http.StatusGatewayTimeout {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if d := time.Since(begin); d != 10*time.Second {
			t.Errorf("took %v", d)
		}
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestLargeAnswer(t *testing.T) {
	large := func(a *article.Article) { a.Body = strings.Repeat("word ", 4<<20/5) }
	x := &index{}
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		x.articles = append(x.articles, news(id, large))
	}
	h := start(t, Config{}, newFeed(1), x)
	w := h.get("/v1/search")
	if n := w.Body.Len(); n > 18<<20 || !strings.Contains(w.Body.String(), `"body_omitted":true`) {
		t.Errorf("answer has %d bytes", n)
	}
}

func TestArticle(t *testing.T) {
	x := &index{gone: "gone", articles: []article.Article{
		news("a"),
		news("withheld", func(a *article.Article) { a.Status = article.Withheld }),
		news("canceled", func(a *article.Article) { a.Status = article.Canceled }),
		news("embargoed", func(a *article.Article) { a.Embargoed = clock().Add(time.Second) }),
	}}
	h := start(t, Config{}, newFeed(1), x)
	for id, want := range map[string]int{
		"a": 200, "b": 404, "gone": 410, "withheld": 404, "canceled": 410, "embargoed": 404,
		strings.Repeat("x", 300): 404, "%ff": 404, "%3Cscript%3E": 404,
	} {
		if w := h.get("/v1/articles/" + id); w.Code != want {
			t.Errorf("%.20s: got %d %s", id, w.Code, w.Body)
		}
		if w := h.get("/articles/" + id); w.Code != want || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("page of %.20s: got %d %s", id, w.Code, w.Body)
		}
	}
	var a article.Article
	if err := json.Unmarshal(h.get("/v1/articles/a").Body.Bytes(), &a); err != nil || a.ID != "a" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		deps Deps
	}{
		"no reader": {deps: Deps{Feed: newFeed(1)}},
		"no feed":   {deps: Deps{Reader: &index{}}},
		"negative":  {cfg: Config{Streams: -1}, deps: Deps{Reader: &index{}, Feed: newFeed(1)}},
	} {
		if _, err := New(c.cfg, c.deps); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
