// Package kb is the knowledge base of entities: who and what has a known id,
// with names in Arabic, French and English. It is read-only and holds no
// global state; [Load] builds it from embedded tables, whose sources and
// licences are in data/NOTICE.md and whose converter is internal/kbbuild.
//
// Names are kept as sequences of folded words (see pkg/text), so that a
// hyphenated name is one key and never its parts. Nothing in the look-up
// depends on the type of an entity.
package kb

import (
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
)

// Kind ranks entries of type place. Other types have the zero Kind.
type Kind uint8

// The kinds of places.
const (
	NoKind   Kind = iota
	Country       // a state or territory with an ISO 3166-1 code
	Capital       // the seat of government of a state
	Region        // a part of the world, a sea, a river, a disputed or historical territory
	Division      // a first-level part of a state
	City
)

// Entry is an entity of the base. Entries are shared and must not be changed.
type Entry struct {
	ID         string // Q-id where it is sound, else a local id such as "geonames:2553604"
	QID        string // "" where unknown
	Type       article.EntityType
	Kind       Kind
	Country    string // ISO 3166-1 alpha-2, of places that lie in one country
	Location   *article.Location
	Population int
	labels     [languages]string
}

// The languages of labels, in the order of Entry.labels.
const (
	arabic = iota
	french
	english
	languages
)

func slot(lang string) int {
	base, _, _ := strings.Cut(lang, "-")
	switch base {
	case "ar":
		return arabic
	case "fr":
		return french
	case "en":
		return english
	}
	return -1
}

// Label is the name of e in a language (BCP 47; regions are ignored), else
// the English, French or Arabic one, in this order. No entry lacks all three.
func (e *Entry) Label(lang string) string {
	if i := slot(lang); i >= 0 && e.labels[i] != "" {
		return e.labels[i]
	}
	for _, i := range [...]int{english, french, arabic} {
		if e.labels[i] != "" {
			return e.labels[i]
		}
	}
	return ""
}

// Labels gives the names of e by language ("ar", "fr", "en"), those that are
// known. The map is the caller's.
func (e *Entry) Labels() map[string]string {
	m := make(map[string]string, languages)
	for i, lang := range [...]string{"ar", "fr", "en"} {
		if e.labels[i] != "" {
			m[lang] = e.labels[i]
		}
	}
	return m
}

// Base is the knowledge base. It is safe for concurrent use.
type Base struct {
	entries  []*Entry
	byID     map[string]*Entry
	names    trie
	demonyms map[string]string // folded adjective → country
}

// Len counts the entries.
func (b *Base) Len() int { return len(b.entries) }

// Entry finds an entry by its id.
func (b *Base) Entry(id string) (*Entry, bool) {
	e, ok := b.byID[id]
	return e, ok
}

// Label is the name of the entry with an id, as [Entry.Label], or "" if there
// is none.
func (b *Base) Label(id, lang string) string {
	if e, ok := b.byID[id]; ok {
		return e.Label(lang)
	}
	return ""
}

// Demonym gives the country (ISO 3166-1 alpha-2) that a folded nationality
// adjective speaks of, or "". Such words are never places, but they tell
// which of two places of one name is meant.
func (b *Base) Demonym(form string) string { return b.demonyms[form] }
