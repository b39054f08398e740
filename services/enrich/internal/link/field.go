package link

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/text"
)

// The weights of a mention by its place.
const (
	inTitle = 3.0
	inLead  = 1.5
	inBody  = 1.0
)

// maxLead is the longest first paragraph, in code points.
const maxLead = 600

// read splits f into tokens.
func (f *field) read() {
	f.tokens = text.Tokens(f.text)
	f.joined = make([]bool, len(f.tokens))
	upper, words := 0, 0
	for i, t := range f.tokens {
		if i > 0 {
			f.joined[i] = joins(f.text[f.tokens[i-1].ByteEnd:t.ByteStart])
		}
		if t.Script == text.Latin && t.End-t.Start > 3 {
			words++
			if t.Upper {
				upper++
			}
		}
	}
	f.headline = words > 2 && upper*10 >= words*7
	f.lead = maxLead
	n := int32(0)
	for _, r := range f.text {
		if n >= maxLead {
			break
		}
		if r == '\n' && n > 80 {
			f.lead = n
			break
		}
		n++
	}
}

// joins says whether a name may go on over the text between two words:
// spaces, hyphens, apostrophes, an abbreviation's dot and an elided article.
func joins(gap string) bool {
	if gap == " " {
		return true
	}
	if len(gap) > 12 {
		return false
	}
	for i, r := range gap {
		switch {
		case r == ' ' || r == '\u00a0' || r == '\u202f' || r == '\n' || r == '\r':
		case r == '-' || r == '‐' || r == '‑' || r == '–' || r == '\'' || r == '’' || r == '‘' || r == '.':
		case r == 'd' || r == 'l' || r == 'D' || r == 'L':
			if next, _ := utf8.DecodeRuneInString(gap[i+1:]); next != '\'' && next != '’' {
				return false
			}
		case r == 'ـ' || unicode.Is(unicode.Cf, r):
		default:
			return false
		}
	}
	return strings.Count(gap, "\n") < 2
}

// hit is the name a over n tokens from i on, behind skip letters of the first.
func (f *field) hit(a *kb.Alias, i, n, skip int) hit {
	first, last := f.tokens[i], f.tokens[i+n-1]
	start, end, byteStart, byteEnd := first.Start, last.End, first.ByteStart, last.ByteEnd
	if skip > 0 {
		start, _, byteStart, _ = first.CoreSpan(f.text, skip)
	}
	if a.Dotted && strings.HasPrefix(f.text[byteEnd:], ".") {
		end++
		byteEnd++
	}
	if a.Elided && byteStart >= 2 && start >= 2 && isElided(f.text[:byteStart]) {
		start -= 2
		byteStart -= int32(len("n") + lastWidth(f.text[:byteStart]))
	}
	h := hit{field: f.name, start: start, end: end, bytes: f.text[byteStart:byteEnd], alias: a, weight: inBody}
	switch {
	case f.name == "title":
		h.weight = inTitle
	case start < f.lead:
		h.weight = inLead
	}
	h.cue = f.cue(i, n)
	return h
}

// isElided says whether s ends in "N'", which the tokens leave out.
func isElided(s string) bool {
	w := lastWidth(s)
	r, _ := utf8.DecodeLastRuneInString(s)
	return (r == '\'' || r == '’') && len(s) > w && (s[len(s)-w-1] == 'N' || s[len(s)-w-1] == 'n')
}

func lastWidth(s string) int {
	_, w := utf8.DecodeLastRuneInString(s)
	return w
}

// crowdedOut marks h where it stands beside other capitalised words, and says
// whether it is part of a longer name for certain ("New York Times", "Bank of
// England", جامعة القاهرة).
func (s *scan) crowdedOut(f *field, i, n int, h *hit) bool {
	var before, after text.Token
	if i > 0 && adjacent(f.text[f.tokens[i-1].ByteEnd:f.tokens[i].ByteStart]) {
		before = f.tokens[i-1]
	}
	if j := i + n; j < len(f.tokens) && adjacent(f.text[f.tokens[j-1].ByteEnd:f.tokens[j].ByteStart]) {
		after = f.tokens[j]
	}
	if !h.alias.Latin {
		return before.Script == text.Arabic && (behind(before.Form, arabicHeads) || s.modifies(before.Form, h))
	}
	if after.Upper && tails(after.Form) {
		return true
	}
	if (before.Form == "of" || before.Form == "de" || before.Form == "du") && i > 1 && f.tokens[i-2].Upper && heads(f.tokens[i-2].Form) {
		return true
	}
	if i > 0 && f.tokens[i-1].Upper && heads(f.tokens[i-1].Form) && elided(f.text[f.tokens[i-1].ByteEnd:f.tokens[i].ByteStart]) {
		return true
	}
	if f.headline {
		return false
	}
	h.crowded = before.Upper && !harmless(before.Form) && s.base.Demonym(before.Form) == "" ||
		after.Upper && !harmless(after.Form) && s.base.Find(after.Form) == nil
	return false
}

// modifies says that h is an adjective of the definite noun before it, as
// السعودية is in "الحكومة السعودية": the one country name that is both.
func (s *scan) modifies(before string, h *hit) bool {
	return h.alias == s.base.Find("السعودية") && utf8.RuneCountInString(before) > 4 && behind(before, func(form string) bool { return strings.HasPrefix(form, "ال") })
}

// adjacent says that nothing but a space or hyphen stands between two words.
func adjacent(gap string) bool { return gap == " " || gap == "-" || gap == "\u00a0" }

// elided says that a French "d'" alone stands between two words.
func elided(gap string) bool { return gap == " d'" || gap == " d’" }

// behindArticle says whether the reading c of form leaves out an article,
// which a name written without it does not have.
func behindArticle(form string, c text.Core) bool {
	if c.Skip == 0 {
		return false
	}
	rest := form
	for range c.Skip {
		_, w := utf8.DecodeRuneInString(rest)
		rest = rest[w:]
	}
	outside := form[:len(form)-len(rest)]
	return strings.HasSuffix(outside, "ال") || strings.HasSuffix(outside, "لل")
}

// preposition says whether ب is among the first skip letters of form.
func preposition(form string, skip int) bool {
	n := 0
	for _, r := range form {
		if n == skip {
			break
		}
		if r == 'ب' {
			return true
		}
		n++
	}
	return false
}

func allUpper(s string) bool {
	for _, r := range s {
		if unicode.IsLower(r) {
			return false
		}
	}
	return true
}
