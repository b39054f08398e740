package article

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2026, 10, 24, 9, 0, 0, 0, time.UTC)

func full() Article {
	return Article{
		Schema: 1, ID: "a1", Revision: 2, Generation: 3, Bucket: "2026-10", Status: Usable, Language: "ar",
		Source: Source{ID: "s", Name: "S", Country: "MA"}, GUID: "g", URL: "https://e.example/", Title: "<عنوان>", Body: "نص & أكثر",
		Published: at, FirstPublished: at, Received: at, Enriched: at,
		Entities: []Entity{{ID: "Q1028", QID: "Q1028", Type: Place, Name: "المغرب", Labels: map[string]string{"fr": "Maroc"}, Count: 1,
			Salience: .5, Location: &Location{32, -6}, Country: "MA", By: "kb", Mentions: []Mention{{"body", 0, 2, "نص"}}}},
		Topics: []Topic{{ID: "medtop:20000103", Name: "terrorism", Broader: []string{"medtop:02000000"}, Score: .9, Evidence: []string{"x"}}},
	}
}

func TestEncodeDecode(t *testing.T) {
	want := full()
	b, err := Encode(&want)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(b), "\n") || !strings.Contains(string(b), `"<عنوان>"`) {
		t.Errorf("encoded as %s", b)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ in, says string }{
		{`{"schema":1}`, "id: missing"},
		{`{"schema":1,"id":"a","bucket":"2026-10","status":"usable"}`, "revision"},
		{`{"schema":1,"id":"a","revision":1,"bucket":"2026-13","status":"usable"}`, "bucket"},
		{`{"schema":1,"id":"a","revision":1,"bucket":"../../etc","status":"usable"}`, "bucket"},
		{`{"schema":1,"id":"a","revision":1,"bucket":"2026-10","status":"live"}`, "status"},
		{`{"schema":1,"id":"a","revision":1,"generation":1048576,"bucket":"2026-10","status":"usable"}`, "generation"},
		{`{"id":"a"`, "not JSON at byte"},
		{"{\"id\":\"\xff\"}", "not UTF-8"},
		{``, "not JSON"},
	}
	for _, tt := range tests {
		if _, err := Decode([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("Decode(%q) = %v, want an error with %q", tt.in, err, tt.says)
		}
	}
	if _, err := Decode([]byte(`{"schema":2,"id":"a","something":"new"}`)); !errors.Is(err, ErrSchema) {
		t.Errorf("a newer schema gives %v", err)
	}
}

func TestVersionOrder(t *testing.T) {
	v := func(rev, gen int64) int64 { return (&Article{Revision: rev, Generation: gen}).Version() }
	if v(1, 0) >= v(1, 5) || v(1, MaxGeneration) >= v(2, 0) || v(1, 1) != 1<<20+1 {
		t.Error("versions are out of order")
	}
}

func TestBucketOf(t *testing.T) {
	tests := []struct {
		published time.Time
		want      string
	}{
		{at, "2026-10"},
		{at.AddDate(0, 0, -30), "2026-09"},
		{time.Time{}, "2025-09"},
		{at.AddDate(5000, 0, 0), "2026-10"},
		{time.Date(2026, 10, 25, 23, 0, 0, 0, time.FixedZone("", -5*3600)), "2026-10"},
	}
	for _, tt := range tests {
		if got := BucketOf(tt.published, at); got != tt.want {
			t.Errorf("BucketOf(%v) = %s, want %s", tt.published, got, tt.want)
		}
	}
}

func TestContentHash(t *testing.T) {
	base := Raw{Title: "a", Body: "b"}
	same := []Raw{
		{Title: "a", Body: "b", Status: Usable}, {Title: "a", Body: "b", Published: at, Received: at, URL: "u", GUID: "g"},
	}
	for _, r := range same {
		if r.ContentHash() != base.ContentHash() {
			t.Errorf("%+v has another hash", r)
		}
	}
	other := []Raw{{Title: "ab"}, {Body: "ab"}, {Title: "a", Body: "b", Status: Withheld}, {Title: "a", Body: "b", Embargoed: at}, {Title: "a", Body: "b", Byline: "c"}}
	for _, r := range other {
		if r.ContentHash() == base.ContentHash() {
			t.Errorf("%+v has the same hash", r)
		}
	}
}

func collect(in string, form Form) (raws []Raw, errs []string) {
	for r, err := range Read(strings.NewReader(in), form) {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		raws = append(raws, r)
	}
	return raws, errs
}

func TestRead(t *testing.T) {
	huge := `{"title":"` + strings.Repeat("x", MaxItem) + `"}`
	tests := []struct {
		name, in string
		form     Form
		titles   string
		errs     int
	}{
		{"object", ` {"title":"a"}`, JSON, "a", 0},
		{"array", `[{"title":"a"},{"title":"b"}]`, JSON, "ab", 0},
		{"array with a bad item", `[{"title":"a"},{"title":1},{"title":"c"}]`, JSON, "ac", 1},
		{"cut array", `[{"title":"a"},{"ti`, JSON, "a", 1},
		{"open array", `[{"title":"a"}`, JSON, "a", 1},
		{"byte order mark", "\ufeff{\"title\":\"a\"}", JSON, "a", 0},
		{"lines", "{\"title\":\"a\"}\r\n\n{\"title\":\"b\"}", NDJSON, "ab", 0},
		{"lines, one bad", "{\"title\":\"a\"}\n{\n{\"title\":\"c\"}\n", NDJSON, "ac", 1},
		{"lines, one too long", "{\"title\":\"a\"}\n" + huge + "\n{\"title\":\"c\"}\n", NDJSON, "ac", 1},
		{"object too long", huge, JSON, "", 1},
		{"text", "\n a \n\nbody", Text, "a", 0},
		{"nothing", "", NDJSON, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raws, errs := collect(tt.in, tt.form)
			titles := ""
			for _, r := range raws {
				titles += r.Title
			}
			if titles != tt.titles || len(errs) != tt.errs {
				t.Errorf("titles %q, errors %.200q", titles, errs)
			}
		})
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]Form{
		"": Text, "A title\n{": Text, `{"a":1}`: JSON, "{\"a\":1}\n": JSON, "[1]": JSON, "{\"a\":1}\n{\"a\":2}\n": NDJSON, "{\n\"a\":1}": JSON,
		"\ufeff {\"a\":1}\n{": NDJSON,
	} {
		if got := Sniff([]byte(in)); got != want {
			t.Errorf("Sniff(%q) = %d, want %d", in, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"title":"a"}`, `[{"title":"a"}]`, "a\nb", "{\"title\":\"\xff\"}", `{"published":"x"}`, `{"title":"\ud800"}`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, form := range []Form{JSON, NDJSON, Text} {
			for r, err := range Read(strings.NewReader(in), form) {
				if err != nil {
					continue
				}
				r.Source.ID, r.Received = "s", at
				if r.Clean(at) != nil {
					continue
				}
				again := r
				if err := again.Clean(at); err != nil || !cmp.Equal(r, again) {
					t.Fatalf("Clean is not stable on %q: %v", in, err)
				}
				b, err := Encode(&r)
				if err != nil {
					t.Fatalf("accepted but not encoded: %v", err)
				}
				back, err := DecodeRaw(b)
				if err != nil || !cmp.Equal(r, back) {
					t.Fatalf("does not survive the codec: %v\n%s", err, cmp.Diff(r, back))
				}
			}
		}
	})
}
