package query

import "strings"

// Span is a part of an article's text that a query asked for, such as to be
// highlighted. Start and End count Unicode code points of the field, End
// exclusive.
type Span struct {
	Field      Field // Title or Body
	Start, End int
}

// Spans gives what makes the query match: the places of the terms and phrases
// outside NOT, of alternatives those of all that hold. They come in the order
// of the text, title first, and do not overlap. Attached Arabic particles are
// left out and the article kept, as in mentions of entities. A query that does
// not match has none; keywords have none.
func (q *Query) Spans(d *Doc) []Span {
	var leaves []Node
	if !d.collect(q.root, &leaves) || len(leaves) == 0 {
		return nil
	}
	m := make(marks, len(d.tokens))
	seen := make(map[Term]bool, len(leaves)) // a term may be repeated, at no cost
	for _, n := range leaves {
		if t, ok := n.(Term); ok {
			t.Pos = Pos{}
			if seen[t] {
				continue
			}
			seen[t] = true
		}
		d.leaf(n, m)
	}
	return d.joined(m)
}

// collect appends the terms and phrases that make n hold, and tells whether it
// does.
func (d *Doc) collect(n Node, leaves *[]Node) bool {
	before := len(*leaves)
	switch n := n.(type) {
	case And:
		for _, child := range n.Of {
			if !d.collect(child, leaves) {
				*leaves = (*leaves)[:before]
				return false
			}
		}
		return true
	case Or:
		any := false
		for _, child := range n.Of {
			any = d.collect(child, leaves) || any
		}
		return any
	case Term, Phrase:
		if !d.leaf(n, nil) {
			return false
		}
		*leaves = append(*leaves, n)
		return true
	default:
		return d.holds(n)
	}
}

// marks are what was found, by token.
type marks []mark

type mark struct {
	hit   bool
	skip  uint16 // letters of particles before the hit
	joins int32  // phrases that begin here less those that end
}

// mark notes a match from a reading of its first token to its last token.
func (d *Doc) mark(m marks, first, last int32) {
	r := d.readings[first]
	skip, at := d.skip(r), &m[r.token]
	if !at.hit || skip < at.skip {
		at.hit, at.skip = true, skip
	}
	at.joins++
	m[last].joins--
}

// skip gives how many letters before the reading are particles: the article
// is none.
func (d *Doc) skip(r reading) uint16 {
	form, skip := d.forms[r.form], r.skip
	for _, other := range d.readings[d.first[r.token]:d.first[r.token+1]] {
		if bare, ok := strings.CutPrefix(d.forms[other.form], "ال"); ok && bare == form {
			skip = min(skip, other.skip)
		}
	}
	return skip
}

// joined makes spans of the marks; what overlaps becomes one.
func (d *Doc) joined(m marks) []Span {
	var spans []Span
	open := int32(0) // phrases that go on behind the token before
	for i, mark := range m {
		token := d.tokens[i]
		switch {
		case open > 0:
			spans[len(spans)-1].End = int(token.End)
		case mark.hit:
			field, s := Body, d.article.Body
			if i < d.title {
				field, s = Title, d.article.Title
			}
			start, _, _, _ := token.CoreSpan(s, int(mark.skip))
			spans = append(spans, Span{Field: field, Start: int(start), End: int(token.End)})
		}
		open += mark.joins
	}
	return spans
}
