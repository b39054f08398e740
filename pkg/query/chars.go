package query

import (
	"strings"
	"unicode"
)

// syntaxRune gives the character that r counts as where syntax is concerned:
// full-width signs, as East Asian keyboards type them, count as the ASCII ones.
func syntaxRune(r rune) rune {
	if r > 0xFF00 && r < 0xFF5F && !isAlphanumeric(r) {
		return r - 0xFEE0
	}
	return r
}

// closer gives the quote that ends what r opens.
func closer(r rune) (rune, bool) {
	switch r {
	case '"':
		return '"', true
	case '“':
		return '”', true
	case '«':
		return '»', true
	}
	return 0, false
}

func isQuote(r rune) bool {
	_, opens := closer(r)
	return opens || r == '”' || r == '»'
}

// isBlank says whether r parts words, as a space or control character.
func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// isSeparator says whether r parts words outside quotes, as a blank does. A
// comma between digits does not: see chunk.
func isSeparator(r rune) bool {
	switch r {
	case ',', ';', '،', '؛', '؟', '、', '。':
		return true
	}
	return false
}

// isInvisible says whether r is a sign of writing direction or the like, which
// people cannot see in what they pasted.
func isInvisible(r rune) bool {
	switch {
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x2069, r == 0xFEFF, r == 0xAD, r == 0x61C:
		return true
	}
	return false
}

// visible takes the invisible signs out of s.
func visible(s string) string {
	if strings.IndexFunc(s, isInvisible) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, s)
}

// isOperator says whether the word is one of the operators.
func isOperator(word string) bool { return word == "AND" || word == "OR" || word == "NOT" }

// reservedWord says whether the word is kept for an operator to come, and
// gives its name. NEAR/5 is never meant as words, in whatever case.
func reservedWord(word string) (name string, ok bool) {
	name, count, counted := strings.Cut(word, "/")
	upper := strings.ToUpper(name)
	switch upper {
	case "NEAR", "ONEAR", "ATLEAST":
		return upper, name == upper || counted && isASCII(count, unicode.IsDigit)
	}
	return "", false
}

// reservedFunction says whether the word is kept for a function to come; it is
// one only before a parenthesis.
func reservedFunction(word string) bool {
	return word == "STEM" || word == "EXACT" || word == "CASE"
}
