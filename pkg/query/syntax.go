package query

import "fmt"

// Limits on a query. A longer, larger or deeper one is refused.
const (
	MaxLength  = 20000 // Unicode code points, also of the canonical form
	MaxClauses = 1024  // terms and keywords; each word of a phrase counts
	MaxDepth   = 64    // parentheses within one another
)

// SyntaxError says where a query is wrong and what to write instead.
type SyntaxError struct {
	Pos  Pos
	Msg  string // what is wrong
	Hint string // what to do; may be empty
}

// Error names the position as people count, from 1.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("query, character %d: %s", e.Pos.Start+1, e.Msg)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Query is a parsed query. It is immutable and safe for concurrent use.
type Query struct {
	root Node
	text string
}

// Root is the parse tree. And and Or have at least two operands and hold no
// operand of their own kind; of the operands of And at least one is no Not,
// those of Or and Not never are.
func (q *Query) Root() Node { return q.root }

// String gives the query in canonical form: folded, with operators and fields
// written out. Parsing it gives the same tree but for the positions. The
// canonical form of All is empty.
func (q *Query) String() string { return q.text }
