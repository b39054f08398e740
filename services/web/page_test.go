package web

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/marsad-news/marsad/pkg/article"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -update writes it):\n%s", path, diff)
	}
}

// sample is an index with an article in each direction of writing.
func sample() *index {
	return &index{articles: []article.Article{
		news("01", func(a *article.Article) {
			a.Language, a.Title = "ar", "المغرب يفوز بكأس إفريقيا"
			a.Body = "الرباط - فاز المغرب بالكأس.\nواحتفل الناس في الرباط."
			a.URL, a.Byline, a.Revision = "https://atlas.example/1?a=1&b=2", "هيئة التحرير", 2
			a.Source = article.Source{ID: "atlas", Name: "أطلس", Country: "MA"}
			a.Entities = []article.Entity{
				{ID: "Q1028", Type: article.Place, Name: "المغرب", Labels: map[string]string{"en": "Morocco"}, Count: 2, Salience: .6, Country: "MA", Mentions: []article.Mention{
					{Field: "title", Start: 0, End: 6, Text: "المغرب"}, {Field: "body", Start: 13, End: 19, Text: "المغرب"},
				}},
				{ID: "Q3551", Type: article.Place, Name: "الرباط", Count: 2, Salience: .8, Country: "MA", Mentions: []article.Mention{
					{Field: "body", Start: 0, End: 6, Text: "الرباط"}, {Field: "body", Start: 44, End: 50, Text: "الرباط"},
				}},
			}
			a.Topics = []article.Topic{{ID: "medtop:15000000", Name: "sport", Score: .93, Evidence: []string{"كأس"}}}
		}),
		news("02", func(a *article.Article) { a.Title = "Morocco wins the cup" }),
		news("03", func(a *article.Article) { a.Title, a.Body, a.Language = "", "Sans titre.", "und" }),
	}}
}

func TestGolden(t *testing.T) {
	f := newFeed(1)
	f.add(0, news("01"))
	h := start(t, Config{}, f, sample())
	h.takenIn(f)
	for name, target := range map[string]string{
		"search.html":  "/?q=" + url.QueryEscape("المغرب OR morocco") + "&lang=ar&lang=en&from=now-1d&size=2",
		"error.html":   "/?q=" + url.QueryEscape("maroc AND (sport"),
		"article.html": "/articles/01",
	} {
		version := regexp.MustCompile(`\?v=[0-9a-f]{12}`)
		golden(t, name, version.ReplaceAllString(h.get(target).Body.String(), "?v=hash"))
	}
}

func TestEmpty(t *testing.T) {
	h := start(t, Config{}, newFeed(1), &index{})
	for target, want := range map[string]string{
		"/":                     "No article has come in yet",
		"/?q=x&utm_source=mail": "Try other words",
		"/articles/x":           "No such article",
	} {
		if w := h.get(target); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// What comes from articles, queries and labels is inert.
func TestHostile(t *testing.T) {
	const evil = `</title><script>alert(1)</script><img src=x onerror="alert(1)">'"` + "\u202egnp\u2069"
	x := &index{articles: []article.Article{news("h", func(a *article.Article) {
		a.ID = `../"><script>`
		a.Title, a.Body, a.Byline, a.URL, a.Language = evil, evil+"\n"+evil, evil, "javascript:alert(1)", `en"><script>`
		a.Source = article.Source{ID: evil, Name: evil}
		a.Entities = []article.Entity{{ID: evil, Name: evil, Type: evil, Mentions: []article.Mention{
			{Field: "body", Start: 0, End: 9}, {Field: "body", Start: -5, End: 1 << 40}, {Field: "body", Start: 5, End: 3},
		}}}
		a.Topics = []article.Topic{{ID: evil, Name: evil, Evidence: []string{evil}}}
	})}}
	f := newFeed(1)
	h := start(t, Config{}, f, x)
	query := url.Values{"q": {"script"}, "lang": {evil}, "entity": {evil}, "from": {""}}
	for _, target := range []string{
		"/?" + query.Encode(), "/?q=" + url.QueryEscape(evil), "/?from=" + url.QueryEscape(evil),
		"/articles/" + url.PathEscape(x.articles[0].ID), "/articles/" + url.PathEscape(evil),
	} {
		w := h.get(target)
		page := w.Body.String()
		if strings.Contains(page, `href="javascript`) || strings.Contains(page, `href=" javascript`) {
			t.Errorf("%s: links a script", target)
		}
		if w.Header().Get("Content-Type") != "text/html; charset=utf-8" || len(page) < 500 {
			t.Fatalf("%s: %d %s", target, w.Code, page)
		}
		// Quotes in texts are escaped: what stands in quotes is an attribute.
		page = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, `""`)
		if n := strings.Count(page, "<script"); n != 1 {
			t.Errorf("%s: %d scripts", target, n)
		}
		for _, bad := range []string{"<img src=x", "javascript:", "\u202e", "\u2069"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: has %q", target, bad)
			}
		}
		if m := regexp.MustCompile(`<[^>]*\s(on\w+|style)=`).FindString(page); m != "" {
			t.Errorf("%s: has %s", target, m)
		}
	}
}

func TestHeaders(t *testing.T) {
	h := start(t, Config{}, newFeed(1), sample())
	for _, target := range []string{"/", "/?q=(", "/articles/01", "/articles/none", "/static/app.js", "/static/none"} {
		hd := h.get(target).Header()
		if hd.Get("Content-Security-Policy") != contentPolicy || hd.Get("X-Content-Type-Options") != "nosniff" || hd.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", target, hd)
		}
	}
	if strings.Contains(contentPolicy, "unsafe") {
		t.Error(contentPolicy)
	}
}

func TestStatic(t *testing.T) {
	h := start(t, Config{}, newFeed(1), nil)
	page := h.get("/").Body.String()
	for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		w := h.get(m[1])
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", m[1], w.Code, w.Header())
		}
		req := httptest.NewRequest("GET", m[1], nil)
		req.Header.Set("If-None-Match", w.Header().Get("ETag"))
		again := httptest.NewRecorder()
		if h.mux.ServeHTTP(again, req); again.Code != http.StatusNotModified {
			t.Errorf("%s: %d", m[1], again.Code)
		}
	}
}

// The page works on addresses alone: filters come and go by links.
func TestLinks(t *testing.T) {
	h := start(t, Config{}, newFeed(1), sample())
	page := h.get("/?q=a&lang=ar&cursor=c&size=2").Body.String()
	for _, want := range []string{
		`href="/?lang=ar&amp;lang=en&amp;q=a&amp;size=2"`,               // a facet's value to add
		`href="/?q=a&amp;size=2"`,                                       // the active one to take away
		`href="/?cursor=next&#43;page%3D1`,                              // as html/template writes it, or below
		`data-stream="/v1/stream?lang=ar&amp;q=a"`,                      // the same choice live
		`href="/?lang=ar&amp;q=a&amp;size=2">← First page</a>`,          // back
		`<input type="hidden" name="lang" value="ar">`,                  // a new query keeps filters
		`<h2 dir="rtl"><a href="/articles/01">`, `<time datetime="2026`, // marks for machines
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#43;", "%2B")) {
			t.Errorf("lacks %s", want)
		}
	}
}
