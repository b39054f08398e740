package article

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is a time of the documents in testdata.
func hour(h int) time.Time { return time.Date(2026, 10, 24, h, 0, 0, 0, time.UTC) }

// Every field of realistic documents.
func TestForeignForms(t *testing.T) {
	const frBody = "RABAT – Le Maroc et la France ont signé samedi un accord sur l'eau.\nLe texte prévoit une « station » à Agadir & à Safi."
	tests := []struct {
		file, kind string
		want       []Raw
	}{
		{"ninjs-3.1-ar.json", "application/vnd.iptc.ninjs+json", []Raw{{Schema: 1, Source: Source{Name: "وكالة الأطلس"}, GUID: "urn:newsml:atlas.example:20261024:1",
			URL: "https://atlas.example/ar/1", Title: "المغرب وفرنسا يوقعان اتفاقا حول المياه", Body: "الرباط – وقع المغرب وفرنسا اتفاقا.\nوينص على محطة في أكادير.",
			Byline: "سلمى العلوي", Language: "ar", Status: Usable, Published: hour(9), Embargoed: hour(12)}}},
		{"ninjs-2.1-fr.json", "application/vnd.iptc.ninjs+json", []Raw{{Schema: 1, Source: Source{Name: "Agence Atlas"}, GUID: "urn:newsml:atlas.example:20261024:2",
			URL: "https://atlas.example/fr/2", Title: "Rabat et Paris signent un accord sur l'eau", Body: frBody, Byline: "Anne Petit", Language: "fr-FR",
			Status: Withheld, Published: hour(9), Embargoed: hour(12)}}},
		{"ninjs-1.3-en.json", "application/vnd.iptc.ninjs+json", []Raw{
			{Schema: 1, Source: Source{Name: "Atlas Press"}, GUID: "urn:newsml:atlas.example:20261024:3", Title: "Morocco and France sign water deal",
				Body: "RABAT – The deal was signed on Saturday.\nIt is about Agadir.", Byline: "By John Doe", Language: "en", Status: Usable, Published: hour(9)},
			{Schema: 1, GUID: "urn:newsml:atlas.example:20261024:4", Status: Canceled, Published: hour(10)}}},
		{"newsarticle-ar.jsonld", "application/ld+json", []Raw{{Schema: 1, Source: Source{Name: "صحيفة الأطلس"}, GUID: "atlas-7", URL: "https://atlas.example/ar/7",
			Title: "أمطار غزيرة في طنجة", Body: "طنجة – هطلت أمطار غزيرة.\nولم يصب أحد.", Byline: "سلمى العلوي, يوسف بناني", Language: "ar", Published: hour(9)}}},
		{"graph-fr.jsonld", "application/ld+json", []Raw{{Schema: 1, Source: Source{Name: "Le Journal de l'Atlas"}, GUID: "https://journal.example/a/#article",
			URL: "https://journal.example/a/", Title: "L'eau, « l'or bleu » du Souss", Body: frBody, Byline: "Anne Petit", Language: "fr-FR", Published: hour(9)}}},
		{"list-en.jsonld", "application/ld+json", []Raw{
			{Schema: 1, Source: Source{Name: "Atlas Press"}, GUID: "42", URL: "https://atlas.example/en/42", Title: "Water deal signed", Body: "RABAT – Signed.", Byline: "John Doe", Language: "en", Published: hour(9)},
			{Schema: 1, URL: "https://atlas.example/en/43", Title: "Reporter's notebook", Byline: "Jane Roe", Published: hour(10)}}},
		{"newsitem-fr.xml", "application/vnd.iptc.g2.newsitem+xml", []Raw{{Schema: 1, Source: Source{Name: "Agence Atlas"}, GUID: "urn:newsml:atlas.example:20261024:5", Title: "Rabat et Paris signent un accord sur l'eau", Body: frBody, Byline: "Anne Petit", Language: "fr", Status: Withheld,
			Published: hour(9), Embargoed: hour(12)}}},
		{"newsmessage-ar-en.xml", "application/vnd.iptc.g2.newsmessage+xml", []Raw{
			{Schema: 1, Source: Source{Name: "Atlas"}, GUID: "urn:newsml:atlas.example:20261024:6", Title: "المغرب وفرنسا يوقعان اتفاقا حول المياه", Body: "الرباط – وقع المغرب وفرنسا اتفاقا.\nوينص على محطة في أكادير.",
				Byline: "سلمى العلوي", Language: "ar", Status: Usable, Published: hour(9)},
			{Schema: 1, Source: Source{Name: "Atlas"}, GUID: "urn:newsml:atlas.example:20261024:7", Title: "Flash: deal signed", Body: "Signed.\nMore soon.", Language: "en", Status: Usable, Published: hour(10)},
			{Schema: 1, Source: Source{Name: "Atlas"}, GUID: "urn:newsml:atlas.example:20261024:8", Status: Canceled, Published: hour(11)}}},
		{"ar.eml", "message/rfc822", []Raw{{Schema: 1, GUID: "ar-1@atlas.example", Title: "بيان: اتفاق حول المياه", Body: "الرباط – وقع المغرب وفرنسا اتفاقا.\n\nوينص على محطة في أكادير.",
			Byline: "وكالة الأطلس", Language: "ar", Published: hour(9)}}},
		{"fr.eml", "message/rfc822", []Raw{{Schema: 1, GUID: "fr-1@atlas.example", Title: "Communiqué : accord sur l'eau", Body: frBody, Byline: "Anne Petit", Published: hour(9)}}},
		{"en.eml", "message/rfc822", []Raw{{Schema: 1, GUID: "en-1@atlas.example", Title: "Press release: water deal", Body: "RABAT – The deal was signed on Saturday, and it is about Agadir.\n\nEnds.",
			Byline: "press@atlas.example", Published: hour(9)}}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			form, _, err := FormOf(tt.kind)
			if err != nil {
				t.Fatal(err)
			}
			raws, errs := collect(string(b), form)
			if diff := cmp.Diff(tt.want, raws); diff != "" || errs != nil {
				t.Errorf("errors %q (-want +got):\n%s", errs, diff)
			}
			sniffed, errs := collect(string(b), Sniff(b))
			if tt.file == "ninjs-1.3-en.json" { // has nothing that is ninjs's alone
				return
			}
			if diff := cmp.Diff(tt.want, sniffed); diff != "" || errs != nil {
				t.Errorf("sniffed: errors %q (-want +got):\n%s", errs, diff)
			}
		})
	}
}

