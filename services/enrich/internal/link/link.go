// Package link finds the entities of the knowledge base that an article
// names, and decides between those that share a name.
//
// What counts as a mention: each outermost name in title and body; mentions
// never overlap; attached Arabic particles are left outside, ال and the second
// lam of لل are inside. Nationality adjectives and languages are never places.
package link

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/text"
)

// By is the value of [article.Entity.By] for what this package finds.
const By = "kb"

// maxMentions bounds the mentions listed per entity; [article.Entity.Count]
// counts all of them.
const maxMentions = 1000

// Linker is the stage. It is safe for concurrent use.
type Linker struct{ base *kb.Base }

// New makes a Linker over base.
func New(base *kb.Base) *Linker { return &Linker{base: base} }

// Name is the name of the stage.
func (*Linker) Name() string { return "link" }

// Apply sets the entities of a, the most salient first. It reads title, body
// and language, and returns the error of ctx alone.
func (l *Linker) Apply(ctx context.Context, a *article.Article) error {
	s := scan{base: l.base, support: map[string]int{}}
	for _, f := range []field{{name: "title", text: a.Title}, {name: "body", text: a.Body}} {
		if err := ctx.Err(); err != nil {
			return err
		}
		f.read()
		s.field(&f)
	}
	a.Entities = s.entities(a.Language)
	return nil
}

// field is a text and its tokens.
type field struct {
	name, text string
	tokens     []text.Token
	joined     []bool // tokens[i] may continue a name that tokens[i-1] is in
	headline   bool   // most words are capitalised: case says nothing
	lead       int32  // code points up to here are the first paragraph
}

// hit is a name found, before it is decided who bears it.
type hit struct {
	field      string
	start, end int32
	bytes      string // the text between them
	alias      *kb.Alias
	weight     float64
	cue        bool // something before it says that it is a place
	crowded    bool // beside another capitalised word that is no place
}

// scan is the work on one article.
type scan struct {
	base    *kb.Base
	hits    []hit
	support map[string]int // country → names and adjectives that speak for it alone
	cores   []text.Core
}

// field collects the hits of f.
func (s *scan) field(f *field) {
	for i := 0; i < len(f.tokens); {
		h, n := s.at(f, i)
		if n == 0 {
			s.adjective(f.tokens[i].Form)
			i++
			continue
		}
		if len(h.alias.Entries) > 0 && !s.crowdedOut(f, i, n, &h) {
			s.hits = append(s.hits, h)
			if e := sole(h.alias); e != "" && h.alias.Rule <= kb.Name {
				s.support[e]++
			}
		}
		i += n
	}
}

// sole is the country that all bearers of a name lie in, or "".
func sole(a *kb.Alias) string {
	country := a.Entries[0].Country
	for _, e := range a.Entries[1:] {
		if e.Country != country {
			return ""
		}
	}
	return country
}

// adjective lets a nationality word speak for its country.
func (s *scan) adjective(form string) {
	if country := s.base.Demonym(form); country != "" {
		s.support[country]++
		return
	}
	for _, c := range s.cores {
		if c.Skip > 0 && !c.Article {
			if country := s.base.Demonym(c.Form); country != "" {
				s.support[country]++
				return
			}
		}
	}
}

// at finds the longest name that begins at token i, behind as few particles
// as possible, and the number of its tokens; 0 if there is none.
func (s *scan) at(f *field, i int) (best hit, tokens int) {
	t := f.tokens[i]
	s.cores = s.cores[:0]
	if t.Script == text.Arabic {
		s.cores = text.AppendCores(s.cores, t.Form)
	} else {
		s.cores = append(s.cores, text.Core{Form: t.Form})
	}
	skip := math.MaxInt
	for _, c := range s.cores {
		if behindArticle(t.Form, c) {
			continue
		}
		s.base.Match(f.tokens, f.joined, i, c.Form, func(a *kb.Alias, n int) bool {
			if n < tokens || n == tokens && c.Skip >= skip || !admissible(f, a, i, n) {
				return false
			}
			best, tokens, skip = f.hit(a, i, n, c.Skip), n, c.Skip
			best.cue = best.cue || c.Skip > 0 && preposition(t.Form, c.Skip)
			return true
		})
	}
	return best, tokens
}

// admissible checks the spelling that folding has hidden.
func admissible(f *field, a *kb.Alias, i, n int) bool {
	if a.Rule == kb.Drop && len(a.Entries) > 0 {
		return false
	}
	first, last := f.tokens[i], f.tokens[i+n-1]
	switch {
	case a.Caps:
		return allUpper(f.text[first.ByteStart:last.ByteEnd])
	case !a.Latin:
		return true
	case a.Lower:
		return first.Upper || last.Upper
	}
	return first.Upper
}

// entities decides every hit and gathers the mentions of each entity.
func (s *scan) entities(lang string) []article.Entity {
	var out []article.Entity
	var weights []float64
	index := map[*kb.Entry]int{}
	total := 2.0 // what an article is about besides
	for _, h := range s.hits {
		e := s.decide(h, lang)
		if e == nil {
			continue
		}
		i, ok := index[e]
		if !ok {
			i = len(out)
			index[e] = i
			out = append(out, entity(e, lang))
			weights = append(weights, 0)
		}
		weights[i] += h.weight
		total += h.weight
		out[i].Count++
		if len(out[i].Mentions) < maxMentions {
			out[i].Mentions = append(out[i].Mentions, article.Mention{
				Field: h.field, Start: int(h.start), End: int(h.end), Text: h.bytes,
			})
		}
	}
	for i := range out {
		out[i].Salience = math.Floor(weights[i]/total*1000) / 1000
	}
	slices.SortStableFunc(out, func(x, y article.Entity) int { return cmp.Compare(y.Salience, x.Salience) })
	return out
}

func entity(e *kb.Entry, lang string) article.Entity {
	out := article.Entity{
		ID: e.ID, QID: e.QID, Type: e.Type, Name: e.Label(lang), Labels: e.Labels(), Country: e.Country, By: By,
	}
	if e.Location != nil {
		at := *e.Location
		out.Location = &at
	}
	return out
}
