package query

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Parse reads a query. An error is always a *SyntaxError. A query that is
// empty or blank gives All.
//
//	query  = [ or ]
//	or     = and { "OR" and }
//	and    = not { [ "AND" ] not }          at least one without NOT
//	not    = [ "NOT" ] clause
//	clause = [ field ":" ] ( group | phrase | word | word "*" )
//	group  = "(" or ")"
//
// Phrases stand in "…", “…” or «…». A word that holds several words in the
// sense of package text, such as porte-parole or U.S., is a phrase of these.
func Parse(s string) (*Query, error) {
	p, err := newParser(s)
	if err != nil {
		return nil, err
	}
	p.skip()
	if p.end() {
		return &Query{root: All{}}, nil
	}
	root, err := p.or(scope{})
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.strayClosing()
	}
	q := &Query{root: root, text: format(root)}
	if n := utf8.RuneCountInString(q.text); n > MaxLength {
		return nil, fail(0, len(p.runes), fmt.Sprintf("with its fields and operators written out the query has %d characters; at most %d are allowed", n, MaxLength),
			"split it into several queries")
	}
	return q, nil
}

// parser reads the query from left to right. Its methods stand at i and leave
// it behind what they read.
type parser struct {
	s       string
	runes   []rune // of s, as syntaxRune gives them
	bytes   []int  // offset in s of each rune, and of the end
	i       int
	depth   int // of open parentheses
	clauses int
}

// scope is what a group stands in.
type scope struct {
	field Field
	set   bool // field was written
}

func newParser(s string) (*parser, error) {
	// The first check spares the decoding of what is far too long.
	if n := len(s); n > MaxLength {
		if n = utf8.RuneCountInString(s); n > MaxLength {
			return nil, fail(MaxLength, n, fmt.Sprintf("the query has %d characters; at most %d are allowed", n, MaxLength),
				"split it into several queries")
		}
	}
	p := &parser{s: s, runes: make([]rune, 0, len(s)), bytes: make([]int, 0, len(s)+1)}
	for i, r := range s {
		p.runes = append(p.runes, syntaxRune(r))
		p.bytes = append(p.bytes, i)
	}
	p.bytes = append(p.bytes, len(s))
	return p, nil
}

func fail(start, end int, msg, hint string) error {
	return &SyntaxError{Pos: Pos{start, end}, Msg: msg, Hint: hint}
}

func (p *parser) strayClosing() error {
	return fail(p.i, p.i+1, "this parenthesis closes nothing", "take it out, or add its opening one")
}

func (p *parser) end() bool { return p.i == len(p.runes) }

// at tells whether r is the character at i.
func (p *parser) at(r rune) bool { return !p.end() && p.runes[p.i] == r }

// text is what is written between two positions.
func (p *parser) text(start, end int) string { return p.s[p.bytes[start]:p.bytes[end]] }

// skip goes to the next thing that counts.
func (p *parser) skip() {
	for !p.end() {
		if r := p.runes[p.i]; !isBlank(r) && !isSeparator(r) && !isInvisible(r) {
			return
		}
		p.i++
	}
}

// chunk gives the end of the word that begins at i, which is i itself where
// there is none. In a value the colon is a character like others.
func (p *parser) chunk(i int, value bool) int {
	for ; i < len(p.runes); i++ {
		switch r := p.runes[i]; {
		case isBlank(r), r == '(', r == ')', isQuote(r), r == ':' && !value:
			return i
		case isSeparator(r):
			inNumber := r == ',' && i > 0 && unicode.IsDigit(p.runes[i-1]) &&
				i+1 < len(p.runes) && unicode.IsDigit(p.runes[i+1])
			if !inNumber {
				return i
			}
		}
	}
	return i
}

// operator gives the operator at i, empty if there is none, and its end.
func (p *parser) operator() (name string, end int) {
	end = p.chunk(p.i, false)
	if end < len(p.runes) && p.runes[end] == ':' {
		return "", end
	}
	if name = visible(p.text(p.i, end)); isOperator(name) {
		return name, end
	}
	return "", end
}

