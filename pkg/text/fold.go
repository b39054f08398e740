package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold folds a word or phrase without splitting it: NFC and NFD, case,
// accents, ligatures, Arabic spelling variants, vowel marks, tatweel, digits
// and presentation forms come out equal. Separators stay as they are, broken
// bytes become U+FFFD. For the text cut out by a token's span it gives the
// token's Form. It is idempotent.
func Fold(s string) string {
	t := folding()
	i := 0
	for i < len(s) { // most of what is folded is so already
		e, width := t.lookup(s, i)
		broken := width == 1 && s[i] >= utf8.RuneSelf
		if broken || e&sameBit == 0 || e&composeBit != 0 {
			break
		}
		i += width
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	b.WriteString(s[:i])
	var last rune // but for kept marks, which may come in any order
	if i > 0 {
		last, _ = utf8.DecodeLastRuneInString(s[:i])
	}
	compose := false
	for i < len(s) {
		e, width := t.lookup(s, i)
		if e.class() == accent {
			if r := runeAt(s[i:]); keepsAccent(last, r) {
				b.WriteRune(r)
				last, compose = r, true
			}
		} else if e&multiBit != 0 {
			form := t.form(e, s[i:])
			last, _ = utf8.DecodeLastRuneInString(form)
			b.WriteString(form)
		} else if r := rune(e & 0xFFFF); r != 0 || s[i] == 0 {
			if e.class() != vowelSign {
				last = r
			}
			b.WriteRune(r)
		}
		compose = compose || e&composeBit != 0
		i += width
	}
	if compose {
		return norm.NFC.String(b.String())
	}
	return b.String()
}

// runeAt gives the first code point of s, which is not empty.
func runeAt(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
