package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// words joins the forms of s with bars.
func words(s string) string {
	var forms []string
	for _, tok := range Tokens(s) {
		forms = append(forms, tok.Form)
	}
	return strings.Join(forms, "|")
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"signs only", " -– … \u200f\u0640\u064b '", ""},
		{"hyphen", "États-Unis", "etats|unis"},
		{"other hyphens", "a‐b‑c–d", "a|b|c|d"},
		{"underscore and at", "news_desk@afp", "news|desk|afp"},
		{"French elision", "l'État d’Alger QU’il jusqu'à lorsqu’une", "etat|alger|il|a|une"},
		{"all elisions", "l'a d'a qu'a n'a s'a m'a t'a j'a c'a jusqu'a lorsqu'a puisqu'a quoiqu'a presqu'a", "a|a|a|a|a|a|a|a|a|a|a|a|a|a"},
		{"chained elision", "d'l'avion", "avion"},
		{"ç elided", "ç’aurait", "aurait"},
		{"elision before digit", "l'11", "l|11"},
		{"elision with invisible sign", "l’\u200bavion", "avion"},
		{"whole words", "aujourd'hui prud’homme d'aujourd'hui quelqu'un O’Brien", "aujourd'hui|prud'homme|aujourd'hui|quelqu'un|o'brien"},
		{"possessive", "Macron's the country’s 1980's workers' let's", "macron|the|country|1980|workers|let"},
		{"English", "don't rock'n'roll", "don't|rock'n'roll"},
		{"Italian stays", "dell'arte", "dell'arte"},
		{"quoted", "'quoted' ‘word’", "quoted|word"},
		{"numbers", "1.5 2,000 24.10.2026 3. 4,", "1.5|2,000|24.10.2026|3|4"},
		{"Arabic numbers", "٢٬٠٠٠ ٣٫٥ ۱۲", "2,000|3.5|12"},
		{"abbreviations", "U.S. ش.م.ل", "u|s|ش|م|ل"},
		{"letters and digits", "G20 covid19 CO₂ m²", "g20|covid19|co2|m2"},
		{"particles on foreign words", "الـBBC بـ50 وال20 للـCNN لBBC", "bbc|50|20|cnn|bbc"},
		{"Arabic word with digits", "كوفيد19", "كوفيد19"},
		{"particles stay", "وبالمغرب", "وبالمغرب"},
		{"Arabic punctuation", "قال، «نعم»؛ لماذا؟", "قال|نعم|لماذا"},
		{"zero width", "می\u200cخواهم \u202bمغرب\u202c\u200f so\u00adft", "ميخواهم|مغرب|soft"},
		{"broken", "a\xffb\xc3 \xe2\x82c", "a|b|c"},
		{"nul", "a\x00b", "a|b"},
		{"Chinese", "北京2026年", "北|京|2026|年"},
		{"Japanese", "ガｶﾞか\u3099", "ガ|ガ|が"},
		{"Thai", "ที่นี่", "ที่|นี่"},
		{"Korean", "한국", "한국"},
		{"Hindi", "हिन्दी", "हिन्दी"},
		{"beyond the basic plane", "𝐀𝐁 𐐀 😀 𠀀𠀁", "ab|𐐨|𠀀|𠀁"},
		{"honorific", "محمد ﷺ", "محمد"},
		{"Hebrew acronym", "צה״ל", "צהל"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := words(c.text); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := words(norm.NFD.String(c.text)); got != c.want {
				t.Errorf("NFD: got  %s\n     want %s", got, c.want)
			}
		})
	}
}

