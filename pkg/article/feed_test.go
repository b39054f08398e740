package article

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const atlasRSS = `<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Agence &lt;b&gt;Atlas&lt;/b&gt;</title><link>https://atlas.example/</link><language>fr-FR</language>
<item><title>L&amp;#8217;eau &amp;amp; l&#8217;or</title><link>/1</link><guid isPermaLink="false">g1</guid><dc:creator>Anne Petit</dc:creator>
<pubDate>Sat, 24 Oct 2026 11:00:00 CEST</pubDate><description>court</description><content:encoded><![CDATA[<p>RABAT – Signé.</p><p>À suivre &amp; à lire.</p>]]></content:encoded></item>
<item><guid>https://atlas.example/2</guid><description>&lt;p>Sans titre.&lt;/p></description></item><item><link>/3</link></item></channel></rss>`

// A feed is its items, whatever the form it is said to be in.
func TestFeed(t *testing.T) {
	source := Source{Name: "Agence Atlas"}
	rss := []Raw{{Schema: 1, Source: source, GUID: "g1", URL: "https://atlas.example/1", Title: "L’eau & l’or", Body: "RABAT – Signé.\nÀ suivre & à lire.", Byline: "Anne Petit", Language: "fr-FR", Published: hour(9)},
		{Schema: 1, Source: source, GUID: "https://atlas.example/2", URL: "https://atlas.example/2", Body: "Sans titre.", Language: "fr-FR"}}
	const atom = `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ar"><title>وكالة الأطلس</title><author><name>سلمى</name></author><entry><id>urn:1</id><title>خبر</title>` +
		`<link href="https://atlas.example/1"/><updated>2026-10-24T09:00:00Z</updated><summary>نص</summary></entry></feed>`
	const jsonFeed = `{"version":"https://jsonfeed.org/version/1.1","title":"Atlas","items":[{"id":"1","url":"https://atlas.example/1","title":"t","content_text":"one\ntwo","date_published":"2026-10-24T09:00:00Z"}]}`
	const sitemap = `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://atlas.example/1</loc><news:news><news:publication>` +
		`<news:name>Atlas</news:name><news:language>en</news:language></news:publication><news:title>t</news:title></news:news></url></urlset>`
	const neither = "items[2]: has neither a title nor a text"
	tests := []struct {
		name, doc string
		kinds     []string
		want      []Raw
		err       string
	}{
		{"rss", atlasRSS, []string{"application/rss+xml", "application/xml", "text/xml; charset=utf-8"}, rss, neither},
		{"atom", atom, []string{"application/atom+xml", "application/xml"}, []Raw{{Schema: 1, Source: Source{Name: "وكالة الأطلس"}, GUID: "urn:1", URL: "https://atlas.example/1", Title: "خبر", Body: "نص", Byline: "سلمى", Language: "ar", Published: hour(9)}}, ""},
		{"json", jsonFeed, []string{"application/feed+json", "application/json"}, []Raw{{Schema: 1, Source: Source{Name: "Atlas"}, GUID: "1", URL: "https://atlas.example/1", Title: "t", Body: "one\ntwo", Published: hour(9)}}, ""},
		{"sitemap", sitemap, []string{"application/xml"}, []Raw{{Schema: 1, Source: Source{Name: "Atlas"}, URL: "https://atlas.example/1", Title: "t", Language: "en"}}, ""},
		{"index", "<sitemapindex><sitemap><loc>https://atlas.example/s</loc></sitemap></sitemapindex>", []string{"application/xml"}, nil, "a sitemap index has no articles: send the sitemaps that it names"},
		{"cut off", "<rss><channel><item><title>t</title></item><item><ti", []string{"application/rss+xml"}, []Raw{{Schema: 1, Title: "t"}}, "after 1 items: the feed is cut off"},
		{"none", "<html><p>x", []string{"text/xml"}, nil, "no feed: the document is not RSS, Atom, JSON Feed or a sitemap"},
	}
	for _, tt := range tests {
		for _, kind := range tt.kinds {
			form, _, err := FormOf(kind)
			if err != nil {
				t.Fatal(err)
			}
			raws, errs := collect(tt.doc, form)
			if diff := cmp.Diff(tt.want, raws); diff != "" || strings.Join(errs, "\n") != tt.err {
				t.Errorf("%s as %s: errors %q (-want +got):\n%s", tt.name, kind, errs, diff)
			}
		}
		raws, _ := collect(tt.doc, Sniff([]byte(tt.doc)))
		if diff := cmp.Diff(tt.want, raws); diff != "" && tt.name != "none" {
			t.Errorf("%s sniffed (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The header's charset comes before the declaration's.
func TestFeedCharset(t *testing.T) {
	form, dec, err := FormOf("application/rss+xml; charset=windows-1252")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := dec.String("<?xml version='1.0' encoding='windows-1256'?><rss><channel><item><title>\xe9t\xe9</title></item></channel></rss>")
	if err != nil {
		t.Fatal(err)
	}
	raws, errs := collect(doc, form)
	if len(raws) != 1 || raws[0].Title != "été" || errs != nil {
		t.Errorf("got %v, errors %q", raws, errs)
	}
}

// A record may be a feed of one item, and XML may be NewsML.
func TestFeedRecords(t *testing.T) {
	r, err := ReadOne([]byte("<rss><channel><item><title>t</title></item></channel></rss>"), XML)
	if err != nil || r.Title != "t" {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := ReadOne([]byte(atlasRSS), Feed); err == nil {
		t.Error("a feed of many items was taken as a record")
	}
	r, err = ReadOne([]byte(item(`<contentMeta><headline>t</headline></contentMeta>`)), XML)
	if err != nil || r.Title != "t" {
		t.Errorf("NewsML gives %v, %v", r, err)
	}
	r.NameSource("", "s")
	if err := r.Clean(time.Now()); err != nil {
		t.Error(err)
	}
}
