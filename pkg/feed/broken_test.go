package feed

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

const (
	arTitle = "المغرب وفرنسا يوقعان اتفاقا حول المياه"
	frTitle = "L'été à Orléans, où l'eau coûte très cher"
)

func in(e encoding.Encoding, s string) string {
	out, err := encoding.ReplaceUnsupported(e.NewEncoder()).String(s)
	if err != nil {
		panic(err)
	}
	return out
}

// titled is a feed with a title and the declaration of an encoding.
func titled(declaration, title string) string {
	return declaration + `<rss version="2.0"><channel><title>x</title><item><title>` + title + `</title></item></channel></rss>`
}

func xmlIn(name string) string { return `<?xml version="1.0" encoding="` + name + `"?>` }

func charsets() []docCase {
	const rssXML = "application/rss+xml"
	ar, fr := []string{"title", arTitle}, []string{"title", frTitle}
	le, be := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	return []docCase{
		{"utf-8", rssXML, titled(xmlIn("utf-8"), arTitle), ar},
		{"utf-8 with bom", rssXML, "\ufeff" + titled(xmlIn("utf-8"), arTitle), ar},
		{"undeclared utf-8", "", titled("", arTitle), ar},
		{"declared 1256", rssXML, in(charmap.Windows1256, titled(xmlIn("windows-1256"), arTitle)), ar},
		{"declared 1252", rssXML, in(charmap.Windows1252, titled(xmlIn("ISO-8859-1"), frTitle)), fr},
		{"declared 8859-6", rssXML, in(charmap.ISO8859_6, titled(xmlIn("iso-8859-6"), arTitle)), ar},
		{"declared 8859-15", rssXML, in(charmap.ISO8859_15, titled(xmlIn("iso-8859-15"), "10 €")), []string{"title", "10 €"}},
		{"declared koi8-r", rssXML, in(charmap.KOI8R, titled(xmlIn("koi8-r"), "Новости дня")), []string{"title", "Новости дня"}},
		{"declared shift_jis", rssXML, in(japanese.ShiftJIS, titled(xmlIn("Shift_JIS"), "日本語")), []string{"title", "日本語"}},
		{"declared euc-jp, single quotes", rssXML, in(japanese.EUCJP, titled(`<?xml version='1.0' encoding='euc-jp'?>`, "日本語")), []string{"title", "日本語"}},
		{"header 1256", rssXML + "; charset=windows-1256", in(charmap.Windows1256, titled("", arTitle)), ar},
		{"header quoted", rssXML + `; charset="windows-1252"`, in(charmap.Windows1252, titled("", frTitle)), fr},
		{"header before declaration", rssXML + "; charset=windows-1256", in(charmap.Windows1256, titled(xmlIn("iso-8859-1"), arTitle)), ar},
		{"header us-ascii", "text/xml; charset=us-ascii", titled(xmlIn("utf-8"), arTitle), ar},
		{"header wrong", "text/xml; charset=iso-8859-1", titled(xmlIn("utf-8"), arTitle), ar},
		{"header unknown", "text/xml; charset=x-none", titled(xmlIn("utf-8"), arTitle), ar},
		{"header no media type", ";;", titled("", arTitle), ar},
		{"declaration wrong", rssXML, titled(xmlIn("iso-8859-1"), arTitle), ar},
		{"declaration says utf-16", rssXML, titled(xmlIn("utf-16"), arTitle), ar},
		{"declaration unknown", rssXML, titled(xmlIn("x-none"), arTitle), ar},
		{"utf-8 that is 1252", rssXML, in(charmap.Windows1252, titled(xmlIn("utf-8"), frTitle)), fr},
		{"utf-8 that is 1256", rssXML, in(charmap.Windows1256, titled(xmlIn("utf-8"), arTitle)), ar},
		{"undeclared 1256", "", in(charmap.Windows1256, titled("", arTitle)), ar},
		{"undeclared 1252", "", in(charmap.Windows1252, titled("", frTitle)), fr},
		{"undeclared 8859-6", "", in(charmap.ISO8859_6, titled("", arTitle)), ar},
		{"utf-16le with bom", rssXML, in(le, titled(xmlIn("utf-16"), arTitle)), ar},
		{"utf-16be without bom", rssXML, in(be, titled(xmlIn("utf-16"), arTitle)), ar},
		{"bom before header", rssXML + "; charset=windows-1252", "\ufeff" + titled("", arTitle), ar},
		{"code page of ibm", rssXML, in(charmap.CodePage850, titled(xmlIn("cp850"), frTitle)), fr},
		{"code page by its number", rssXML, in(charmap.CodePage437, titled(xmlIn("437"), "é")), []string{"title", "é"}},
		{"windows_1251", rssXML, in(charmap.Windows1251, titled(xmlIn("windows_1251"), "Новости дня")), []string{"title", "Новости дня"}},
		{"controls of 1252", rssXML, titled("", "don\u0092t"), []string{"title", "don’t"}},
		{"utf-8 with a bad byte", rssXML, titled("", arTitle+"\xff"), []string{"title", arTitle + "\uFFFD"}},
	}
}

