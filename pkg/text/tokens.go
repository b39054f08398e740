package text

import (
	"math"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// maxLetters bounds a word: longer ones are cut.
const maxLetters = 256

// longestForm is the most letters that one code point folds to.
const longestForm = 8

// AppendTokens appends the words of s to dst and returns it, as [Tokens].
func AppendTokens(dst []Token, s string) []Token {
	if len(s) > math.MaxInt32 {
		s = s[:math.MaxInt32]
	}
	sc := scanner{table: folding(), s: s}
	for sc.i < len(s) {
		e, width := sc.table.lookup(s, sc.i)
		switch e.class() {
		case letter, digit, vowelSign, ideograph:
			if tok, ok := sc.word(); ok {
				tok.Pos = sc.pos
				sc.pos++
				dst = append(dst, tok)
			}
		default:
			sc.i += width
			sc.cp++
		}
	}
	return dst
}

// scanner reads words from s. Forms that folding leaves as they are share the
// memory of s; the others are slices of one buffer.
type scanner struct {
	table *table
	s     string
	buf   strings.Builder
	i     int   // byte offset of what is to be read next
	cp    int32 // the same in code points
	pos   int32 // position of the next word

	// The word being read.
	start, end         mark  // end lies behind the last part that is not ignored
	from               int   // where the form begins in buf, -1 while it is the same as the text
	letters            int   // of the folded form
	prev               class // of the last letter or digit
	last               rune  // last folded code point but for kept marks, which may come in any order
	script             Script
	upper, seen        bool // seen: there was a letter
	compose            bool
	cut                mark // before the last apostrophe
	cutForm, cutLetter int  // the form's length and letters there; cutLetter 0: no apostrophe
}

// mark is a place in the text.
type mark struct {
	byte int
	cp   int32
}

// begin starts a word at the current place, leaving aside what was read of it.
func (sc *scanner) begin() {
	sc.start = mark{sc.i, sc.cp}
	sc.end = sc.start
	sc.from = -1
	sc.letters, sc.cutLetter = 0, 0
	sc.prev, sc.last = separator, 0
	sc.script, sc.upper, sc.seen, sc.compose = Other, false, false, false
}

// word reads one word, which begins at the current place with a letter, digit
// or kept mark. It is false when nothing remains of it.
func (sc *scanner) word() (Token, bool) {
	sc.begin()
	alone := false // an ideograph was read: only marks may follow
	for sc.i < len(sc.s) {
		e, width := sc.table.lookup(sc.s, sc.i)
		switch c := e.class(); c {
		case letter, digit, ideograph:
			if alone || c == ideograph && sc.letters > 0 {
				return sc.token()
			}
			alone = c == ideograph
			fallthrough
		case vowelSign:
			if sc.foreign(e) {
				sc.begin()
			}
			if !sc.add(e, width) {
				return sc.token()
			}
		case accent:
			sc.mark(width)
		case ignored:
			sc.write()
			sc.i += width
			sc.cp++
			continue
		case apostrophe:
			if alone || sc.full() || sc.prev == separator || sc.next(sc.i+width) != letter {
				return sc.token()
			}
			if sc.elided() {
				sc.i += width
				sc.cp++
				sc.skipIgnored()
				sc.begin()
				continue
			}
			sc.cut, sc.cutForm, sc.cutLetter = sc.end, sc.formLen(), sc.letters
			sc.sign(e, width)
		case point:
			if sc.full() || sc.prev != digit || sc.next(sc.i+width) != digit {
				return sc.token()
			}
			sc.sign(e, width)
		default:
			return sc.token()
		}
		sc.end = mark{sc.i, sc.cp}
	}
	return sc.token()
}

// add takes a letter, digit or kept mark into the word. It is false when the
// word is full.
func (sc *scanner) add(e entry, width int) bool {
	if e&multiBit != 0 {
		form := sc.table.form(e, sc.s[sc.i:])
		n := 0
		for _, r := range form {
			sc.last = r
			n++
		}
		if sc.letters > 0 && sc.letters+n > maxLetters {
			return false
		}
		sc.letters += n
		sc.write()
		sc.buf.WriteString(form)
	} else {
		if sc.letters == maxLetters {
			return false
		}
		sc.letters++
		folded := rune(e & 0xFFFF)
		if e.class() != vowelSign {
			sc.last = folded
		}
		if e&sameBit == 0 || sc.from >= 0 {
			sc.write()
			sc.buf.WriteRune(folded)
		}
	}
	if !sc.seen && e.class() != digit {
		sc.seen, sc.script, sc.upper = true, e.script(), e&upperBit != 0
	}
	sc.compose = sc.compose || e&composeBit != 0
	sc.prev = e.class()
	sc.i += width
	sc.cp++
	return true
}

// mark takes a combining mark into the word and drops it from the form,
// unless it makes another letter.
func (sc *scanner) mark(width int) {
	sc.write()
	if r := runeAt(sc.s[sc.i:]); keepsAccent(sc.last, r) {
		sc.buf.WriteRune(r)
		sc.last, sc.compose = r, true
	}
	sc.i += width
	sc.cp++
}

// sign takes an apostrophe, point or comma into the word.
func (sc *scanner) sign(e entry, width int) {
	if e&sameBit == 0 || sc.from >= 0 {
		sc.write()
		sc.buf.WriteByte(byte(e))
	}
	sc.last, sc.prev = rune(e&0xFFFF), separator
	sc.i += width
	sc.cp++
}

// full says that the word may not take another letter, so no sign before it
// either.
func (sc *scanner) full() bool { return sc.letters > maxLetters-longestForm }

// write makes sure that the form is written to the buffer.
func (sc *scanner) write() {
	if sc.from >= 0 {
		return
	}
	if sc.buf.Cap() == 0 {
		sc.buf.Grow((len(sc.s)-sc.start.byte)/2 + 64)
	}
	sc.from = sc.buf.Len()
	sc.buf.WriteString(sc.s[sc.start.byte:sc.i])
}

// form gives what is folded of the word so far.
func (sc *scanner) form() string {
	if sc.from < 0 {
		return sc.s[sc.start.byte:sc.i]
	}
	return sc.buf.String()[sc.from:]
}

func (sc *scanner) formLen() int { return len(sc.form()) }

// next gives the class of what follows at byte offset i behind ignored signs.
func (sc *scanner) next(i int) class {
	for i < len(sc.s) {
		e, width := sc.table.lookup(sc.s, i)
		if c := e.class(); c != ignored {
			return c
		}
		i += width
	}
	return separator
}

func (sc *scanner) skipIgnored() {
	for sc.i < len(sc.s) {
		e, width := sc.table.lookup(sc.s, sc.i)
		if e.class() != ignored {
			return
		}
		sc.i += width
		sc.cp++
	}
}

// elided says whether the word so far is a French word elided before the
// apostrophe that follows.
func (sc *scanner) elided() bool {
	if sc.script != Latin || sc.letters > len("lorsqu") {
		return false
	}
	switch sc.form() {
	case "l", "d", "qu", "n", "s", "m", "t", "j", "c",
		"jusqu", "lorsqu", "puisqu", "quoiqu", "presqu":
		return true
	}
	return false
}

// foreign says whether the word so far consists of Arabic particles that are
// written onto the digit or foreign letter e.
func (sc *scanner) foreign(e entry) bool {
	return sc.script == Arabic && e.script() != Arabic && e.class() != vowelSign &&
		sc.letters <= 4 && particles(sc.form())
}

// token gives the word that was read.
func (sc *scanner) token() (Token, bool) {
	if sc.letters == 0 {
		return Token{}, false
	}
	end := sc.end
	var form string
	if sc.from >= 0 {
		form = sc.buf.String()[sc.from:]
	} else {
		form = sc.s[sc.start.byte:end.byte]
	}
	if sc.cutLetter > 0 && sc.script == Latin && sc.letters == sc.cutLetter+1 && sc.last == 's' {
		end, form = sc.cut, form[:sc.cutForm]
	}
	if sc.compose {
		form = norm.NFC.String(form)
	}
	return Token{
		Form: form, Start: sc.start.cp, End: end.cp,
		ByteStart: int32(sc.start.byte), ByteEnd: int32(end.byte),
		Script: sc.script, Upper: sc.upper,
	}, true
}
