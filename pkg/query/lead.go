package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// dateline bounds: it is never longer than these.
const (
	datelineBytes = 160
	datelineWords = 12
)

// LeadOf finds the lead of a body: its first paragraph that is not blank, behind
// the dateline if there is one. It gives byte offsets, end exclusive; without
// a lead both are 0.
//
// A dateline is what stands before the first dash of the paragraph, the dash
// with space on one side at least, if it is short and has what datelines have:
// an agency in parentheses or between slashes, a digit, a place in capitals, or
// nothing but one or two names ("RABAT, 24 oct. (MAP) –", "الرباط / و م ع /
// -", "Paris -"). If nothing follows it in its paragraph, the lead is the next
// one.
func LeadOf(body string) (start, end int) {
	start, end = paragraph(body, 0)
	if start == end {
		return 0, 0
	}
	behind := start + dateline(body[start:end])
	behind += blanks(body[behind:end])
	if behind < end {
		return behind, end
	}
	if start, end = paragraph(body, end); start == end {
		return 0, 0
	}
	return start, end
}

// paragraph finds the first line from byte i on that is not blank.
func paragraph(body string, i int) (start, end int) {
	start = i + blanks(body[i:])
	end = len(body)
	for _, sign := range [...]string{"\n", "\r", "\u2028", "\u2029"} { // one by one is faster than IndexAny by far
		if n := strings.Index(body[start:end], sign); n >= 0 {
			end = start + n
		}
	}
	return start, end
}

func blanks(s string) int { return len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace)) }

// dateline gives the length of the dateline and dash at the beginning of s, 0
// if there is none.
func dateline(s string) int {
	for i, r := range s {
		if i > datelineBytes {
			return 0
		}
		if !isDash(r) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		behind := i + utf8.RuneLen(r)
		for r == '-' && strings.HasPrefix(s[behind:], "-") {
			behind++
		}
		after, _ := utf8.DecodeRuneInString(s[behind:])
		if !unicode.IsSpace(before) && !unicode.IsSpace(after) && before != ')' && before != '/' {
			continue // within a word
		}
		if isDateline(s[:i]) {
			return behind
		}
		return 0
	}
	return 0
}

func isDash(r rune) bool { return r == '-' || r >= '‐' && r <= '―' }

func isDateline(s string) bool {
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > datelineWords {
		return false
	}
	if strings.ContainsFunc(s, unicode.IsDigit) || strings.ContainsRune(s, '(') || strings.Count(s, "/") > 1 {
		return true
	}
	if first := words[0]; utf8.RuneCountInString(first) > 2 && strings.ToUpper(first) == first && strings.ToLower(first) != first {
		return true
	}
	if len(words) > 2 {
		return false
	}
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w); unicode.IsLower(r) || !unicode.IsLetter(r) {
			return false
		}
	}
	return true
}