func kinds() []docCase {
	one := []string{"title", "t", "url", "https://a.example/1", "n", "1"}
	also := func(more ...string) []string { return append(one[:6:6], more...) }
	return []docCase{
		{"0.91 with DOCTYPE", "", `<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>F</title><language>fr_FR</language><item><title>t</title><link>https://a.example/1</link></item></channel></rss>`, also("feed", "F", "lang", "fr-FR")},
		{"0.90", "", `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>F</title></channel><item><title>t</title><link>https://a.example/1</link></item></rdf:RDF>`, also("feed", "F")},
		{"1.0", "", `<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/"><channel r:about="x"><title>F</title><items><r:Seq><r:li r:resource="y"/></r:Seq></items></channel><image><title>no</title></image><item r:about="https://a.example/1"><title>t</title><d:creator>A</d:creator></item></r:RDF>`, also("feed", "F", "author", "A")},
		{"prefixed rss 1.0", "", `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rss="http://purl.org/rss/1.0/"><rss:channel><rss:title>F</rss:title></rss:channel><rss:item><rss:title>t</rss:title><rss:link>https://a.example/1</rss:link></rss:item></rdf:RDF>`, also("feed", "F")},
		{"default namespace of userland", "", `<rss version="2.0" xmlns="http://backend.userland.com/rss2"><channel><item><title>t</title><link>https://a.example/1</link></item></channel></rss>`, one},
		{"items outside the channel", "", `<rss><channel><title>F</title></channel><item><title>t</title><link>https://a.example/1</link></item></rss>`, one},
		{"channel alone", "", `<channel><title>F</title><item><title>t</title><link>https://a.example/1</link></item></channel>`, one},
		{"atom 0.3", "", `<feed version="0.3" xmlns="http://purl.org/atom/ns#" xml:lang="ar"><title>F</title><tagline>x</tagline><entry><title>t</title><link rel="alternate" type="text/html" href="https://a.example/1"/><id>i</id><issued>2026-10-24T09:00:00Z</issued></entry></feed>`, also("lang", "ar", "guid", "i")},
		{"prefixed atom", "", `<x:feed xmlns:x="http://www.w3.org/2005/Atom"><x:title>F</x:title><x:entry><x:title>t</x:title><x:link href="https://a.example/1"/></x:entry></x:feed>`, also("feed", "F")},
		{"atom without namespace", "", `<feed><title>F</title><entry><title>t</title><link href="https://a.example/1"/></entry></feed>`, one},
		{"author of the feed", "", `<feed xmlns="http://www.w3.org/2005/Atom"><author><name>A</name></author><entry xml:lang="fr"><title>t</title><link href="https://a.example/1"/></entry></feed>`, also("author", "A", "lang", "fr")},
		{"wrong prefix for a namespace", "", `<rss xmlns:foo="http://purl.org/dc/elements/1.1/"><channel><item><title>t</title><link>https://a.example/1</link><foo:creator>A</foo:creator></item></channel></rss>`, also("author", "A")},
		{"undeclared prefix", "", `<rss><channel><item><title>t</title><link>https://a.example/1</link><dc:creator>A</dc:creator></item></channel></rss>`, also("author", "A")},
		{"language of dc", "", `<rss><channel><language>en</language><item><title>t</title><link>https://a.example/1</link><dc:language>ar</dc:language></item></channel></rss>`, also("lang", "ar")},
		{"json feed 1.1", "application/feed+json", `{"version":"https://jsonfeed.org/version/1.1","title":"F","home_page_url":"https://a.example/","language":"ar","items":[{"id":"i","url":"/1","title":"t","content_html":"<p>x</p>","authors":[{"name":"A"},{"name":"B"}],"date_published":"2026-10-24T10:00:00+01:00"}]}`, also("feed", "F", "guid", "i", "author", "A, B", "lang", "ar", "content", "<p>x</p>", "date", "2026-10-24T09:00:00Z")},
		{"json feed 1.0", "", "\ufeff" + `{"version":"https:\/\/jsonfeed.org\/version\/1","title":"F","items":[{"id":7,"external_url":"https://a.example/1","title":"t","content_text":"a < b","author":{"name":"A"}}]}`, also("guid", "7", "author", "A", "content", "a &lt; b")},
		{"json feed with a bad item", "", `{"version":"https://jsonfeed.org/version/1","items":[null,5,{"id":["x"],"title":{}},{"url":"https://a.example/1"}],"title":7}`, []string{"n", "2", "feed", "7"}},
		{"json feed, cut off", "", `{"version":"https://jsonfeed.org/version/1","items":[{"url":"https://a.example/1","title":"t"},{"title":"u`, also("err", "truncated")},
		{"news sitemap", "", `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://a.example/1</loc><n:news><n:publication><n:name>Atlas</n:name><n:language>ar</n:language></n:publication><n:publication_date>2026-10-24</n:publication_date><n:title>t</n:title></n:news><lastmod>2026-10-25</lastmod></url></urlset>`, also("lang", "ar", "date", "2026-10-24T00:00:00Z")},
		{"plain sitemap", "", `<urlset><url><loc>https://a.example/1</loc><lastmod>2026-10-25</lastmod></url><url><loc>https://a.example/2</loc></url></urlset>`, []string{"n", "2", "url", "https://a.example/1", "date", "2026-10-25T00:00:00Z"}},
		{"sitemap index", "", `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://a.example/s1</loc></sitemap><sitemap><loc>https://a.example/s2</loc></sitemap></sitemapindex>`, []string{"n", "0", "sitemaps", "2"}},
		{"media type of a page", "text/html", rss("<title>t</title><link>https://a.example/1</link>"), one},
		{"html", "", "<!DOCTYPE html><html><head><title>x</title></head></html>", []string{"err", "no feed"}},
		{"nothing", "", "", []string{"err", "no feed"}},
		{"other json", "", `{"items":5}`, []string{"err", "no feed"}},
		{"text", "", "just text", []string{"err", "no feed"}},
	}
}

