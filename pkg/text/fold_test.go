package text

import (
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"case", "ABC Été ÉCOLE", "abc ete ecole"},
		{"accents", "éèêëàâçñüïôãåžśő", "eeeeaacnuioaazso"},
		{"strokes", "øØłŁđĐħŧ", "oollddht"},
		{"ligatures", "œuvre ŒUVRE æ Æ ß ẞ ﬁn ĳ þ", "oeuvre oeuvre ae ae ss ss fin ij th"},
		{"Turkish i", "İstanbul ıI", "istanbul ii"},
		{"apostrophes", "o’b o‘b oʼb o'b", "o'b o'b o'b o'b"},
		{"alef", "أإآٱا", "ااااا"},
		{"hamza", "مؤمن رئيس ماء", "مومن رييس ماء"},
		{"ya", "مصطفى علی يي", "مصطفي علي يي"},
		{"ta marbuta", "مدينة", "مدينه"},
		{"kaf", "کتاب", "كتاب"},
		{"vowel marks", "مُحَمَّدٌ رحمٰن", "محمد رحمن"},
		{"tatweel", "مـــغرب", "مغرب"},
		{"presentation forms", "ﻻ ﻷ ﻣﻐﺮﺏ ﷲ ﭖ", "لا لا مغرب الله پ"},
		{"Arabic digits", "٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹", "0123456789 0123456789"},
		{"other digits", "१२ ２０２６", "12 2026"},
		{"full width", "ＡＢＣ", "abc"},
		{"zero width", "a\u200bb\u200f\ufeff\u00adc\u2067\u2069\u202a", "abc"},
		{"Cyrillic", "Ёлка Йод За́мок їжак ЎЗ", "елка йод замок їжак ўз"},
		{"Greek", "Ἀθήνα ΣΟΦΟΣ σοφός", "αθηνα σοφοσ σοφοσ"},
		{"Hebrew points", "שָׁלוֹם", "שלום"},
		{"marks of other scripts", "й\u3099", "й\u3099"},
		{"wildcards stay", "Él* w?rd", "el* w?rd"},
		{"broken", "a\xffé", "a\ufffde"},
		{"broken, else folded", "a\xffb", "a\ufffdb"},
		{"Roman numeral", "Ⅳ", "iv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, s := range []string{c.text, norm.NFD.String(c.text)} {
				if got := Fold(s); got != c.want {
					t.Errorf("Fold(%q) = %q, want %q", s, got, c.want)
				}
			}
		})
	}
}

// Every code point folds to something that folds to itself, the same from
// NFC and NFD.
func TestFoldEveryCodePoint(t *testing.T) {
	bad := 0
	for r := rune(0); r <= unicode.MaxRune && bad < 20; r++ {
		if within(r, 0xD800, 0xDFFF) || within(r, 0x20000, 0x2F7FF) || within(r, 0x2FA20, 0xE0000) || r > 0xE01FF {
			continue // unassigned, private or plain ideographs
		}
		s := string(r)
		form := Fold(s)
		if again := Fold(form); again != form {
			t.Errorf("%U folds to %+q, then to %+q", r, form, again)
			bad++
		}
		if nfd := Fold(norm.NFD.String(s)); nfd != form {
			t.Errorf("%U folds to %+q, decomposed to %+q", r, form, nfd)
			bad++
		}
	}
}

func TestFoldProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkFold(t, anyText(t)) })
}

func checkFold(t rapid.TB, s string) {
	t.Helper()
	form := Fold(s)
	if again := Fold(form); again != form {
		t.Fatalf("Fold(%q) = %q, again %q", s, form, again)
	}
}

// Composed and decomposed text comes out equal.
func TestNormalForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 30, -1).Draw(t, "text")
		nfc, nfd := norm.NFC.String(s), norm.NFD.String(s)
		if a, b := Fold(nfc), Fold(nfd); a != b {
			t.Fatalf("%+q: NFC folds to %+q, NFD to %+q", s, a, b)
		}
		if a, b := Join(nfc), Join(nfd); a != b {
			t.Fatalf("%+q: NFC joins to %+q, NFD to %+q", s, a, b)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"œuvre", "مُؤْمِن", "и\u0306", "\xff", "한", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkFold(t, s) })
}

func TestJoin(t *testing.T) {
	if got, want := Join("L’État, c’est «moi» — للمغرب!"), "etat est moi للمغرب"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Join(" … "); got != "" {
		t.Errorf("got %q", got)
	}
}
