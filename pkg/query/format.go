package query

import "strings"

// Operators by how tightly they bind.
const (
	inOr = iota
	inAnd
	inNot
)

// format gives the canonical form of a tree.
func format(n Node) string {
	var w writer
	_, isAnd := n.(And)
	_, isOr := n.(Or)
	// The parentheses of a field round the whole are not needed by the tree,
	// so they must not make it too deep.
	if f, same := commonField(n); (isAnd || isOr) && same && f != Any && depth(n, inOr) < MaxDepth {
		w.group(n, Any, false)
	} else {
		w.node(n, inOr, Any, false)
	}
	return w.String()
}

type writer struct{ strings.Builder }

// node writes n as an operand of an operator. Within a group of a field the
// field is not written again.
func (w *writer) node(n Node, in int, f Field, scoped bool) {
	if needsGroup(n, in) {
		w.group(n, f, scoped)
		return
	}
	switch n := n.(type) {
	case And:
		w.list(n.Of, " AND ", inAnd, f, scoped)
	case Or:
		w.list(n.Of, " OR ", inOr, f, scoped)
	case Not:
		w.WriteString("NOT ")
		w.node(n.Of, inNot, f, scoped)
	case Term:
		w.field(n.Field, scoped)
		w.term(n)
	case Phrase:
		w.field(n.Field, scoped)
		w.WriteString(`"` + strings.Join(n.Forms, " ") + `"`)
	case Keyword:
		w.field(n.Field, scoped)
		w.WriteString(quoteValue(n.Value))
	}
}

func (w *writer) list(of []Node, operator string, in int, f Field, scoped bool) {
	for i, n := range of {
		if i > 0 {
			w.WriteString(operator)
		}
		w.node(n, in, f, scoped)
	}
}

// group writes n in parentheses, with the field before them if its terms have
// but one.
func (w *writer) group(n Node, f Field, scoped bool) {
	if common, same := commonField(n); !scoped && same && common != Any {
		f, scoped = common, true
		w.field(f, false)
	}
	w.WriteByte('(')
	w.node(n, inOr, f, scoped)
	w.WriteByte(')')
}

func (w *writer) field(f Field, scoped bool) {
	if f != Any && !scoped {
		w.WriteString(string(f))
		w.WriteByte(':')
	}
}

func (w *writer) term(t Term) {
	if strings.Contains(t.Form, ",") && !t.Prefix {
		w.WriteString(`"` + t.Form + `"`)
		return
	}
	w.WriteString(t.Form)
	if t.Prefix {
		w.WriteByte('*')
	}
}

// needsGroup tells whether n must stand in parentheses as an operand.
func needsGroup(n Node, in int) bool {
	switch n.(type) {
	case Or:
		return in > inOr
	case And:
		return in > inAnd
	}
	return false
}

// depth counts the parentheses within one another that n needs.
func depth(n Node, in int) int {
	deepest, own := 0, 0
	if needsGroup(n, in) {
		own = 1
	}
	var of []Node
	switch n := n.(type) {
	case And:
		of, in = n.Of, inAnd
	case Or:
		of, in = n.Of, inOr
	case Not:
		of, in = []Node{n.Of}, inNot
	}
	for _, child := range of {
		deepest = max(deepest, depth(child, in))
	}
	return own + deepest
}

// commonField gives the field that all terms below n have.
func commonField(n Node) (f Field, same bool) {
	var of []Node
	switch n := n.(type) {
	case Term:
		return n.Field, true
	case Phrase:
		return n.Field, true
	case Keyword:
		return n.Field, true
	case Not:
		return commonField(n.Of)
	case And:
		of = n.Of
	case Or:
		of = n.Of
	}
	for i, child := range of {
		g, ok := commonField(child)
		if !ok || i > 0 && g != f {
			return Any, false
		}
		f = g
	}
	return f, len(of) > 0
}

// quoteValue writes a keyword's value, in quotes where it needs them. Values
// come out of some pair of quotes at least, so one of the three will do.
func quoteValue(v string) string {
	_, reserved := reservedWord(v)
	_, fielded := fieldBefore(v)
	plain := isASCII(v, func(r rune) bool { return isAlphanumeric(r) || strings.ContainsRune(":._/-@", r) })
	if plain && !reserved && !fielded && !isOperator(v) && !reservedFunction(v) {
		return v
	}
	switch {
	case !strings.Contains(v, `"`):
		return `"` + v + `"`
	case !strings.Contains(v, "”"):
		return "“" + v + "”"
	default:
		return "«" + v + "»"
	}
}
