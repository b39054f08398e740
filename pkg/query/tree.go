// Package query is Marsad's query language: one parse tree for search, the
// live stream's filter and alerts. Parse gives the tree, Match runs it over an
// article in memory, and the search backends translate it (see package
// search).
package query

// Field names what a term is compared with.
type Field string

// Text fields hold words; keyword fields hold whole values.
const (
	Any   Field = "" // title or body
	Title Field = "title"
	Body  Field = "body"
	Lead  Field = "lead" // first body paragraph after the dateline, see LeadOf

	Lang          Field = "lang"           // BCP 47, compared without case by whole subtags; "ar" also finds "ar-MA"
	Source        Field = "source"         // source id
	SourceCountry Field = "source.country" // ISO 3166-1 alpha-2
	Country       Field = "country"        // countries of the places mentioned, ISO 3166-1 alpha-2
	Entity        Field = "entity"         // entity id, such as Q142
	Topic         Field = "topic"          // medtop id; narrower topics are found too
)

// IsText tells whether f holds words rather than whole values.
func (f Field) IsText() bool { return f == Any || f == Title || f == Body || f == Lead }

// Node is one node of the parse tree: And, Or, Not, Term, Phrase, Keyword or
// All. Trees are immutable once parsed and safe for concurrent use.
type Node interface{ node() }

// And holds when all of Of hold.
type And struct{ Of []Node }

// Or holds when at least one of Of holds.
type Or struct{ Of []Node }

// Not holds when Of does not, anywhere in the article.
type Not struct{ Of Node }

// All holds for every article. It comes from the empty query alone.
type All struct{}

// Term holds when a word of Field matches: when the folded word is one of
// text.Expand(Form) or, of a prefix, begins with one of them.
//
// A prefix has three letters at least, so that what begins with one of
// text.Expand(Form) is the same as what has a core (text.AppendCores) that
// begins with Form, with one exception: of a prefix of ال and one letter, such
// as "الم", Expand does not restore the article that لل hides, because less
// than three letters of it would stand in the word. So الم* does not find
// للمغرب, and المغ* does.
type Term struct {
	Field  Field
	Form   string // folded, see text.Fold
	Prefix bool   // written with a trailing *
	Pos    Pos
}

// Phrase holds when the words stand next to one another in one field, in
// order. Each word matches as a Term without prefix does. Attached particles
// and elided articles are no words, so none stands between.
type Phrase struct {
	Field Field
	Forms []string // folded, at least two
	Pos   Pos
}

// Keyword holds when Field, a keyword field, has Value.
type Keyword struct {
	Field Field
	Value string // never empty; lang in lower case, countries in upper case, q142 as Q142, eight digits of a topic behind medtop:, others as written
	Pos   Pos
}

// Pos is the part of the query's text that a node came from, in Unicode code
// points, End exclusive.
type Pos struct{ Start, End int }

func (And) node()     {}
func (Or) node()      {}
func (Not) node()     {}
func (All) node()     {}
func (Term) node()    {}
func (Phrase) node()  {}
func (Keyword) node() {}
