package feed

import (
	"fmt"
	"strings"
)

// docCase is a document and what is to be read of it: pairs of a name and a
// value, of the first item but for feed, n and err.
type docCase struct {
	name, kind, doc string
	want            []string
}

const spaces = `xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" ` +
	`xmlns:atom="http://www.w3.org/2005/Atom" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:media="http://search.yahoo.com/mrss/"`

func rss(item string) string {
	return `<?xml version="1.0"?><rss version="2.0" ` + spaces + `><channel><title>Atlas</title><link>https://a.example/</link><item>` +
		item + `</item></channel></rss>`
}

func atom(entry string) string {
	return `<feed xmlns="http://www.w3.org/2005/Atom"><title>Atlas</title><link href="https://a.example/"/><entry>` + entry + `</entry></feed>`
}

// field makes cases of one field in one kind of document.
func field(group, name, format string, wrap func(string) string, pairs ...string) []docCase {
	var out []docCase
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, docCase{fmt.Sprintf("%s %d %.40s", group, i/2, pairs[i]), "", wrap(fmt.Sprintf(format, pairs[i])), []string{name, pairs[i+1]}})
	}
	return out
}

func titles() []docCase {
	cases := field("title rss", "title", "<title>%s</title>", rss,
		"plain", "plain", "a &amp; b", "a & b", "caf&eacute;", "café", "a&nbsp;b", "a b", "R & D", "R & D", "AT&T wins", "AT&T wins",
		"3 < 4", "3 < 4", "x &lt; y", "x < y", "&lt;b&gt;Bold&lt;/b&gt; news", "Bold news", "<b>Bold</b> news", "Bold news",
		"<![CDATA[a & b]]>", "a & b", "<![CDATA[<em>Flash</em>: x]]>", "Flash: x", "<![CDATA[a &amp; b]]>", "a & b", "L&amp;#8217;eau", "L’eau",
		"caf&amp;eacute;", "café", "a &amp;amp; b", "a & b", "a &amp;amp;amp; b", "a & b", "&#x645;&#1589;&#1585;", "مصر", "don&#146;t", "don’t",
		"Vec&lt;T&gt; in Rust", "Vec<T> in Rust", "two\n  lines", "two lines", "a\x01b\x0cc", "abc", "a&#1;b", "ab", "a]]&gt;b", "a]]>b",
		"one<br/>two", "one two", "&quot;x&quot; &apos;y&apos;", `"x" 'y'`, "<![CDATA[one]]> <![CDATA[two]]>", "one two", "a<!-- no -->b", "ab", "&unknown; x", "&unknown; x",
		"مفاوضات &laquo;جديدة&raquo;", "مفاوضات «جديدة»", "a &copy b", "a &copy b", "x &#xD800; y", "x \uFFFD y", "a<3", "a<3")
	cases = append(cases, field("title atom", "title", "<title%s</title>", atom,
		">a &amp; b", "a & b", ` type="text">&lt;b&gt; is a tag`, "<b> is a tag", ` type="html">&lt;b&gt;x&lt;/b&gt; y`, "x y", ` type="html">a &amp;amp; b`, "a & b",
		` type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <i>b</i> &amp; c</div>`, "a b & c", ` type="html"><![CDATA[<p>x</p>]]>`, "x",
		` type="html">&lt;x&gt;y`, "y", ` type="text/html" mode="escaped">&lt;i&gt;x&lt;/i&gt;`, "x", ` mode="base64">eCB5`, "x y", ` type="application/octet-stream">eCB5`, "x y", " type='text'>caf&eacute;", "café")...)
	return append(cases, field("title of another name", "title", "%s", rss,
		"<dc:title>x</dc:title>", "x", "<title/><media:title>x</media:title>", "x", "<TITLE>x</TITLE>", "x", "<title>x</title><media:content><media:title>y</media:title></media:content>", "x",
		"<media:title>y</media:title><title>x</title>", "x", "<title>x</title><image><title>y</title></image>", "x", "<source><title>y</title></source><title>x</title>", "x",
		"<title></title><dc:title>x</dc:title>", "x", "<title>x<link>https://a.example/1</link>", "x")...)
}

