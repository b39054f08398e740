package text

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// class says what a code point does in a word.
type class uint8

const (
	separator  class = iota
	letter           // starts or continues a word
	digit            // starts or continues a word
	vowelSign        // a mark that is kept: continues a word or an ideograph
	ideograph        // a word of its own, with the marks that follow
	accent           // a mark that folding drops, part of the word
	ignored          // dropped, and outside the word unless within it
	apostrophe       // stays between letters
	point            // stays between digits
)

// entry packs what is known of a code point:
//
//	bits 0–15   the folded code point, or with multi an index into table.multi
//	bits 16–19  class
//	bits 20–23  script
//	bit  24     upper case
//	bit  25     same: folding changes nothing
//	bit  26     multi: folds to several code points
//	bit  27     compose: the form needs NFC at the end
type entry uint32

const (
	upperBit entry = 1 << (24 + iota)
	sameBit
	multiBit
	composeBit
)

func (e entry) class() class   { return class(e >> 16 & 15) }
func (e entry) script() Script { return Script(e >> 20 & 15) }

// table holds an entry for each code point of the basic plane.
type table struct {
	bmp   [1 << 16]entry
	multi []string // folded forms of several code points
}

// folding gives the table, built at the first use. It is never changed afterwards.
//
//nolint:gochecknoglobals // built once, never changed
var folding = sync.OnceValue(buildTable)

func buildTable() *table {
	t := new(table)
	for r := rune(0); r < 1<<16; r++ {
		if e, ok := plainEntry(r); ok {
			t.bmp[r] = e
			continue
		}
		c, form := analyse(r)
		e := entry(c)<<16 | entry(scriptOf(r))<<20
		if unicode.IsUpper(r) || unicode.IsTitle(r) {
			e |= upperBit
		}
		if composes(r) {
			e |= composeBit
		}
		first, size := utf8.DecodeRuneInString(form)
		switch {
		case form == "":
		case size < len(form) || first > 0xFFFF:
			e |= multiBit | entry(len(t.multi))
			t.multi = append(t.multi, form)
		default:
			e |= entry(first)
			if first == r {
				e |= sameBit
			}
		}
		t.bmp[r] = e
	}
	return t
}

// plainEntry gives the entry of code points in the large blocks where folding
// changes nothing, which saves most of the building time.
func plainEntry(r rune) (e entry, ok bool) {
	switch {
	case within(r, 0x4E00, 0x9FFF):
		return entry(ideograph)<<16 | entry(Han)<<20 | sameBit | entry(r), true
	case within(r, 0xAC00, 0xD7A3):
		return entry(letter)<<16 | entry(Hangul)<<20 | sameBit | entry(r), true
	case within(r, 0xD800, 0xF8FF): // surrogates and private use
		return entry(separator)<<16 | sameBit | entry(r), true
	}
	return 0, false
}

// lookup gives the entry and the width in bytes of the code point at s[i]. A
// broken byte is a separator of width 1.
func (t *table) lookup(s string, i int) (e entry, width int) {
	c := s[i]
	if c < utf8.RuneSelf {
		return t.bmp[c], 1
	}
	if c >= 0xC2 && c <= 0xDF && i+1 < len(s) && s[i+1]&0xC0 == 0x80 {
		return t.bmp[uint16(c&0x1F)<<6|uint16(s[i+1]&0x3F)], 2
	}
	r, width := utf8.DecodeRuneInString(s[i:])
	if r < 1<<16 {
		return t.bmp[r], width
	}
	return farEntry(r), width
}

// farEntry gives the entry of a code point beyond the basic plane. Its folded
// form is not in the table: see appendForm.
func farEntry(r rune) entry {
	c, _ := analyse(r)
	e := entry(c)<<16 | entry(scriptOf(r))<<20 | multiBit | 0xFFFF
	if unicode.IsUpper(r) || unicode.IsTitle(r) {
		e |= upperBit
	}
	if composes(r) {
		e |= composeBit
	}
	return e
}

// farForm marks an entry whose form must be asked from analyse.
const farForm = multiBit | 0xFFFF

