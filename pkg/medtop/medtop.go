// Package medtop is the vocabulary of IPTC Media Topics, read-only: the tree
// and its labels in English, Arabic, French and Spanish. Its source and
// licence (CC BY 4.0) are in data/NOTICE.md, its converter is internal/topicbuild.
//
// Ids are written "medtop:" and eight digits.
package medtop

import (
	_ "embed"
	"fmt"
	"strings"
)

// Prefix begins every id.
const Prefix = "medtop:"

//go:embed data/mediatopics.tsv
var table string

// Term is a Media Topic. Terms are shared and must not be changed.
type Term struct {
	ID        string // "medtop:20000103"
	Parent    string // id of the next broader term, "" for the 17 top terms
	Retired   bool   // no longer to be given to articles
	Successor string // id of the live term that takes the place of a retired one; "" where IPTC names none
	labels    [4]string
}

// Label is the name of t in a language (BCP 47; regions are ignored), else in
// English.
func (t *Term) Label(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	for i, l := range [...]string{"en", "ar", "fr", "es"} {
		if l == base && t.labels[i] != "" {
			return t.labels[i]
		}
	}
	return t.labels[0]
}

// Vocabulary is all of the Media Topics. It is safe for concurrent use.
type Vocabulary struct {
	terms map[string]*Term
	order []*Term
}

// Load reads the embedded table.
func Load() (*Vocabulary, error) {
	v := &Vocabulary{terms: map[string]*Term{}}
	n := 0
	for line := range strings.Lines(table) {
		if n++; n == 1 {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 8 {
			return nil, fmt.Errorf("media topics, line %d: %d fields, want 8", n, len(f))
		}
		t := &Term{ID: Prefix + f[0], Retired: f[2] != "", labels: [4]string(f[4:8])}
		if f[1] != "" {
			t.Parent = Prefix + f[1]
		}
		if f[3] != "" {
			t.Successor = Prefix + f[3]
		}
		v.terms[t.ID] = t
		v.order = append(v.order, t)
	}
	for _, t := range v.order {
		if t.Parent != "" && v.terms[t.Parent] == nil {
			return nil, fmt.Errorf("media topics: %s lacks its parent %s", t.ID, t.Parent)
		}
	}
	return v, nil
}

// Term finds a term by its id.
func (v *Vocabulary) Term(id string) (*Term, bool) {
	t, ok := v.terms[id]
	return t, ok
}

// All lists the terms by id.
func (v *Vocabulary) All() []*Term { return append([]*Term(nil), v.order...) }

// Broader lists the ids of all broader terms, the nearest first; nil for a top
// term and for an unknown id.
func (v *Vocabulary) Broader(id string) []string {
	var out []string
	for t := v.terms[id]; t != nil && t.Parent != "" && len(out) < 8; t = v.terms[t.Parent] {
		out = append(out, t.Parent)
	}
	return out
}

// Label is the name of the term with an id, as [Term.Label], or "" if there is
// none.
func (v *Vocabulary) Label(id, lang string) string {
	if t, ok := v.terms[id]; ok {
		return t.Label(lang)
	}
	return ""
}