func links() []docCase {
	cases := field("link rss", "url", "<title>t</title>%s", rss,
		"<link>https://a.example/1</link>", "https://a.example/1", "<link> \n https://a.example/1 \n</link>", "https://a.example/1", "<link>/1</link>", "https://a.example/1",
		"<link>https://a.example/?a=1&b=2</link>", "https://a.example/?a=1&b=2", "<link>https://a.example/?a=1&amp;copy=2</link>", "https://a.example/?a=1&copy=2",
		"<link>https://a.example/?a=1&amp;amp;b=2</link>", "https://a.example/?a=1&b=2", "<link><![CDATA[https://a.example/?x&y]]></link>", "https://a.example/?x&y",
		"<guid>https://a.example/1</guid>", "https://a.example/1", `<guid isPermaLink="false">https://a.example/1</guid>`, "", `<guid isPermaLink="true">/1</guid>`, "https://a.example/1",
		"<guid>abc</guid>", "", `<link>https://p.example/r</link><feedburner:origLink>https://a.example/1</feedburner:origLink>`, "https://a.example/1",
		`<link href="https://a.example/1"/>`, "https://a.example/1", `<atom:link rel="alternate" href="/1"/>`, "https://a.example/1", `<atom:link rel="self" href="/1"/>`, "",
		"<link>javascript:alert(1)</link>", "", "<link>www.a.example/1</link>", "http://www.a.example/1", "<link>//b.example/1</link>", "https://b.example/1",
		`<link xml:base="https://b.example/x/">1</link>`, "https://b.example/x/1", "<link/><guid>https://a.example/1</guid>", "https://a.example/1", "<link>https://a.example/a b</link>", "https://a.example/a%20b",
		"<link>https://a.example/مصر</link>", "https://a.example/مصر", "<link>https://a.example/1<guid>g</guid>", "https://a.example/1", "<link>mailto:a@b.example</link>", "")
	cases = append(cases, field("link atom", "url", "<title>t</title>%s", atom,
		`<link href="/1"/>`, "https://a.example/1", `<link rel="self" href="/s"/><link rel="alternate" href="/1"/>`, "https://a.example/1",
		`<link rel="alternate" type="application/pdf" href="/p"/><link rel="alternate" type="text/html" href="/1"/>`, "https://a.example/1",
		`<link rel="enclosure" href="/e.mp3"/><link href="/1"/>`, "https://a.example/1", `<link rel="http://www.iana.org/assignments/relation/alternate" href="/1"/>`, "https://a.example/1",
		`<content src="/1"/>`, "https://a.example/1", `<link href='https://a.example/?a=1&amp;b=2'>`, "https://a.example/?a=1&b=2", `<link href=https://a.example/1>`, "https://a.example/1",
		`<id>https://a.example/1</id>`, "https://a.example/1", `<id>urn:x:1</id>`, "", `<source><link href="/s"/></source><link href="/1"/>`, "https://a.example/1")...)
	return append(cases,
		docCase{"xml:base nests", "", `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/x/"><entry xml:base="y/"><title>t</title><link href="1"/></entry></feed>`, []string{"url", "https://b.example/x/y/1"}},
		docCase{"base of self", "", `<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://b.example/f/feed"/><entry><title>t</title><link href="1"/></entry></feed>`, []string{"url", "https://b.example/f/1"}},
		docCase{"no base at all", "", `<rss><channel><item><title>t</title><link>/1</link></item></channel></rss>`, []string{"url", "", "title", "t"}})
}