func broken() []docCase {
	ok := rss("<title>t</title>")
	t := []string{"title", "t"}
	item := func(s string) string { return "<rss><channel><title>F</title>" + s + "</channel></rss>" }
	return []docCase{
		{"white space first", "", " \n\n" + ok, t},
		{"text first", "", "junk\n" + ok, t},
		{"warning first", "", "<br />\n<b>Warning</b>: x in y\n" + ok, t},
		{"comment first", "", "<!-- x -->" + ok, t},
		{"stylesheet first", "", `<?xml version="1.0"?><?xml-stylesheet href="x"?>` + ok, t},
		{"junk last", "", ok + "<script>x</script> junk & more", t},
		{"two documents", "", ok + ok, t},
		{"item not closed", "", item("<item><title>t</title><item><title>u</title></item>"), []string{"title", "t", "n", "2"}},
		{"title not closed", "", item("<item><title>t<description>d</description></item>"), []string{"title", "t", "summary", "d"}},
		{"wrong end tag", "", item("<item><title>t</titel></item><item><title>u</title></item>"), []string{"title", "t", "n", "2"}},
		{"stray end tag", "", item("</p><item></b><title>t</title></item>"), t},
		{"attribute without quotes", "", "<rss version=2.0><channel><item><title>t</title></item></channel></rss>", t},
		{"attribute without value", "", "<rss x><channel y><item z><title>t</title></item></channel></rss>", t},
		{"attribute twice", "", `<rss a="1" a="2"><channel><item><title>t</title></item></channel></rss>`, t},
		{"< in attribute", "", item(`<item><title a="x<y>">t</title></item>`), t},
		{"cdata not closed", "", item("<item><title>t</title></item><item><title><![CDATA[u</title></item>"), []string{"title", "t", "n", "1", "err", "truncated"}},
		{"comment not closed", "", item("<item><!-- x <title>t</title></item>"), t},
		{"cut off in a tag", "", "<rss><channel><item><title>t</title></item><item><titl", []string{"title", "t", "n", "1", "err", "truncated"}},
		{"cut off in a title", "", "<rss><channel><item><title>t</title></item><item><title>u", []string{"title", "t", "n", "1", "err", "truncated"}},
		{"cut off in a text", "", "<rss><channel><item><title>t</title><description>abc", []string{"title", "t", "summary", "", "n", "1", "err", "truncated"}},
		{"end tag cut off", "", ok[:len(ok)-2], []string{"title", "t", "err", "truncated"}},
		{"billion laughs", "", `<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><rss><channel><item><title>t &c;</title></item></channel></rss>`, []string{"title", "t &c;"}},
		{"external entity", "", `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>t &x;</title></item></channel></rss>`, []string{"title", "t &x;"}},
		{"entity of its own", "", `<!DOCTYPE r [<!ENTITY at "Atlas &#38; Co">` + "\n] >" + `<rss><channel><item><title>t &at;</title><description><![CDATA[a]]></description></item></channel></rss>`, []string{"title", "t &at;"}},
		{"plain entity", "", `<!DOCTYPE r [<!ENTITY at "Atlas Press">]><rss><channel><item><title>t &at;</title></item></channel></rss>`, []string{"title", "t Atlas Press"}},
		{"nul bytes", "", strings.ReplaceAll(ok, "<item>", "\x00<item>\x00"), t},
		{"deep within text", "", item("<item><title>t</title><description>" + strings.Repeat("<b>", 5000) + "</description></item>"), t},
		{"deep outside text", "", item("<item><title>t</title></item>" + strings.Repeat("<x>", 5000)), []string{"title", "t", "err", "deep"}},
		{"upper case", "", "<RSS><CHANNEL><ITEM><TITLE>t</TITLE><LINK>https://a.example/1</LINK></ITEM></CHANNEL></RSS>", []string{"title", "t", "url", "https://a.example/1"}},
		{"xml declaration twice", "", "<?xml version='1.0'?>" + ok, t},
	}
}

// Every document gives what it says, with the mistakes it has.
func TestDocuments(t *testing.T) {
	cases := allCases()
	if len(cases) < 120 {
		t.Errorf("only %d documents", len(cases))
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse([]byte(tt.doc), Options{ContentType: tt.kind})
			got := seen(f, err)
			want := tt.want
			if _, told := got["err"]; told && !strings.Contains(strings.Join(want, "\n"), "err") {
				t.Errorf("error %v", err)
			}
			for i := 0; i < len(want); i += 2 {
				if got[want[i]] != want[i+1] {
					t.Errorf("%s is %q, want %q", want[i], got[want[i]], want[i+1])
				}
			}
		})
	}
}
