package text

import (
	"strings"
	"unicode/utf8"
)

const (
	article = "ال"
	// minCore is how many letters must remain behind particles.
	minCore = 3
)

// Core is a reading of an Arabic token behind its particles.
type Core struct {
	// Form is what terms are compared with, such as "المغرب" or "مغرب".
	Form string
	// Skip counts the letters of the token's form before the core. Where the
	// article is restored ("للمغرب" → "المغرب") it counts to the second lam,
	// so that the text cut out is "لمغرب".
	Skip int
	// Article says that Form begins with ال, as an article or otherwise.
	Article bool
}

// AppendCores appends the readings under which the folded form of a token
// matches a term: first itself, then what is behind (و|ف)(ب|ك|ل)(ال) or
// (و|ف)لل, at least three letters of it remaining in the text. A form that is
// not Arabic has only itself.
//
// A term written with the article matches only readings with it, a term
// without matches both, because readings behind the article are listed too.
// [Expand] is the inverse.
func AppendCores(dst []Core, form string) []Core {
	dst = append(dst, Core{Form: form, Article: strings.HasPrefix(form, article)})
	if !startsArabic(form) {
		return dst
	}
	dst = appendBehind(dst, form, 0)
	if rest, ok := cutConjunction(form); ok {
		dst = appendCore(dst, rest, 1)
		dst = appendBehind(dst, rest, 1)
	}
	return dst
}

// appendBehind appends the readings behind a preposition or article.
func appendBehind(dst []Core, form string, skip int) []Core {
	dst = appendBare(dst, form, skip)
	rest, ok := cutPreposition(form)
	if !ok {
		return dst
	}
	dst = appendCore(dst, rest, skip+1)
	dst = appendBare(dst, rest, skip+1)
	if bare, ok := strings.CutPrefix(form, "لل"); ok {
		if longArabic(rest) {
			dst = append(dst, Core{Form: article + bare, Skip: skip + 1, Article: true})
		}
		dst = appendCore(dst, bare, skip+2)
	}
	return dst
}

// appendBare appends the reading behind the article, if form has one.
func appendBare(dst []Core, form string, skip int) []Core {
	if bare, ok := strings.CutPrefix(form, article); ok {
		dst = appendCore(dst, bare, skip+2)
	}
	return dst
}

func appendCore(dst []Core, form string, skip int) []Core {
	if !longArabic(form) {
		return dst
	}
	return append(dst, Core{Form: form, Skip: skip, Article: strings.HasPrefix(form, article)})
}

// Expand lists every folded form under which a token matches the folded term,
// the term itself first: x is in Expand(t) exactly if t is the Form of one of
// AppendCores(nil, x). A term that is not Arabic, or too short, has only
// itself.
func Expand(term string) []string {
	if !startsArabic(term) {
		return []string{term}
	}
	forms := make([]string, 0, 30)
	bare, withArticle := strings.CutPrefix(term, article)
	restores := withArticle && longArabic("ل"+bare)
	long := longArabic(term)
	for _, conjunction := range [...]string{"", "و", "ف"} {
		for _, preposition := range [...]string{"", "ب", "ك", "ل"} {
			particles := conjunction + preposition
			if long || particles == "" {
				forms = append(forms, particles+term)
			}
			if long {
				forms = append(forms, particles+article+term)
			}
		}
		if long {
			forms = append(forms, conjunction+"لل"+term)
		}
		if restores {
			forms = append(forms, conjunction+"لل"+bare)
		}
	}
	return forms
}

// CoreSpan gives the span of the token in s, the text given to [Tokens],
// behind the first skip letters of its form. Vowel marks and tatweel count as
// no letters and go with the letter before. A ligature that holds both a
// skipped letter and a kept one is kept.
func (t Token) CoreSpan(s string, skip int) (start, end, byteStart, byteEnd int32) {
	start, end, byteStart, byteEnd = t.Start, t.End, t.ByteStart, t.ByteEnd
	if skip <= 0 || byteStart < 0 || byteEnd < byteStart || int(byteEnd) > len(s) {
		return start, end, byteStart, byteEnd
	}
	table := folding()
	for byteStart < byteEnd {
		e, width := table.lookup(s, int(byteStart))
		n := utf8.RuneCountInString(table.form(e, s[byteStart:byteEnd]))
		if n > skip {
			break
		}
		skip -= n
		byteStart += int32(width)
		start++
	}
	return start, end, byteStart, byteEnd
}

// particles says whether a folded form consists of Arabic particles alone.
func particles(form string) bool {
	rest, found := cutConjunction(form)
	if rest == "لل" {
		return true
	}
	rest, preposition := cutPreposition(rest)
	return rest == article || rest == "" && (found || preposition)
}

func cutConjunction(form string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(form, "و"); ok {
		return rest, true
	}
	return strings.CutPrefix(form, "ف")
}

func cutPreposition(form string) (rest string, ok bool) {
	for _, p := range [...]string{"ب", "ك", "ل"} {
		if rest, ok = strings.CutPrefix(form, p); ok {
			return rest, true
		}
	}
	return form, false
}

// startsArabic says whether the first code point of a folded form is an
// Arabic letter.
func startsArabic(form string) bool {
	if form == "" {
		return false
	}
	e, _ := folding().lookup(form, 0)
	return e.script() == Arabic
}

// longArabic says whether form begins with an Arabic letter and has at least
// three letters.
func longArabic(form string) bool {
	if !startsArabic(form) {
		return false
	}
	n := 0
	for range form {
		if n++; n == minCore {
			return true
		}
	}
	return false
}
