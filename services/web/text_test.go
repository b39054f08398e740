package web

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDirection(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"ar", "تظاهرات رياضية", "rtl"},
		{"ar", "CAN 2025: المغرب يفوز", "rtl"},
		{"fr", "Le mot « مرصد » veut dire observatoire", "ltr"},
		{"fr", "المغرب يفوز", "rtl"},
		{"ar", "2 – 1", "rtl"},
		{"und", "42", "auto"},
		{"ku-Arab", "", "rtl"},
		{"he", "", "rtl"},
		{"", "", "auto"},
		{"en", "", "ltr"},
	} {
		if got := direction(c.lang, c.text); got != c.want {
			t.Errorf("%s %q: got %s, want %s", c.lang, c.text, got, c.want)
		}
	}
}

func TestWebAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/x?y=1":      "https://a.example/x?y=1",
		"http://a.example":             "http://a.example",
		"javascript:alert(1)":          "",
		" JaVaScRiPt:alert(1)":         "",
		"java\nscript:alert(1)":        "",
		"data:text/html,x":             "",
		"//a.example/x":                "",
		"https:a.example":              "",
		"https://bank@evil.example":    "",
		"":                             "",
		"https://a.example/\"onclick=": "https://a.example/%22onclick=",
	} {
		if got := webAddress(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestShown(t *testing.T) {
	in := "a\u202eb\u2066c\u2069d\x00e\u0085f\nمرحبا\u200f"
	if got, want := shown(in), "abcdef\nمرحبا\u200f"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSnippets(t *testing.T) {
	long := strings.Repeat("word ", 100)
	for name, c := range map[string]struct {
		text  string
		marks []Range
		want  [][]Part
	}{
		"short":   {"one two three", []Range{{4, 7}}, [][]Part{{{"one ", false}, {"two", true}, {" three", false}}}},
		"no mark": {"one\ntwo", nil, [][]Part{{{"one two", false}}}},
		"empty":   {"", nil, nil},
		"at ends": {"ab", []Range{{0, 1}, {1, 2}}, [][]Part{{{"a", true}, {"b", true}}}},
		"arabic":  {"في المغرب وفرنسا", []Range{{3, 9}}, [][]Part{{{"في ", false}, {"المغرب", true}, {" وفرنسا", false}}}},
		"long": {long + "HERE" + long, []Range{{500, 504}}, [][]Part{{
			{"…" + strings.Repeat("word ", 11), false}, {"HERE", true}, {strings.Repeat("word ", 23) + "word …", false},
		}}},
	} {
		if diff := cmp.Diff(c.want, snippets(c.text, c.marks)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever the ranges, snippets hold pieces of the text and the marks they
// were asked for.
func TestSnippetsCut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab é\nم𝄞\xff "))).Draw(r, "text")
		s = strings.Repeat(s, rapid.IntRange(1, 40).Draw(r, "times"))
		runes := []rune(s)
		var marks []Range
		for range rapid.IntRange(0, 8).Draw(r, "marks") {
			at := rapid.IntRange(-2, len(runes)+2).Draw(r, "start")
			marks = append(marks, Range{at, at + rapid.IntRange(-1, 9).Draw(r, "length")})
		}
		marks = tidy(marks, len(runes))
		known := map[string]bool{}
		for _, m := range marks {
			known[strings.Map(oneLine, string(runes[m.Start:m.End]))] = true
		}
		plain := strings.Map(oneLine, s)
		for _, parts := range append(snippets(s, marks), marked(s, marks, 100)) {
			for _, p := range parts {
				if p.Mark && !known[p.Text] {
					r.Fatalf("%q is marked, was not asked for", p.Text)
				}
				if !strings.Contains(plain, strings.TrimSuffix(strings.Trim(p.Text, "…"), " ")) {
					r.Fatalf("%q is not in %q", p.Text, plain)
				}
			}
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	f.Add("0:124,1:88")
	f.Add("")
	f.Add("0:1,0:1")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePosition(s)
		if err != nil {
			return
		}
		again, err := parsePosition(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q: %v became %v, %v", s, p, again, err)
		}
	})
}

func TestClip(t *testing.T) {
	if got := clip("مرحبا", 2); got != "مر…" || !utf8.ValidString(got) {
		t.Errorf("got %q", got)
	}
}
