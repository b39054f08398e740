package text

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendCores(t *testing.T) {
	for _, c := range []struct {
		form string
		want []Core
	}{
		{"مغرب", []Core{{"مغرب", 0, false}}},
		{"المغرب", []Core{{"المغرب", 0, true}, {"مغرب", 2, false}}},
		{"ومغرب", []Core{{"ومغرب", 0, false}, {"مغرب", 1, false}}},
		{"فالمغرب", []Core{{"فالمغرب", 0, false}, {"المغرب", 1, true}, {"مغرب", 3, false}}},
		{"بالمغرب", []Core{{"بالمغرب", 0, false}, {"المغرب", 1, true}, {"مغرب", 3, false}}},
		{"كالمغرب", []Core{{"كالمغرب", 0, false}, {"المغرب", 1, true}, {"مغرب", 3, false}}},
		{"لمغرب", []Core{{"لمغرب", 0, false}, {"مغرب", 1, false}}},
		{"للمغرب", []Core{{"للمغرب", 0, false}, {"لمغرب", 1, false}, {"المغرب", 1, true}, {"مغرب", 2, false}}},
		{"وبالمغرب", []Core{{"وبالمغرب", 0, false}, {"بالمغرب", 1, false}, {"المغرب", 2, true}, {"مغرب", 4, false}}},
		{"وللمغرب", []Core{{"وللمغرب", 0, false}, {"للمغرب", 1, false}, {"لمغرب", 2, false}, {"المغرب", 2, true}, {"مغرب", 3, false}}},
		{"والد", []Core{{"والد", 0, false}, {"الد", 1, true}}},
		{"ولد", []Core{{"ولد", 0, false}}},
		{"لله", []Core{{"لله", 0, false}}},
		{"rabat", []Core{{"rabat", 0, false}}},
		{"", []Core{{"", 0, false}}},
	} {
		got := AppendCores(nil, c.form)
		sortCores(got)
		sortCores(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("AppendCores(%q) = %v, want %v", c.form, got, c.want)
		}
	}
}

func sortCores(cores []Core) {
	slices.SortFunc(cores, func(a, b Core) int {
		if a.Skip != b.Skip {
			return a.Skip - b.Skip
		}
		return len(a.Form) - len(b.Form)
	})
}

func TestExpand(t *testing.T) {
	with, without := Expand("المغرب"), Expand("مغرب")
	for _, form := range []string{"المغرب", "والمغرب", "وبالمغرب", "للمغرب", "وللمغرب", "كالمغرب"} {
		if !slices.Contains(with, form) || !slices.Contains(without, form) {
			t.Errorf("%s is missing", form)
		}
	}
	for _, form := range []string{"مغرب", "ومغرب", "لمغرب", "فبمغرب"} {
		if slices.Contains(with, form) || !slices.Contains(without, form) {
			t.Errorf("%s must match the term without the article alone", form)
		}
	}
	if with[0] != "المغرب" || without[0] != "مغرب" {
		t.Errorf("the term does not come first")
	}
	for _, term := range []string{"rabat", "2026", "يد", ""} {
		if got := Expand(term); len(got) != 1 || got[0] != term {
			t.Errorf("Expand(%q) = %q", term, got)
		}
	}
}

var arabicWords = rapid.Custom(func(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"و", "ف", "ب", "ك", "ل", "ال", "لل", "م", "ر", "ا", "3", "a", "'"}), 1, 8).Draw(t, "parts")
	s := ""
	for _, p := range parts {
		s += p
	}
	return s
})

// x is in Expand(t) exactly if t is a core of x.
func TestExpandDuality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := arabicWords.Draw(t, "word")
		seen := map[string]bool{}
		for _, core := range AppendCores(nil, word) {
			if seen[core.Form] {
				t.Fatalf("%q has the core %q twice", word, core.Form)
			}
			seen[core.Form] = true
			if !slices.Contains(Expand(core.Form), word) {
				t.Fatalf("%q is a core of %q, which is not in %q", core.Form, word, Expand(core.Form))
			}
		}
		forms := Expand(word)
		for i, form := range forms {
			if slices.Contains(forms[:i], form) {
				t.Fatalf("Expand(%q) has %q twice", word, form)
			}
			if !slices.ContainsFunc(AppendCores(nil, form), func(c Core) bool { return c.Form == word }) {
				t.Fatalf("%q expands to %q, of which it is no core", word, form)
			}
		}
	})
}

func TestCoreSpan(t *testing.T) {
	for _, c := range []struct {
		text string
		skip int
		want string
	}{
		{"والمغرب", 1, "المغرب"},
		{"للمديرية", 1, "لمديرية"},
		{"وَبِالْمَغْرِبِ", 2, "الْمَغْرِبِ"},
		{"بـالمغرب", 1, "المغرب"},
		{"و\u200fالمغرب", 1, "المغرب"},
		{"ﻻيمان", 1, "ﻻيمان"},
		{"بﻻيمان", 1, "ﻻيمان"},
		{"والمغرب", 0, "والمغرب"},
		{"والمغرب", 99, ""},
	} {
		s := "é " + c.text + " x"
		start, end, byteStart, byteEnd := Tokens(s)[1].CoreSpan(s, c.skip)
		if got := s[byteStart:byteEnd]; got != c.want || string([]rune(s)[start:end]) != c.want {
			t.Errorf("%q behind %d: %q, want %q", c.text, c.skip, got, c.want)
		}
	}
	if start, end, _, _ := (Token{Start: 3, End: 9, ByteStart: 3, ByteEnd: 99}).CoreSpan("short", 2); start != 3 || end != 9 {
		t.Errorf("a token of another text: %d, %d", start, end)
	}
}

// A core cut out by its span folds to the core, or to its text with lam for a
// restored article.
func TestCoreSpanFolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyText(t)
		for _, tok := range Tokens(s) {
			if tok.Script != Arabic || !isPlain(s[tok.ByteStart:tok.ByteEnd]) {
				continue
			}
			for _, core := range AppendCores(nil, tok.Form) {
				_, _, from, to := tok.CoreSpan(s, core.Skip)
				got := Fold(s[from:to])
				if got != core.Form && "ا"+got != core.Form {
					t.Fatalf("%q: core %+v of %q cuts %q", s, core, tok.Form, got)
				}
			}
		}
	})
}

// isPlain says that no code point of s folds to several letters.
func isPlain(s string) bool {
	for _, r := range s {
		if len([]rune(Fold(string(r)))) > 1 {
			return false
		}
	}
	return true
}
