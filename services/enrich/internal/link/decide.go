package link

import (
	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/text"
)

// decide names the bearer that is meant, or nil where the name is more likely
// an everyday word or a person.
func (s *scan) decide(h hit, lang string) *kb.Entry {
	e := s.bearer(h.alias, lang)
	supported := s.support[e.Country] > 0 && e.Country != ""
	switch h.alias.Rule {
	case kb.Name:
		if h.crowded {
			return nil
		}
	case kb.Context:
		if !h.cue && (!supported || h.crowded) {
			return nil
		}
	case kb.Support:
		if !supported {
			return nil
		}
	case kb.Cue:
		if !h.cue {
			return nil
		}
	}
	if h.crowded && weak(e) {
		return nil
	}
	return e
}

// weak says that e is not known widely enough to be recognised among other
// capitalised words.
func weak(e *kb.Entry) bool {
	switch e.Kind {
	case kb.City:
		return e.Population < 2_000_000
	case kb.Division:
		return true
	}
	return false
}

// bearer chooses among those who bear a name: the most prominent, unless
// another bears it in the article's language and the first does not, or only
// another's country is spoken of.
func (s *scan) bearer(a *kb.Alias, lang string) *kb.Entry {
	best := a.Entries[0]
	if len(a.Entries) == 1 {
		return best
	}
	name := text.Join(best.Label(lang))
	for _, e := range a.Entries[1:] {
		if e.Kind != kb.Capital || e.Country != best.Country {
			continue
		}
		if other := text.Join(e.Label(lang)); other != name && s.base.Find(other) == a {
			best, name = e, other
		}
	}
	if s.support[best.Country] > 0 {
		return best
	}
	most := 0
	for _, e := range a.Entries[1:] {
		if n := s.support[e.Country]; n > most {
			best, most = e, n
		}
	}
	return best
}