func TestTokenFields(t *testing.T) {
	s := "L’Été à Rabat’s بـ5 \u200fوَالمَغرِب\u200f 3D"
	got := Tokens(s)
	want := []struct {
		cut    string
		pos    int32
		script Script
		upper  bool
	}{
		{"Été", 0, Latin, true},
		{"à", 1, Latin, false},
		{"Rabat", 2, Latin, true},
		{"5", 3, Other, false},
		{"وَالمَغرِب", 4, Arabic, false},
		{"3D", 5, Latin, true},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	runes := []rune(s)
	for i, w := range want {
		tok := got[i]
		if s[tok.ByteStart:tok.ByteEnd] != w.cut || string(runes[tok.Start:tok.End]) != w.cut {
			t.Errorf("token %d cuts %q and %q, want %q", i, s[tok.ByteStart:tok.ByteEnd], string(runes[tok.Start:tok.End]), w.cut)
		}
		if tok.Pos != w.pos || tok.Script != w.script || tok.Upper != w.upper {
			t.Errorf("token %d: %+v, want %+v", i, tok, w)
		}
	}
}

func TestLongWords(t *testing.T) {
	for _, unit := range []string{"a", "É", "ﻻ", "e\u0301", "\u0915\u093f", "l'", "a'", "1,", "و\u0640", "𝐀", "か\u3099", "ﷲ"} {
		s := strings.Repeat(unit, 20_000)
		tokens := Tokens(s)
		if len(tokens) == 0 {
			t.Errorf("%q: no tokens", unit)
		}
		for _, tok := range tokens {
			if n := utf8.RuneCountInString(tok.Form); n > 2*maxLetters {
				t.Errorf("%q: a word of %d code points", unit, n)
			}
			if got := Fold(s[tok.ByteStart:tok.ByteEnd]); got != tok.Form {
				t.Fatalf("%q: Fold gives %q, Form is %q", unit, got, tok.Form)
			}
		}
	}
	if got := Tokens(strings.Repeat("x", 600)); len(got) != 3 || len(got[0].Form) != 256 || got[2].Pos != 2 {
		t.Errorf("600 letters: %d words", len(got))
	}
	marks := Tokens("a" + strings.Repeat("\u0301", 100_000))
	if len(marks) != 1 || marks[0].Form != "a" {
		t.Errorf("100,000 marks: %d words", len(marks))
	}
}

func TestAppendTokensReuses(t *testing.T) {
	dst := AppendTokens(nil, "un deux trois")
	again := AppendTokens(dst[:0], "quatre cinq")
	if &dst[0] != &again[0] || len(again) != 2 || again[1].Form != "cinq" {
		t.Errorf("got %+v", again)
	}
	if more := AppendTokens(again, "six"); len(more) != 3 || more[2].Pos != 0 {
		t.Errorf("got %+v", more)
	}
}

// alphabet holds what the rules speak of.
var alphabet = []rune("aàeéEsSlLdquncß œŒæıİøŁ'’‘ʼ.,-_ 019٢۳٫٬½²①" +
	"ابوفكلمرةىيئؤأإآٱءﻻﷲﷺﻼﱞکیہەۀ\u0640\u064b\u064e\u0651\u0654\u0670 \u200b\u200c\u200f\u202b\u00ad\ufeff" +
	"ийуўіїёЁΆςσאבּשׂ׳״\u0300\u0301\u0306\u0308\u0323\u0327ｆＦ１ﬁĳŉ北かガｶﾞ\u3099ทีำकि\u093f한\u1112\u1161\u11ab" +
	"𝐀𐐀😀\x00\n\ufffd")

func anyText(t *rapid.T) string {
	if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
		return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"))
	}
	return rapid.StringOfN(rapid.OneOf(rapid.SampledFrom(alphabet), rapid.SampledFrom(alphabet), rapid.Rune()), 0, 40, -1).Draw(t, "text")
}

func TestTokensProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkTokens(t, anyText(t)) })
}

// checkTokens checks what holds for the tokens of any text.
func checkTokens(t rapid.TB, s string) {
	t.Helper()
	var starts []int // byte offset of each code point
	for i := range s {
		starts = append(starts, i)
	}
	starts = append(starts, len(s))
	end := int32(0)
	for i, tok := range Tokens(s) {
		if tok.Pos != int32(i) || tok.Start < end || tok.Start >= tok.End || int(tok.End) >= len(starts) {
			t.Fatalf("%q: token %d is %+v behind %d", s, i, tok, end)
		}
		end = tok.End
		if starts[tok.Start] != int(tok.ByteStart) || starts[tok.End] != int(tok.ByteEnd) {
			t.Fatalf("%q: code points and bytes of %+v differ", s, tok)
		}
		cut := s[tok.ByteStart:tok.ByteEnd]
		if got := Fold(cut); got != tok.Form {
			t.Fatalf("%q: Fold(%q) = %q, Form is %q", s, cut, got, tok.Form)
		}
		if tok.Form == "" || strings.ContainsAny(tok.Form, " \t\n") || !utf8.ValidString(tok.Form) {
			t.Fatalf("%q: form %q", s, tok.Form)
		}
		again := Tokens(cut)
		if len(again) != 1 || again[0].Form != tok.Form {
			t.Fatalf("%q: %q gives %+v by itself", s, cut, again)
		}
		checkSpans(t, s, tok)
	}
}

func checkSpans(t rapid.TB, s string, tok Token) {
	t.Helper()
	for skip := -1; skip < 6; skip++ {
		start, end, byteStart, byteEnd := tok.CoreSpan(s, skip)
		if start < tok.Start || start > end || byteStart < tok.ByteStart || byteStart > byteEnd ||
			int(end-start) != utf8.RuneCountInString(s[byteStart:byteEnd]) {
			t.Fatalf("%q: CoreSpan(%d) of %+v is %d %d %d %d", s, skip, tok, start, end, byteStart, byteEnd)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"l’État", "وَللمغرب ـ", "O'Brien's 1,5", "\xff\u0301e\u0301", "북か\u3099ｶﾞ", "и\u0306"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkTokens(t, s) })
}