func dates() []docCase {
	const nine = "2026-10-24T09:00:00Z"
	var pairs []string
	for _, s := range []string{"Sat, 24 Oct 2026 09:00:00 GMT", "Sat, 24 Oct 2026 09:00:00 +0000", "24 Oct 2026 10:00:00 +0100", "Sat, 24 Oct 26 09:00:00 GMT", "Sat, 24 Oct 2026 05:00:00 EDT",
		"Sat, 24 Oct 2026 09:00 UT", "Sat, 24 Oct 2026 04:00:00 ET", "Sat, 24 Oct 2026 09:00:00", "Sat,24 Oct 2026 11:00:00 CEST", "Saturday, 24 October 2026 09:00:00 Z", "24 Oct 2026 2:00:00 PDT", "2026-10-24T09:00:00Z", "2026-10-24T10:00:00+01:00",
		"2026-10-24T10:00:00+0100", "2026-10-24T10:00:00+01", "2026-10-24 09:00:00", "2026-10-24T09:00Z", "2026/10/24 09:00", "20261024T090000Z", "20261024090000", "1792832400", "1792832400000", "Sat Oct 24 09:00:00 2026",
		"October 24, 2026 9:00 AM", "10/24/2026 9:00 AM", "24/10/2026 09:00", "24.10.2026 09:00:00", "Sat, 24 Oct 2026 09:00:00 GMT+0000 (UTC)", "sam. 24 oct. 2026 09:00:00 +0000", "24 octobre 2026 à 09h00",
		"السبت 24 أكتوبر 2026 09:00", "٢٤ أكتوبر ٢٠٢٦ ٠٩:٠٠", "24 تشرين الأول 2026 9:00 ص", "24 أكتوبر 2026 - 09:00 GMT", "Sat, 24 Okt 2026 11:00:00 MESZ", "  Sat, 24 Oct 2026\n09:00:00 GMT ", "Sat, 24 Oct 2026 24:00:00 +1500"} {
		pairs = append(pairs, s, nine)
	}
	cases := field("date", "date", "<title>t</title><pubDate>%s</pubDate>", rss, append(pairs,
		"2026-10-24T09:00:00.5Z", "2026-10-24T09:00:00.5Z", "2026-10-24", "2026-10-24T00:00:00Z", "2026-10", "2026-10-01T00:00:00Z", "1er août 2026 10h30", "2026-08-01T10:30:00Z", "3/4/2026 10:00", "2026-04-03T10:00:00Z",
		"mar. 3 févr. 2026 08:00:00 +0100", "2026-02-03T07:00:00Z", "12 غشت 2026", "2026-08-12T00:00:00Z", "Thu, 01 Jan 2099 00:00:00 GMT", "2099-01-01T00:00:00Z", "Sat, 24 Oct 98 09:00:00 GMT", "1998-10-24T09:00:00Z",
		"Fri, 31 Dec 1999 23:59:60 GMT", "2000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "", "31 Feb 2026 10:00", "", "yesterday", "", "99:99", "", "", "")...)
	cases = append(cases, field("date of another name", "date", "<title>t</title>%s", rss,
		"<dc:date>2026-10-24T09:00:00Z</dc:date>", nine, "<pubDate>soon</pubDate><dc:date>2026-10-24T09:00:00Z</dc:date>", nine, "<dc:date>2020-01-01</dc:date><pubDate>24 Oct 2026 09:00 GMT</pubDate>", nine,
		"<pubdate>24 Oct 2026 09:00 GMT</pubdate>", nine, "<atom:updated>2026-10-24T09:00:00Z</atom:updated>", nine)...)
	return append(cases, field("date atom", "date", "<title>t</title>%s", atom,
		"<published>2026-10-24T09:00:00Z</published><updated>2026-10-25T09:00:00Z</updated>", nine, "<updated>2026-10-24T09:00:00Z</updated>", nine, "<issued>2026-10-24T09:00:00Z</issued><created>2020-01-01</created>", nine, "<modified>2026-10-24T09:00:00Z</modified>", nine)...)
}

func persons() []docCase {
	cases := field("author rss", "author", "<title>t</title>%s", rss,
		"<dc:creator>Anne Petit</dc:creator>", "Anne Petit", "<author>a@b.example (Anne Petit)</author>", "Anne Petit", "<author>Anne Petit (a@b.example)</author>", "Anne Petit", "<author>Anne Petit &lt;a@b.example></author>", "Anne Petit",
		"<author>a@b.example</author>", "a@b.example", "<dc:creator><![CDATA[A &amp; B]]></dc:creator>", "A & B", "<dc:creator>A</dc:creator><dc:creator>B</dc:creator>", "A, B", "<author><name>Anne</name></author>", "Anne")
	return append(cases, field("author atom", "author", "<title>t</title>%s", atom,
		"<author><name>Anne</name><email>a@b.example</email></author>", "Anne", "<author><name>A</name></author><author><name>B</name></author>", "A, B", "<contributor><name>C</name></contributor>", "")...)
}

func bodies() []docCase {
	cases := field("content rss", "content", "<title>t</title>%s", rss,
		"<description>d</description><content:encoded><![CDATA[<p>x</p>]]></content:encoded>", "<p>x</p>", "<content:encoded>&lt;p>x&lt;/p></content:encoded>", "<p>x</p>",
		`<body xmlns="http://www.w3.org/1999/xhtml"><p>x</p></body>`, "<p>x</p>")
	cases = append(cases, field("summary", "summary", "<title>t</title>%s", rss,
		"<description>&lt;p>x&lt;/p></description>", "<p>x</p>", "<description><p>x</p></description>", "<p>x</p>", "<description>a &amp;lt; b</description>", "a &lt; b", "<description>one\ntwo</description>", "one<br>\ntwo",
		"<description><p>x<p>y</description>", "<p>x<p>y", "<dc:description>x</dc:description>", "x", "<description>x<pubDate>2026</pubDate>", "x", "<description>a</i>b</description>", "ab")...)
	return append(cases, field("content atom", "content", "<title>t</title><content %s</content>", atom,
		`type="html">&lt;p>x&lt;/p>`, "<p>x</p>", `type="text">a &lt; b`, "a &lt; b", `type="xhtml"><div><p>x</p></div>`, "<div><p>x</p></div>", `type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml">x</x:div>`, "<div xmlns:x=\"http://www.w3.org/1999/xhtml\">x</div>",
		`type="image/png">AAAA`, "", `type="application/xhtml+xml" mode="xml"><p>x</p>`, "<p>x</p>", `type="text/html" mode="escaped">&lt;p>x`, "<p>x", ">x", "x")...)
}

func allCases() []docCase {
	var out []docCase
	for _, cases := range [][]docCase{titles(), links(), dates(), persons(), bodies(), charsets(), kinds(), broken()} {
		out = append(out, cases...)
	}
	for i := range out {
		out[i].name = strings.ToValidUTF8(out[i].name, "?")
	}
	return out
}