func (p *parser) or(sc scope) (Node, error) {
	var of []Node
	for {
		n, err := p.and(sc)
		if err != nil {
			return nil, err
		}
		if or, ok := n.(Or); ok {
			of = append(of, or.Of...)
		} else {
			of = append(of, n)
		}
		name, end := p.operator()
		if name != "OR" {
			break
		}
		if err := p.step(name, end); err != nil {
			return nil, err
		}
	}
	if len(of) == 1 {
		return of[0], nil
	}
	return Or{Of: of}, nil
}

func (p *parser) and(sc scope) (Node, error) {
	var of []Node
	start, positive := p.i, false
	for {
		n, err := p.not(sc)
		if err != nil {
			return nil, err
		}
		if _, ok := n.(Not); !ok {
			positive = true
		}
		if and, ok := n.(And); ok {
			of = append(of, and.Of...)
		} else {
			of = append(of, n)
		}
		stop := p.i
		p.skip()
		name, end := p.operator()
		if p.end() || p.at(')') || name == "OR" {
			if !positive {
				return nil, p.onlyNot(start, stop)
			}
			break
		}
		if name == "AND" {
			if err := p.step(name, end); err != nil {
				return nil, err
			}
		}
	}
	if len(of) == 1 {
		return of[0], nil
	}
	return And{Of: of}, nil
}

// onlyNot is the error for a query, group or side of OR between the two
// positions that excludes and asks for nothing.
func (p *parser) onlyNot(start, end int) error {
	if p.depth > 0 || p.hasBefore(start) || !p.end() {
		return fail(start, end, "only NOT in these parentheses or on this side of OR: nothing is asked for",
			"add what is to be found, such as: maroc NOT sport; of a NOT alone in parentheses, take the parentheses away")
	}
	return fail(start, end, "the query has only NOT: nothing is asked for",
		"add what is to be found, such as: maroc NOT sport")
}

// hasBefore tells whether anything that counts stands before start.
func (p *parser) hasBefore(start int) bool {
	for _, r := range p.runes[:start] {
		if !isBlank(r) && !isSeparator(r) && !isInvisible(r) {
			return true
		}
	}
	return false
}

// step goes over the operator that ends at end, behind which something must
// follow.
func (p *parser) step(name string, end int) error {
	start := p.i
	p.i = end
	p.skip()
	if p.end() || p.at(')') {
		return fail(start, end, name+" has nothing on its right", "add a word there, or write it in quotes to look for the word itself")
	}
	return nil
}

func (p *parser) not(sc scope) (Node, error) {
	name, end := p.operator()
	switch name {
	case "":
		return p.clause(sc)
	case "NOT":
		if err := p.step(name, end); err != nil {
			return nil, err
		}
		switch name, end := p.operator(); name {
		case "":
			n, err := p.clause(sc)
			return Not{Of: n}, err
		case "NOT":
			return nil, fail(p.i, end, "NOT behind NOT", "leave both out: they cancel each other")
		}
		name, end = p.operator()
	}
	return nil, fail(p.i, end, name+" has nothing on its left", "add a word there, or write it in quotes to look for the word itself")
}

// group reads from an opening parenthesis to its closing one.
func (p *parser) group(sc scope) (Node, error) {
	open := p.i
	if p.depth == MaxDepth {
		return nil, fail(open, open+1, fmt.Sprintf("more than %d parentheses within one another", MaxDepth), "write the query with fewer")
	}
	p.depth++
	p.i++
	p.skip()
	if p.at(')') {
		return nil, fail(open, p.i+1, "nothing stands in these parentheses", "take them out")
	}
	unclosed := fail(open, open+1, "this parenthesis is not closed", "add the closing one")
	if p.end() {
		return nil, unclosed
	}
	n, err := p.or(sc)
	if err != nil {
		return nil, err
	}
	if p.end() {
		return nil, unclosed
	}
	p.i++
	p.depth--
	return n, nil
}

// count takes note of n clauses more, written between the two positions.
func (p *parser) count(n, start, end int) error {
	if p.clauses += n; p.clauses > MaxClauses {
		return fail(start, end, fmt.Sprintf("more than %d words and values in one query", MaxClauses), "split it into several queries")
	}
	return nil
}
