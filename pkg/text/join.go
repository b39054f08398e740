package text

import (
	"math"
	"unicode/utf8"
)

// Join gives the folded words of s joined by single spaces: what an index
// holds under an analyser that splits at white space.
func Join(s string) string {
	b, _ := AppendJoin(make([]byte, 0, len(s)), s)
	return string(b)
}

// AppendJoin appends what [Join] gives to dst, and tells the length in bytes
// of the longest word. Words hold letters, digits, marks, apostrophes, points
// and commas: nothing that JSON escapes.
//
// Most words of news text are plain: letters of one script or digits, each
// folding to one code point. They are folded on the way; any other word is
// left to the scanner, which is slower.
func AppendJoin(dst []byte, s string) (joined []byte, longest int) {
	if len(s) > math.MaxInt32 {
		s = s[:math.MaxInt32]
	}
	sc := scanner{table: folding(), s: s}
	space := false
	for sc.i < len(s) {
		e, width := sc.table.lookup(s, sc.i)
		switch e.class() {
		case letter, digit, vowelSign, ideograph:
		default:
			sc.i += width
			continue
		}
		before := len(dst)
		if space {
			dst = append(dst, ' ')
		}
		start := len(dst)
		if out, end, ok := sc.table.appendPlain(dst, s, sc.i); ok {
			dst, sc.i = out, end
		} else {
			tok, ok := sc.word()
			if !ok {
				dst = dst[:before]
				continue
			}
			dst = append(dst, tok.Form...)
		}
		space = true
		longest = max(longest, len(dst)-start)
	}
	return dst, longest
}

// maxPlain bounds the letters of a plain word, well below maxLetters.
const maxPlain = 64

// appendPlain appends the folded form of the word at s[i], and gives where it
// ends. ok is false, and dst as it was, where the word is not plain.
func (t *table) appendPlain(dst []byte, s string, i int) (out []byte, end int, ok bool) {
	script, last := Other, separator
	out = dst
	for n := 0; i < len(s); n++ {
		var e entry
		width := 1
		if c := s[i]; c < utf8.RuneSelf { // as lookup does, without the call
			e = t.bmp[c]
		} else if c >= 0xC2 && c <= 0xDF && i+1 < len(s) && s[i+1]&0xC0 == 0x80 {
			e, width = t.bmp[uint16(c&0x1F)<<6|uint16(s[i+1]&0x3F)], 2
		} else {
			e, width = t.lookup(s, i)
		}
		switch e.class() {
		case letter, digit:
		case separator:
			return out, i, true
		case point:
			return out, i, last == letter // between digits it may stay
		default:
			return dst, 0, false
		}
		if script == Other {
			script = e.script()
		}
		if n == maxPlain || e&(multiBit|composeBit) != 0 || script == Arabic && e.script() != Arabic {
			return dst, 0, false
		}
		switch folded := e & 0xFFFF; {
		case folded < utf8.RuneSelf:
			out = append(out, byte(folded))
		case folded < 0x800:
			out = append(out, 0xC0|byte(folded>>6), 0x80|byte(folded&0x3F))
		default:
			out = utf8.AppendRune(out, rune(folded))
		}
		last = e.class()
		i += width
	}
	return out, i, true
}