// form gives the folded form of an entry for a code point written as raw.
func (t *table) form(e entry, raw string) string {
	if e&farForm == farForm {
		r, _ := utf8.DecodeRuneInString(raw)
		_, form := analyse(r)
		return form
	}
	if e&multiBit != 0 {
		return t.multi[e&0xFFFF]
	}
	if e&0xFFFF == 0 {
		return ""
	}
	return string(rune(e & 0xFFFF))
}

// analyse decides class and folded form of one code point: compatibility
// decomposition, lower case, without the marks that folding drops. A
// separator keeps its form but for such marks.
func analyse(r rune) (class, string) {
	c := classOf(r)
	switch c {
	case accent, ignored:
		return c, ""
	case apostrophe:
		return c, "'"
	case point:
		if r == '٫' || r == '.' {
			return c, "."
		}
		return c, ","
	case separator:
		return c, foldSeparator(r)
	}
	if v, ok := digitValue(r); ok {
		return c, string('0' + v)
	}
	form := foldRune(r)
	if form == "" {
		return accent, ""
	}
	if strings.ContainsRune(form, ' ') { // ﷺ stands for a phrase
		return separator, string(r)
	}
	return c, form
}

// foldSeparator drops marks from a sign, so that ≠ comes out as when it is
// written in two code points.
func foldSeparator(r rune) string {
	return strings.Map(func(d rune) rune {
		if classOf(d) == accent {
			return -1
		}
		return d
	}, norm.NFD.String(string(r)))
}

// foldRune folds a letter or kept mark.
func foldRune(r rune) string {
	if r == 0x0E33 || r == 0x0EB3 { // Thai and Lao am: decomposition would split a letter
		return string(r)
	}
	var b strings.Builder
	var last rune
	for _, d := range strings.TrimSpace(norm.NFKD.String(string(r))) {
		if d == ' ' {
			b.WriteRune(d)
			continue
		}
		switch classOf(d) {
		case letter, digit, vowelSign, ideograph:
			for _, f := range foldBase(d) {
				last = f
				b.WriteRune(f)
			}
		case accent:
			if keepsAccent(last, d) {
				b.WriteRune(d)
			}
		}
	}
	return norm.NFC.String(b.String())
}

// foldBase folds a code point that has no decomposition.
func foldBase(r rune) string {
	if v, ok := digitValue(r); ok {
		return string('0' + v)
	}
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'æ', 'Æ':
		return "ae"
	case 'œ', 'Œ':
		return "oe"
	case 'þ', 'Þ':
		return "th"
	case 'ø', 'Ø':
		return "o"
	case 'ł', 'Ł':
		return "l"
	case 'đ', 'Đ', 'ð', 'Ð':
		return "d"
	case 'ħ', 'Ħ':
		return "h"
	case 'ŧ', 'Ŧ':
		return "t"
	case 'ı':
		return "i"
	case 'ς':
		return "σ"
	case 'أ', 'إ', 'آ', 'ٱ', 'ٲ', 'ٳ':
		return "ا"
	case 'ؤ':
		return "و"
	case 'ئ', 'ى', 'ی':
		return "ي"
	case 'ة', 'ہ', 'ۃ', 'ە':
		return "ه"
	case 'ک':
		return "ك"
	}
	return string(unicode.ToLower(r))
}

// keepsAccent says whether a combining mark makes another letter of the
// folded letter before it: й, ў and ї.
func keepsAccent(last, mark rune) bool {
	return mark == 0x306 && (last == 'и' || last == 'у') || mark == 0x308 && last == 'і'
}

