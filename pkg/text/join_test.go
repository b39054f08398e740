package text

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// slowJoin joins what Tokens gives.
func slowJoin(s string) string {
	var words []string
	for _, tok := range Tokens(s) {
		words = append(words, tok.Form)
	}
	return strings.Join(words, " ")
}

func checkJoin(t interface{ Errorf(string, ...any) }, s string) {
	want := slowJoin(s)
	got, longest := AppendJoin([]byte("x"), s)
	if string(got) != "x"+want {
		t.Errorf("AppendJoin(%q) = %q, want %q", s, got[1:], want)
	}
	most := 0
	for w := range strings.FieldsSeq(want) {
		most = max(most, len(w))
	}
	if longest != most {
		t.Errorf("AppendJoin(%q): longest word has %d bytes, want %d", s, longest, most)
	}
	if Join(s) != want {
		t.Errorf("Join(%q) = %q, want %q", s, Join(s), want)
	}
}

// TestJoinIsTokens holds the fast way of Join against the scanner.
func TestJoinIsTokens(t *testing.T) {
	for _, s := range []string{
		"", " ", "a", "l'État", "l’eau d'Été aujourd'hui", "the king's men's", "1.5 et 2,000.", "24.10.2026", "a.b", "U.S.", "5G", "covid19",
		"الـBBC و50 بـ50 ب50", "كتاب٢٠٢٦", "ﷺ ﷲ لا ﻻ", "مُحَمَّد ـــ كـتاب", "naïve œuf straße ﬁn", "ё й й", "日本語 テキスト", "ภาษาไทย",
		"États-Unis", "a\u00adb\u200bc", "x\u0301", "\u0301x", "\xff\xfea\xffb", "O'Brien's", "don't", strings.Repeat("a", 300), strings.Repeat("é", 300), "𝐀𝐁 😀a",
	} {
		checkJoin(t, s)
	}
	for _, s := range benchTexts {
		checkJoin(t, s)
	}
}

func TestJoinIsTokensOnRandomText(t *testing.T) {
	letters := []rune("abzÉéœßñ'’.,-–0159٠٩٫ \n\tالإأةىيوفبكللمغرب\u064eـ\u0301\u00ad\u200bйёяθ日本テﾞไทยाक\U0001D400")
	rapid.Check(t, func(t *rapid.T) {
		checkJoin(t, rapid.StringOfN(rapid.SampledFrom(letters), 0, 40, -1).Draw(t, "s"))
	})
}

func FuzzJoin(f *testing.F) {
	for _, s := range benchTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkJoin(t, s) })
}

func BenchmarkJoin(b *testing.B) {
	for _, lang := range []string{"ar", "fr", "en"} {
		b.Run(lang, func(b *testing.B) {
			s := strings.Repeat(benchTexts[lang], 20)
			var buf []byte
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = AppendJoin(buf[:0], s)
			}
		})
	}
}
