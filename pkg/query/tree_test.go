package query

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// equal compares trees but for positions.
func equal(a, b Node) bool { return equalAt(a, b, false) }

func equalAt(a, b Node, positions bool) bool {
	all := func(a, b []Node) bool {
		return slices.EqualFunc(a, b, func(a, b Node) bool { return equalAt(a, b, positions) })
	}
	at := func(a, b Pos) bool { return a == b || !positions }
	switch a := a.(type) {
	case And:
		b, ok := b.(And)
		return ok && all(a.Of, b.Of)
	case Or:
		b, ok := b.(Or)
		return ok && all(a.Of, b.Of)
	case Not:
		b, ok := b.(Not)
		return ok && equalAt(a.Of, b.Of, positions)
	case Term:
		b, ok := b.(Term)
		return ok && a.Field == b.Field && a.Form == b.Form && a.Prefix == b.Prefix && at(a.Pos, b.Pos)
	case Phrase:
		b, ok := b.(Phrase)
		return ok && a.Field == b.Field && slices.Equal(a.Forms, b.Forms) && at(a.Pos, b.Pos)
	case Keyword:
		b, ok := b.(Keyword)
		return ok && a.Field == b.Field && a.Value == b.Value && at(a.Pos, b.Pos)
	case All:
		_, ok := b.(All)
		return ok
	}
	return false
}

// valid checks what Root promises of a tree.
func valid(n Node) bool {
	switch n := n.(type) {
	case And:
		positive := false
		for _, child := range n.Of {
			_, and := child.(And)
			_, not := child.(Not)
			positive = positive || !not
			if and || !valid(child) {
				return false
			}
		}
		return positive && len(n.Of) > 1
	case Or:
		for _, child := range n.Of {
			_, or := child.(Or)
			_, not := child.(Not)
			if or || not || !valid(child) {
				return false
			}
		}
		return len(n.Of) > 1
	case Not:
		_, not := n.Of.(Not)
		return !not && valid(n.Of)
	case Phrase:
		return len(n.Forms) > 1
	}
	return true
}

var (
	someForms = []string{
		"a", "b", "maroc", "marocain", "iran", "1,5", "o'brien",
		"مغرب", "المغرب", "لمغرب", "الم", "الملك", "ملك", "ود", "للمغرب", "والد", "الد",
	}
	somePrefixes = []string{"mar", "maroc", "o'br", "مغر", "مغرب", "الم", "المغ", "المل", "لمغ", "للم", "وال", "ملك", "الد"}
	someValues   = map[Field][]string{
		Lang:          {"ar", "ar-ma", "fr"},
		Source:        {"afp", "le monde", `a"b`, "OR", "NEAR", "lang:fr", "é", "x:y"},
		SourceCountry: {"MA", "FR"},
		Country:       {"MA", "DZ"},
		Entity:        {"Q1028", "Q142", "own-1"},
		Topic:         {"medtop:16000000", "medtop:20000082", "own:football"},
	}
	textFields    = []Field{Any, Title, Body, Lead}
	keywordFields = []Field{Lang, Source, SourceCountry, Country, Entity, Topic}
)

func drawLeaf(t *rapid.T) Node {
	switch rapid.IntRange(0, 5).Draw(t, "leaf") {
	case 0:
		f := rapid.SampledFrom(keywordFields).Draw(t, "field")
		return Keyword{Field: f, Value: rapid.SampledFrom(someValues[f]).Draw(t, "value")}
	case 1:
		return Phrase{
			Field: rapid.SampledFrom(textFields).Draw(t, "field"),
			Forms: rapid.SliceOfN(rapid.SampledFrom(someForms), 2, 3).Draw(t, "forms"),
		}
	case 2:
		return Term{
			Field: rapid.SampledFrom(textFields).Draw(t, "field"),
			Form:  rapid.SampledFrom(somePrefixes).Draw(t, "prefix"), Prefix: true,
		}
	default:
		return Term{
			Field: rapid.SampledFrom(textFields).Draw(t, "field"),
			Form:  rapid.SampledFrom(someForms).Draw(t, "form"),
		}
	}
}

// drawTree draws a positive tree of that height at most. With and or or it is
// not of that kind.
func drawTree(t *rapid.T, height int, and, or bool) Node {
	kind := 0
	if height > 0 {
		kind = rapid.IntRange(0, 2).Draw(t, "kind")
	}
	if kind == 1 && !and {
		of := []Node{drawTree(t, height-1, true, false)}
		for range rapid.IntRange(1, 3).Draw(t, "operands") {
			if rapid.Bool().Draw(t, "not") {
				of = append(of, Not{Of: drawTree(t, height-1, false, false)})
			} else {
				of = append(of, drawTree(t, height-1, true, false))
			}
		}
		return And{Of: rapid.Permutation(of).Draw(t, "order")}
	}
	if kind == 2 && !or {
		of := []Node{drawTree(t, height-1, false, true), drawTree(t, height-1, false, true)}
		if rapid.Bool().Draw(t, "third") {
			of = append(of, drawTree(t, height-1, false, true))
		}
		return Or{Of: of}
	}
	return drawLeaf(t)
}

func TestTreesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := drawTree(t, 4, false, false)
		if !valid(tree) {
			t.Fatalf("the generator drew %s", format(tree))
		}
		s := format(tree)
		q, err := Parse(s)
		if err != nil {
			t.Fatalf("Parse(%q): %v", s, err)
		}
		if !equal(q.Root(), tree) || q.String() != s {
			t.Fatalf("%q comes back as %q", s, q)
		}
	})
}
