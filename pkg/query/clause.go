package query

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/marsad-news/marsad/pkg/text"
)

const quoteHint = "if it belongs to what you look for, write it in quotes"

// clause reads a group, phrase, word or value with the field before it.
func (p *parser) clause(sc scope) (Node, error) {
	start := p.i
	if sc.set && !sc.field.IsText() {
		return p.operand(sc, start)
	}
	end := p.chunk(p.i, false)
	if end == len(p.runes) || p.runes[end] != ':' {
		return p.operand(sc, start)
	}
	name := visible(p.text(start, end))
	f, known := fieldNamed(name)
	switch {
	case name == "":
		return nil, fail(end, end+1, "no field before this colon", quoteHint)
	case name == "published":
		return nil, fail(start, end+1, "published: is not supported yet", "leave it out and set the time range beside the query")
	case !known:
		return nil, fail(start, end+1, fmt.Sprintf("there is no field %q; the fields are %s", clip(name), fieldNames),
			`if the colon belongs to a word, write it in quotes, such as "12:30"`)
	case sc.set:
		return nil, nested(start, end+1, f, sc.field)
	}
	p.i = end + 1
	if !p.end() {
		r := p.runes[p.i]
		if !isBlank(r) && !isSeparator(r) && r != ')' {
			return p.operand(scope{field: f, set: true}, start)
		}
	}
	return nil, fail(start, end+1, name+": has no value", "write the value right behind the colon, such as "+example(f))
}

func nested(start, end int, inner, outer Field) error {
	return fail(start, end, fmt.Sprintf("the field %s: within %s:( )", inner, outer), "give each term one field alone")
}

func example(f Field) string {
	switch f {
	case Lang:
		return "lang:fr"
	case Country, SourceCountry:
		return string(f) + ":MA"
	case Entity:
		return "entity:Q1028"
	case Topic:
		return "topic:medtop:16000000"
	case Source:
		return "source:afp"
	}
	return string(f) + ":maroc"
}

// operand reads what may stand behind a field. The clause began at start.
func (p *parser) operand(sc scope, start int) (Node, error) {
	switch r := p.runes[p.i]; {
	case r == '(':
		return p.group(sc)
	case r == ')':
		return nil, p.strayClosing()
	case r == '”' || r == '»':
		return nil, fail(p.i, p.i+1, "this quote closes nothing", "take it out, or add its opening one")
	case isQuote(r):
		return p.quoted(sc.field, start)
	case !sc.field.IsText():
		return p.value(sc.field, start)
	case r == ':':
		return nil, fail(p.i, p.i+1, "no field before this colon", quoteHint)
	}
	return p.word(sc.field, start)
}

// quoted reads a phrase or a keyword's value in quotes.
func (p *parser) quoted(f Field, start int) (Node, error) {
	open := p.i
	last, _ := closer(p.runes[open])
	p.i++
	for !p.at(last) {
		if p.end() {
			return nil, fail(open, open+1, "this quote is not closed", "add the closing one")
		}
		p.i++
	}
	p.i++
	inside := p.text(open+1, p.i-1)
	if !f.IsText() {
		return p.keyword(f, strings.TrimSpace(inside), start)
	}
	for i := open + 1; i < p.i-1; i++ {
		if p.isWildcard(i) {
			return nil, fail(i, i+1, "wildcards within a phrase are not supported yet", "write the words in full")
		}
	}
	return p.words(f, inside, false, start)
}

// isWildcard tells whether the sign at i, within quotes, is meant as a
// wildcard: a question mark is one only within a word.
func (p *parser) isWildcard(i int) bool {
	before, after := isAlphanumeric(p.runes[i-1]), isAlphanumeric(p.runes[i+1])
	return p.runes[i] == '*' && (before || after) || p.runes[i] == '?' && before && after
}

// value reads a keyword's value without quotes.
func (p *parser) value(f Field, start int) (Node, error) {
	from := p.i
	p.i = p.chunk(from, true)
	written := visible(p.text(from, p.i))
	if err := p.reserved(written, from); err != nil {
		return nil, err
	}
	if i := strings.IndexAny(written, "*?"); i >= 0 {
		return nil, fail(from, p.i, string(f)+": takes no wildcards", "write the value in full, or in quotes if it holds such a sign")
	}
	if inner, ok := fieldBefore(written); ok {
		return nil, nested(from, p.i, inner, f)
	}
	return p.keyword(f, written, start)
}

// fieldBefore gives the field that a value begins with.
func fieldBefore(value string) (Field, bool) {
	name, _, colon := strings.Cut(value, ":")
	f, known := fieldNamed(name)
	return f, colon && known
}

func (p *parser) keyword(f Field, value string, start int) (Node, error) {
	if value == "" {
		return nil, fail(start, p.i, string(f)+": has no value", "write the value right behind the colon, such as "+example(f))
	}
	normal, wrong := normalise(f, value)
	if wrong != "" {
		return nil, fail(start, p.i, fmt.Sprintf("%q is no value of %s:", clip(value), f), wrong)
	}
	if err := p.count(1, start, p.i); err != nil {
		return nil, err
	}
	return Keyword{Field: f, Value: normal, Pos: Pos{start, p.i}}, nil
}