func item(inner string) string {
	return `<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g">` + inner + `</newsItem>`
}

func TestForeignErrors(t *testing.T) {
	tests := []struct {
		form     Form
		in, says string
	}{
		{Ninjs, `{"uri":"u"}`, "headlines: and bodies are both empty"},
		{Ninjs, `{"headlines":[{"value":"t"}]}`, "uri: missing"},
		{Ninjs, `{"uri":"u","headline":"t","pubStatus":"commissioned"}`, `pubStatus: is "commissioned", must be usable, withheld or canceled`},
		{Ninjs, `{"uri":"u","headline":"t","pubstatus":" "}`, "pubStatus: is"},
		{Ninjs, `{"uri":"u","headline":"t","versioncreated":"yesterday"}`, `versionCreated: "yesterday" is no time`},
		{Ninjs, `{"uri":"u","headline":"t","firstCreated":"2026-02-30T00:00:00Z"}`, "firstCreated"},
		{Ninjs, `{"uri":"u","headline":"t","embargoed":"soon"}`, "embargoedUntil"},
		{Ninjs, `{"uri":"u","headlines":"t"}`, "headlines: is a JSON string"},
		{Ninjs, `{"uri":"u","headline":5}`, "headline: is a JSON number"},
		{Ninjs, `{"uri":"u","headline":"t","type":"rumour"}`, "type: is"},
		{Ninjs, `{"uri":"u","headline":"t","type":"event"}`, "type: is"},
		{Ninjs, `{"uri":"u","headline":"t","url":5}`, "url: must be"},
		{Ninjs, `{"uri":"u","headline":"t","bylines":[[]]}`, "bylines: must be"},
		{Ninjs, `{"uri":"u"`, "not JSON"},
		{Ninjs, `{"uri":"u","headline":"t"} x`, "something follows"},
		{Ninjs, "{\"uri\":\"\xff\"}", "not UTF-8"},
		{Ninjs, `{"uri":"u","bodies":[` + strings.Repeat(`{},`, maxValues) + `{}]}`, "values, at most"},
		{Ninjs, `{"uri":"u","x":` + strings.Repeat(`[`, 20000), "depth"},
		{JSONLD, `{"@type":"Person","name":"x"}`, "@type: there is no NewsArticle"},
		{JSONLD, `5`, "@type"},
		{JSONLD, `{"@type":"NewsArticle"}`, "headline: and articleBody are both empty"},
		{JSONLD, `{"@type":"NewsArticle","headline":"t","datePublished":"hier"}`, "datePublished: "},
		{JSONLD, `{"@type":"NewsArticle","headline":"t","dateModified":"hier"}`, "dateModified: "},
		{JSONLD, `{"@graph":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`, "nested deeper than 64"},
		{JSONLD, `{"@type"`, "not JSON"},
		{NewsML, item(``), "headline: and contentSet are both empty"},
		{NewsML, strings.Replace(item(``), ` guid="g"`, "", 1), "guid: missing"},
		{NewsML, item(`<itemMeta><pubStatus qcode="stat:maybe"/></itemMeta>`), "pubStatus: is"},
		{NewsML, item(`<itemMeta><versionCreated>hier</versionCreated></itemMeta>`), "versionCreated: "},
		{NewsML, item(`<itemMeta><embargoed/></itemMeta>`), "embargoed: has no time"},
		{NewsML, item(`<itemMeta><embargoed>x</embargoed></itemMeta>`), "embargoed: "},
		{NewsML, item(`<itemMeta><itemClass qcode="ninat:picture"/></itemMeta>`), "itemClass: is"},
		{NewsML, `<newsItem guid="g"/>`, "no newsItem of NewsML-G2"},
		{NewsML, `<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet><packageItem/></itemSet></newsMessage>`, "no newsItem of NewsML-G2"},
		{NewsML, `<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><itemMeta>`, "not XML at line 1"},
		{NewsML, "\xff", "no"},
		{NewsML, `<?xml version="1.0" encoding="klingon"?><a/>`, "klingon"},
		{NewsML, `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + item(`<contentMeta><headline>&x;</headline></contentMeta>`), "invalid character entity"},
		{NewsML, item(`<contentSet><inlineXML>` + strings.Repeat(`<p>`, 100)), "nested deeper than 64"},
		{NewsML, item(`<contentMeta><headline>` + strings.Repeat("x", MaxItem)), "over 8388608 bytes"},
		{NewsML, item(`<contentSet>` + strings.Repeat(`<inlineXML/>`, maxValues)), "more than 200000 elements"},
		{Mail, "Subject: \r\n\r\n", "subject: and text are both empty"},
		{Mail, "no header at all", "not a mail message"},
		{Mail, "Subject: a\r\nDate: hier\r\n\r\nb", "date: "},
		{Mail, "Subject: a\r\nContent-Type: text/plain; charset=klingon\r\n\r\nb", "body: "},
		{Mail, "Subject: a\r\n\r\ncaf\xe9", "body: not UTF-8: byte 0xe9 at offset 3"},
		{Mail, "Subject: caf\xe9\r\n\r\nb", "subject: is not UTF-8"},
		{Mail, "Subject: a\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%", "body: is not readable"},
		{Mail, "Subject: a\r\nX: " + strings.Repeat("x", maxMailHeader) + "\r\n\r\nb", "not a mail message"},
		{Mail, "Subject: a\r\n\r\n" + strings.Repeat("x", MaxItem), "over 8388608 bytes"},
		{Mail, "Subject: a\r\n" + nestedParts(20), "nested deeper than 10"},
	}
	for _, tt := range tests {
		raws, errs := collect(tt.in, tt.form)
		if len(errs) == 0 || !strings.Contains(errs[len(errs)-1], tt.says) {
			t.Errorf("%.100q gives %.200q and %d articles, want an error with %q", tt.in, errs, len(raws), tt.says)
		}
		for _, err := range Read(strings.NewReader(tt.in), tt.form) {
			if bad := (*InvalidError)(nil); err != nil && !asInvalid(err, &bad) {
				t.Errorf("%.100q gives %v, which is no *InvalidError", tt.in, err)
			}
		}
	}
}

func nestedParts(n int) string {
	var b strings.Builder
	for i := range n {
		boundary := strings.Repeat("b", i+1)
		b.WriteString("Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n")
	}
	return b.String() + "\r\nx"
}

// References that multiply do not take long.
func TestJSONLDReferences(t *testing.T) {
	refs := strings.TrimSuffix(strings.Repeat(`{"@id":"x"},`, 1000), ",")
	raws, errs := collect(`[{"@id":"x","name":[`+refs+`]},{"@type":"NewsArticle","headline":"t","author":[`+refs+`]}]`, JSONLD)
	if len(raws) != 1 || errs != nil || raws[0].Title != "t" {
		t.Errorf("got %+v, %q", raws, errs)
	}
}

func TestNinjsAmongJSON(t *testing.T) {
	tests := map[string]string{
		`{"title":"own","uri":"u"}`:                                           "own",
		`{"uri":"u","headlines":[{"value":"ninjs"}],"title":"x"}`:             "ninjs",
		`{"uri":"u","standard":{"name":"ninjs"},"headline":"1.x"}`:            "1.x",
		`{"title":"own","body":"{\"uri\":1,\"headlines\":2}"}`:                "own",
		`{"title":"own","@context":"https://else.example"}`:                   "own",
		`{"@context":"https://schema.org","@type":"Article","headline":"ld"}`: "ld",
	}
	for in, want := range tests {
		for _, form := range []Form{JSON, NDJSON} {
			raws, errs := collect(in, form)
			if len(raws) != 1 || errs != nil || raws[0].Title != want {
				t.Errorf("%s: %+v, %q", in, raws, errs)
			}
			if one, err := ReadOne([]byte(in), form); err != nil || one.Title != want {
				t.Errorf("ReadOne of %s: %+v, %v", in, one, err)
			}
		}
	}
	two := `[{"title":"a"},{"title":"b"}]`
	if _, err := ReadOne([]byte(`{"@context":"https://schema.org","@graph":[{"@type":"Article","headline":"a"},{"@type":"Article","headline":"b"}]}`), JSON); err == nil {
		t.Error("two articles are one")
	}
	if _, err := ReadOne([]byte(two), JSON); err == nil {
		t.Error("an array is one article")
	}
}

func TestTextOfHTML(t *testing.T) {
	tests := map[string]string{
		"":                             "",
		"plain &amp; simple":           "plain & simple",
		"<p>One\n two</p><p>Three</p>": "One two\nThree",
		"a<br/>b<br>c":                 "a\nb\nc",
		"<p>a<b>b</b>c <i> d</i></p>":  "abc d",
		"<script>x()</script>a<style>b{}</style>":                            "a",
		"<script src='x'/>a":                                                 "a",
		"<html><head><title>t</title></head><body><h1>h</h1>x</body></html>": "h\nx",
		"<title/><p>a</p>":                                                   "a",
		"<ul><li>a</li><li>b</li></ul>":                                      "a\nb",
		"<pre>a\n  b</pre>":                                                  "a\n  b",
		"<table><tr><td>a</td><td>b</td></tr></table>":                       "a b",
		"<p>مرحبا&nbsp;بكم</p>":                                              "مرحبا\u00a0بكم",
		"<svg><svg></svg>x</svg>a":                                           "a",
		strings.Repeat("<div>", 100_000) + "a":                               "a",
		"<p>a<!-- b --></p":                                                  "a",
	}
	for in, want := range tests {
		if got := textOfHTML(in); got != want {
			t.Errorf("%.80q gives %q, want %q", in, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]time.Time{
		"": {}, "2026-10-24T09:00:00Z": hour(9), "2026-10-24T10:00:00+01:00": hour(9), "2026-10-24T10:00:00+0100": hour(9), "2026-10-24T09:00": hour(9),
		"2026-10-24T09:00Z": hour(9), "2026-10-24": hour(0), "2026-10-24T09:00:00.000Z": hour(9), " 2026-10-24 09:00:00 ": hour(9),
	} {
		if got, err := parseTime("x", in); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
}

func TestNameSource(t *testing.T) {
	tests := []struct {
		source              Source
		named, back, wantID string
	}{
		{Source{ID: "a", Name: "B"}, "c", "d", "a"},
		{Source{Name: "Agence  France-Presse"}, "", "d", "agence-france-presse"},
		{Source{Name: "وكالة الأطلس"}, "", "d", "وكالة-الأطلس"},
		{Source{Name: "B"}, "c", "d", "c"},
		{Source{Name: "--"}, "", "d", "d"},
		{Source{}, "", "d", "d"},
		{Source{Name: strings.Repeat("é", 300)}, "", "d", strings.Repeat("é", 128)},
	}
	for _, tt := range tests {
		r := Raw{Source: tt.source}
		if r.NameSource(tt.named, tt.back); r.Source.ID != tt.wantID {
			t.Errorf("%+v is named %q", tt, r.Source.ID)
		}
	}
}

// A declaration of another encoding is not followed twice, nor is a byte order
// mark overlooked.
func TestNewsMLCharsets(t *testing.T) {
	body := item(`<contentMeta><headline>été</headline></contentMeta>`)
	latin := `<?xml version="1.0" encoding="ISO-8859-1"?>` + strings.ReplaceAll(body, "é", "\xe9")
	var wide strings.Builder
	wide.WriteString("\xff\xfe")
	for _, c := range `<?xml version="1.0" encoding="UTF-16"?>` + body {
		wide.WriteString(string([]byte{byte(c), byte(c >> 8)}))
	}
	form, dec, err := FormOf("application/vnd.iptc.g2.newsitem+xml; charset=windows-1252")
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := dec.String(latin)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in   string
		form Form
	}{{latin, NewsML}, {wide.String(), NewsML}, {decoded, form}} {
		raws, errs := collect(tt.in, tt.form)
		if len(raws) != 1 || errs != nil || raws[0].Title != "été" {
			t.Errorf("%.60q: %+v, %q", tt.in, raws, errs)
		}
	}
}

// What is passed over counts for no item, and an item after a long message is
// still taken.
func TestNewsMLLongMessage(t *testing.T) {
	other := `<conceptItem>` + strings.Repeat("<x>"+strings.Repeat("y", 1000)+"</x>", 5000) + `</conceptItem>`
	in := `<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>` + other + other + other + item(`<contentMeta><headline>t</headline></contentMeta>`) + `</itemSet></newsMessage>`
	if raws, errs := collect(in, NewsML); len(raws) != 1 || errs != nil {
		t.Errorf("%d articles, %q", len(raws), errs)
	}
}
