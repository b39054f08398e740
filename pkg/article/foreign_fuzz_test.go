package article

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func asInvalid(err error, target **InvalidError) bool { return errors.As(err, target) }

// fuzzForm holds a parser to what the rest relies on: it does not panic, its
// errors say what is wrong, and what it gives survives Clean and the codec.
func fuzzForm(f *testing.F, form Form, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for r, err := range Read(strings.NewReader(in), form) {
			if err != nil {
				if bad := (*InvalidError)(nil); !asInvalid(err, &bad) {
					t.Fatalf("%q gives %v, which is no *InvalidError", in, err)
				}
				continue
			}
			r.Received = at
			if r.NameSource("", "s"); r.Clean(at) != nil {
				continue
			}
			b, err := Encode(&r)
			if err != nil {
				t.Fatalf("accepted but not encoded: %v", err)
			}
			if back, err := DecodeRaw(b); err != nil || !cmp.Equal(r, back) {
				t.Fatalf("does not survive the codec: %v\n%s", err, cmp.Diff(r, back))
			}
		}
	})
}

func FuzzNinjs(f *testing.F) {
	fuzzForm(f, Ninjs, `{"uri":"u","headlines":[{"role":"main","value":"t"}],"bodies":[{"contentType":"text/html","value":"<p>b"}]}`,
		`{"uri":"u","headline":"t","body_xhtml":"<p>a<br/>","pubstatus":"withheld","versioncreated":"2026-10-24","url":[{"href":"x"}],"provider":{"name":"p"}}`,
		`[{"uri":"u","bylines":["a",{"name":"b"}],"infosource":[{"name":"i"}]}]`)
}

func FuzzJSONLD(f *testing.F) {
	fuzzForm(f, JSONLD, `{"@type":"NewsArticle","headline":"t","author":{"@id":"a"},"inLanguage":{"name":"ar"}}`,
		`{"@graph":[{"@id":"a","name":["x",{"@id":"a"}]},{"@type":["Article"],"name":"t","author":[{"@id":"a"}],"identifier":5}]}`)
}

func FuzzNewsML(f *testing.F) {
	fuzzForm(f, NewsML, item(`<itemMeta><provider literal="p"/><pubStatus qcode="stat:canceled"/></itemMeta>`),
		item(`<contentMeta><headline>a<b>c</b></headline></contentMeta><contentSet><inlineXML><nitf><body><body.head><hedline><hl1>h</hl1></hedline></body.head><body.content><p>x</p></body.content></body></nitf></inlineXML><inlineData>y</inlineData></contentSet>`),
		"\xfe\xff\x00<")
}

func FuzzMail(f *testing.F) {
	fuzzForm(f, Mail, "Subject: =?utf-8?q?=C3=A9?=\nFrom: a <b@c>\nDate: Sat, 24 Oct 2026 09:00:00 +0000\n\nx",
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=iso-8859-6\nContent-Transfer-Encoding: base64\n\n4eU=\n--b--",
		"Subject: a\nContent-Type: text/plain; format=flowed; delsp=yes\nContent-Transfer-Encoding: quoted-printable\n\na =\nb \nc")
}

func FuzzFeed(f *testing.F) {
	fuzzForm(f, XML, "<rss><channel><title>s</title><item><title>a&#1;</title><description>b<p>c", "<feed xml:lang='x'><entry><id>i</id><updated>2026", `{"version":"jsonfeed.org/version/1","items":[{"title":"t"}]}`, item(""))
}

func FuzzTextOfHTML(f *testing.F) {
	for _, s := range []string{"<p>a</p>", "<script>", "<title/>a", "<pre>\n", "&amp;<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if got := textOfHTML(in); strings.TrimSpace(got) != got {
			t.Fatalf("%q gives %q", in, got)
		}
	})
}