// word reads a word without quotes.
func (p *parser) word(f Field, start int) (Node, error) {
	from := p.i
	p.i = p.chunk(from, false)
	end := p.i
	for end > from+1 && isInvisible(p.runes[end-1]) {
		end--
	}
	written := p.text(from, end)
	if p.at(':') {
		return nil, fail(p.i, p.i+1, "a colon in a word", `write it in quotes, such as "12:30"`)
	}
	if p.opensQuote() && isAttached(written) {
		return p.quoted(f, start)
	}
	if err := p.reserved(visible(written), from); err != nil {
		return nil, err
	}
	if err := p.signs(from, end); err != nil {
		return nil, err
	}
	stem, prefix := p.cutStar(from, end)
	return p.words(f, stem, prefix, start)
}

func (p *parser) opensQuote() bool {
	if p.end() {
		return false
	}
	_, opens := closer(p.runes[p.i])
	return opens
}

// isAttached tells whether written before a quote is no word of its own: an
// elided article or Arabic particles, as in l'«état» and بـ"المغرب".
func isAttached(written string) bool {
	tokens := text.Tokens(written + "a")
	return len(tokens) == 1 && tokens[0].Form == "a"
}

// reserved refuses operators where a word or value is due, and what is kept
// for operators to come. The word began at from and ends at i.
func (p *parser) reserved(word string, from int) error {
	const hint = "if you look for the word, write it in quotes"
	if isOperator(word) {
		return fail(from, p.i, word+" where a word is due", hint)
	}
	name, ok := reservedWord(word)
	if !ok && reservedFunction(word) {
		next := p.i
		for next < len(p.runes) && (isBlank(p.runes[next]) || isInvisible(p.runes[next])) {
			next++
		}
		name, ok = word, next < len(p.runes) && p.runes[next] == '('
	}
	if ok {
		return fail(from, p.i, name+" is not supported yet", hint)
	}
	return nil
}

// signs refuses the signs that other query languages know and this one does
// not, and wildcards but for a star at the end.
func (p *parser) signs(from, end int) error {
	for from < end-1 && isInvisible(p.runes[from]) {
		from++
	}
	if r := p.runes[from]; (r == '-' || r == '!') && end > from+1 {
		return fail(from, from+1, string(r)+" does not exclude a word", "write NOT before it, or the whole in quotes if the sign belongs to it")
	}
	bare := true // nothing but wildcards so far
	for i := from; i < end; i++ {
		switch r := p.runes[i]; r {
		case '|':
			return fail(i, i+1, "| is no operator", "write OR; "+quoteHint)
		case '~', '^', '[', ']', '{', '}', '\\':
			return fail(i, i+1, string(r)+" has no meaning here", quoteHint)
		case '*', '?':
			if err := p.wildcard(i, end, bare); err != nil {
				return err
			}
		default:
			bare = bare && isInvisible(r)
		}
	}
	return nil
}

// wildcard refuses the wildcard at i of a word that ends at end, unless it is
// the star of a prefix. It stands first in the word if bare.
func (p *parser) wildcard(i, end int, bare bool) error {
	last := i == end-1
	only := bare && strings.Trim(p.text(i, end), "*?＊？") == ""
	switch {
	case only:
		return fail(i, end, "a bare wildcard", "write at least three letters before it, or leave it out; an empty query finds everything")
	case bare:
		return fail(i, i+1, "a wildcard at the beginning of a word", "write at least three letters before it")
	case p.runes[i] == '?' && last:
		return fail(i, end, "the wildcard ? is not supported yet", "leave the question mark out")
	case !last:
		return fail(i, i+1, "wildcards inside words are not supported yet", "write the beginning of the word and *; "+quoteHint)
	}
	return nil
}

// cutStar gives the word without the star at its end.
func (p *parser) cutStar(from, end int) (stem string, star bool) {
	if p.runes[end-1] == '*' {
		return p.text(from, end-1), true
	}
	return p.text(from, end), false
}

// words makes a term or phrase of what was written from start to i.
func (p *parser) words(f Field, written string, prefix bool, start int) (Node, error) {
	pos := Pos{start, p.i}
	tokens := text.Tokens(written)
	if len(tokens) == 0 {
		return nil, fail(start, p.i, "no word in "+fmt.Sprintf("%q", clip(written)), "a word has a letter or digit; leave other signs out")
	}
	if err := p.count(len(tokens), start, p.i); err != nil {
		return nil, err
	}
	forms := make([]string, len(tokens))
	for i, t := range tokens {
		forms[i] = strings.Clone(t.Form)
		if again := text.Tokens(t.Form); len(again) != 1 || again[0].Form != t.Form {
			return nil, fail(start, p.i, fmt.Sprintf("%q is no word that can be looked for", clip(t.Form)), "write it another way")
		}
	}
	switch {
	case prefix && (len(tokens) > 1 || int(tokens[0].ByteEnd) != len(written)):
		return nil, fail(start, p.i, "* behind several words or a sign", "write * right behind a single word")
	case prefix && letters(forms[0]) < 3:
		return nil, fail(start, p.i, "fewer than three letters before *", "write at least three")
	case len(forms) == 1:
		return Term{Field: f, Form: forms[0], Prefix: prefix, Pos: pos}, nil
	}
	return Phrase{Field: f, Forms: forms, Pos: pos}, nil
}

func letters(form string) int {
	n := 0
	for _, r := range form {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			n++
		}
	}
	return n
}

// clip shortens what is quoted in a message.
func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > 40 {
			return s[:i] + "…"
		}
	}
	return s
}
