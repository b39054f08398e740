package feed

import (
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seen is what a feed says, by the names that the cases use.
func seen(f *Feed, err error) map[string]string {
	m := map[string]string{}
	for _, e := range []struct {
		err  error
		name string
	}{{ErrTruncated, "truncated"}, {ErrNotFeed, "no feed"}, {ErrTooDeep, "deep"}, {ErrTooLarge, "large"}, {ErrTooMany, "many"}} {
		if errors.Is(err, e.err) {
			m["err"] = e.name
		}
	}
	if err != nil && m["err"] == "" {
		m["err"] = err.Error()
	}
	if f == nil {
		return m
	}
	m["feed"], m["n"], m["sitemaps"] = f.Title, strconv.Itoa(len(f.Items)), strconv.Itoa(len(f.Sitemaps))
	if len(f.Items) == 0 {
		return m
	}
	it := f.Items[0]
	m["title"], m["url"], m["guid"], m["author"], m["lang"], m["content"], m["summary"] = it.Title, it.URL, it.GUID, it.Author, it.Language, it.Content, it.Summary
	if it.Published.IsZero() {
		it.Published = it.Updated
	}
	if !it.Published.IsZero() {
		m["date"] = it.Published.Format(time.RFC3339Nano)
	}
	return m
}

func TestAddressOfTheDocument(t *testing.T) {
	u, err := url.Parse("https://b.example/feeds/all")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(strings.NewReader(`<rss xmlns:a="http://www.w3.org/2005/Atom"><channel><link>..</link><a:link rel="hub" href="/hub"/><a:link rel="next" href="all?page=2"/><item><title>t</title><link>1</link></item></channel></rss>`), Options{URL: u})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(f.Link, " ", f.Hub, " ", f.Next, " ", f.Items[0].URL)
	if want := "https://b.example/ https://b.example/hub https://b.example/feeds/all?page=2 https://b.example/feeds/1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSniff(t *testing.T) {
	for doc, want := range map[string]Kind{
		rss(""): RSS, atom(""): Atom, `<rdf:RDF>`: RSS, "<urlset ": "", "<urlset>": Sitemap, "\n<!-- x --><sitemapindex>": SitemapIndex,
		`{"version": "https:\/\/jsonfeed.org\/version\/1.1"`: JSON, `{"title":"x"}`: "", "<html><feed>": "", "": "", "\xff\xfe<\x00r\x00s\x00s\x00>\x00": RSS,
	} {
		if got := Sniff([]byte(doc)); got != want {
			t.Errorf("%q is %q, want %q", doc, got, want)
		}
	}
}

// What is made to cost much costs little: each document within a second or so
// and a bounded multiple of its size.
func TestHostileSizes(t *testing.T) {
	many := func(unit string) string { return strings.Repeat(unit, MaxSize/4/len(unit)) }
	const open = "<rss><channel>"
	tests := []struct{ name, doc, err string }{
		{"50 MB", open + strings.Repeat("<item><title>t</title><description>"+strings.Repeat("x ", 5000)+"</description></item>", 5000), "large"},
		{"items", open + strings.Repeat("<item><title>t</title></item>", MaxItems+5), "many"},
		{"json items", `{"version":"https://jsonfeed.org/version/1","items":[` + strings.Repeat(`{"title":"t"},`, MaxItems+5), "many"},
		{"json nesting", `{"version":"https://jsonfeed.org/version/1","x":` + many("["), ""},
		{"open tags", open + many("<a "), ""}, {"quotes", open + many(`<a b="<a c='`), ""}, {"bases", open + many(`<x xml:base="aaaaaaaaaaaaaaaa"/>`), ""},
		{"comments", open + many("<!--"), ""}, {"sections", open + many("<![CDATA["), ""}, {"instructions", open + many("<?"), ""}, {"declarations", open + many("<!["), ""},
		{"ends", open + strings.Repeat("<x>", 90) + many("</a>"), ""}, {"ampersands", open + "<title>" + many("&"), ""}, {"authors", open + "<item><author>" + many("a<!---->"), ""},
		{"nested items", open + many("<item>"), ""}, {"nested markup", open + "<item><description>" + many("<b>"), ""}, {"attributes", open + many("<a b=c d=e f=g h>"), ""},
		{"spaces", open + `<x xmlns="` + strings.Repeat("x", 60000) + `">` + many("<y/>"), ""}, {"zeros", many("\x00"), "no feed"}, {"high bytes", many("\xc7\xe1"), "no feed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			f, err := Parse([]byte(tt.doc), Options{})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if got := seen(f, err)["err"]; tt.err != "" && got != tt.err {
				t.Errorf("error %q, want %q", got, tt.err)
			}
			if took > 30*time.Second { // far from what it takes, near to what a hang would
				t.Errorf("took %v", took)
			}
			t.Logf("%v, %d MB allocated in all, error %v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"<rss><item><title>a&amp;<b>", "<feed><entry><link href='x'/><author><name>n", `{"version":"jsonfeed.org/version/1","items":[{"id":1}]}`, "<urlset><url><loc>x", "\xff\xfe<\x00",
		`<!DOCTYPE a [<!ENTITY b "c">]><rss xml:base="x"><![CDATA[`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := Parse([]byte(in), Options{})
		if (got == nil) != errors.Is(err, ErrNotFeed) {
			t.Fatalf("feed %v with error %v", got, err)
		}
		if got == nil {
			return
		}
		for _, it := range got.Items {
			for _, s := range []string{it.GUID, it.URL, it.Title, it.Content, it.Summary, it.Author, it.Language} {
				if !utf8.ValidString(s) {
					t.Fatalf("%q is not UTF-8", s)
				}
			}
			if it.URL != "" && !absolute(it.URL) {
				t.Fatalf("%q is not absolute", it.URL)
			}
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"Sat, 24 Oct 26 09:00 EST", "20261024T09", "3/4/26 9 pm", "٢٤ أكتوبر", "2026-300"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if d, ok := parseDate(in); ok != !d.IsZero() || ok && (d.Year() < 1900 || d.Location() != time.UTC) {
			t.Fatalf("%q gives %v, %v", in, d, ok)
		}
	})
}