func classOf(r rune) class {
	switch r {
	case '\'', '’', '‘', 'ʼ', '＇':
		return apostrophe
	case '.', ',', '٫', '٬':
		return point
	case 'ـ', 'ʾ', 'ʿ', 'ٴ', 'ۥ', 'ۦ': // tatweel, transliteration signs, high hamza, small waw and ya
		return accent
	case 'ﾞ', 'ﾟ': // half-width voice marks
		return vowelSign
	case 0xAD, 0x61C, 0xFEFF, 0x5F3, 0x5F4:
		return ignored
	}
	switch {
	case within(r, 0x200B, 0x200F), within(r, 0x202A, 0x202E), within(r, 0x2060, 0x2064), within(r, 0x2066, 0x2069):
		return ignored
	case unicode.Is(unicode.M, r):
		if droppedMark(r) {
			return accent
		}
		return vowelSign
	case unicode.IsLetter(r) || unicode.Is(unicode.Nl, r):
		if unspaced(r) {
			return ideograph
		}
		return letter
	case unicode.IsDigit(r):
		return digit
	case unicode.Is(unicode.No, r) && plainDigits(r):
		return digit
	}
	return separator
}

// plainDigits says whether a sign such as ² or ① stands for digits alone.
func plainDigits(r rune) bool {
	d := norm.NFKD.String(string(r))
	return d != string(r) && strings.Trim(d, "0123456789") == ""
}

// droppedMark says whether folding drops a mark: those of Latin, Greek,
// Cyrillic, Hebrew and Arabic and those without a script. The vowel signs of
// other scripts are letters in all but name.
func droppedMark(r rune) bool {
	return within(r, 0x300, 0x36F) || within(r, 0x483, 0x489) || within(r, 0x591, 0x5C7) ||
		within(r, 0x610, 0x61A) || within(r, 0x64B, 0x65F) || r == 0x670 || within(r, 0x6D6, 0x6ED) ||
		within(r, 0x897, 0x8FF) || within(r, 0x1AB0, 0x1AFF) || within(r, 0x1DC0, 0x1DFF) ||
		within(r, 0x20D0, 0x20FF) || within(r, 0xFE00, 0xFE0F) || within(r, 0xFE20, 0xFE2F) ||
		within(r, 0xE0100, 0xE01EF)
}

// unspaced says whether a letter belongs to a script written without spaces.
func unspaced(r rune) bool {
	if r < 0xE00 {
		return false
	}
	return within(r, 0x3005, 0x3007) || within(r, 0x3021, 0x3029) || within(r, 0x3031, 0x30FF) ||
		within(r, 0x31F0, 0x31FF) || within(r, 0xFF66, 0xFF9F) ||
		unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
			unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// composes says whether forms with this code point need composition at the
// end: kept marks and conjoining Hangul.
func composes(r rune) bool {
	return classOf(r) == vowelSign || within(r, 0x1100, 0x11FF) || within(r, 0xA960, 0xA97F) || within(r, 0xD7B0, 0xD7FF)
}

// digitValue gives the value of a decimal digit of any script; their ranges
// are runs of ten from zero on.
func digitValue(r rune) (rune, bool) {
	for _, g := range unicode.Nd.R16 {
		if r >= rune(g.Lo) && r <= rune(g.Hi) {
			return (r - rune(g.Lo)) % 10, true
		}
	}
	for _, g := range unicode.Nd.R32 {
		if r >= rune(g.Lo) && r <= rune(g.Hi) {
			return (r - rune(g.Lo)) % 10, true
		}
	}
	return 0, false
}

func scriptOf(r rune) Script {
	switch {
	case unicode.IsDigit(r): // ۰–۹ count as Arabic in Unicode
		return Other
	case r < 0x80 || unicode.Is(unicode.Latin, r):
		if unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) {
			return Latin
		}
		return Other
	case within(r, 0xFF66, 0xFF9F):
		return Katakana
	}
	for _, s := range [...]struct {
		table  *unicode.RangeTable
		script Script
	}{
		{unicode.Arabic, Arabic}, {unicode.Cyrillic, Cyrillic}, {unicode.Greek, Greek}, {unicode.Hebrew, Hebrew},
		{unicode.Han, Han}, {unicode.Hiragana, Hiragana}, {unicode.Katakana, Katakana}, {unicode.Hangul, Hangul},
		{unicode.Thai, Thai}, {unicode.Devanagari, Devanagari},
	} {
		if unicode.Is(s.table, r) {
			return s.script
		}
	}
	return Other
}

func within(r, lo, hi rune) bool { return r >= lo && r <= hi }
