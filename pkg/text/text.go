// Package text turns news text into tokens that queries, indexes and
// recognisers share: words with offsets, folded by their script (not by the
// article's language), Arabic particles, French elision, and the language of
// a text.
//
// # Words
//
// A word is a run of letters, marks and digits. Beyond that:
//
//   - A hyphen splits, as does every other sign ("États-Unis" is two words,
//     "C++" is "c", "AT&T" is "at", "t").
//   - A dot or comma between two digits stays ("1.5", "2,000", "24.10.2026"),
//     so "2,000" and "2000" are different words. The Arabic signs ٫ and ٬
//     become dot and comma.
//   - A dot between letters splits: "U.S." is "u", "s" and "ش.م.ل" is three
//     words; as a phrase they are found all the same.
//   - An apostrophe before a letter stays in the word ("o'brien",
//     "aujourd'hui", "sana'a"), except after an elided French word (l' d' qu' …),
//     which is no part of the word and takes no position, and before the
//     English possessive 's, which is cut off.
//   - An Arabic particle written onto foreign letters or digits ("الـBBC",
//     "بـ50") is no part of the word and takes no position. Particles on Arabic
//     words stay attached: see [AppendCores].
//   - Scripts written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar)
//     give one word per character with its marks, so that any text can be
//     found as a phrase.
//   - Zero-width and direction signs and soft hyphens within a word are
//     ignored; offsets still count them.
//   - A word of more than 256 letters is cut into several.
//
// All functions take hostile input: time is linear, memory proportional to
// the input, a broken byte counts as one code point and separates words.
// All functions are safe for concurrent use.
package text

// Script is the script of a token, decided by its first letter.
type Script uint8

// The scripts that are told apart. Other also stands for tokens without a
// letter, such as numbers.
const (
	Other Script = iota
	Latin
	Arabic
	Cyrillic
	Greek
	Hebrew
	Han
	Hiragana
	Katakana
	Hangul
	Thai
	Devanagari
)

// String gives the ISO 15924 code of the script, Zyyy for Other.
func (s Script) String() string {
	switch s {
	case Latin:
		return "Latn"
	case Arabic:
		return "Arab"
	case Cyrillic:
		return "Cyrl"
	case Greek:
		return "Grek"
	case Hebrew:
		return "Hebr"
	case Han:
		return "Hani"
	case Hiragana:
		return "Hira"
	case Katakana:
		return "Kana"
	case Hangul:
		return "Hang"
	case Thai:
		return "Thai"
	case Devanagari:
		return "Deva"
	default:
		return "Zyyy"
	}
}

// Token is one word of a text. Offsets are of the text given to Tokens:
// Start and End count Unicode code points, ByteStart and ByteEnd bytes; the
// ends are exclusive. They leave out elided articles and possessives.
//
// Form may share memory with the text: clone it to keep it longer.
type Token struct {
	Form       string // folded form, what queries match; Arabic particles still attached
	Start, End int32
	ByteStart  int32
	ByteEnd    int32
	Pos        int32  // word position from 0; attached particles and elided articles take none
	Script     Script // of the first letter
	Upper      bool   // the first letter is upper or title case
}

// Tokens lists the words of s in reading order. A text of more than 2 GiB is
// read up to there.
func Tokens(s string) []Token {
	if s == "" {
		return nil
	}
	return AppendTokens(make([]Token, 0, len(s)/7+4), s)
}
