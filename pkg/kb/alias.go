package kb

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/text"
)

// Rule says what must speak for a name before it counts as a mention.
type Rule uint8

// The rules, from lenient to strict.
const (
	Free    Rule = iota // the name alone is enough
	Name                // also a name of persons: not beside another capitalised word
	Context             // a cue before it, or another mention of the same country
	Support             // another mention of the same country
	Cue                 // a cue before it: "in", "city of", "إلى"
	Drop                // never; without entries: a longer name that hides those within
)

// Alias is a name and the entries that bear it, the most prominent first. It
// is shared and must not be changed.
type Alias struct {
	Entries []*Entry
	Rule    Rule
	Caps    bool // an abbreviation, only in capital letters
	Dotted  bool // ends in a full stop that belongs to it
	Lower   bool // may begin with a small letter ("mer Rouge")
	Elided  bool // begins with N', which the tokens of pkg/text leave out ("N'Djamena")
	Latin   bool
}

// trie holds names as paths of word numbers.
type trie struct {
	words    map[string]uint32
	children map[uint64]uint32 // node<<32 | word → node
	aliases  []*Alias          // by node; nil where no name ends
}

func newTrie() trie {
	return trie{words: map[string]uint32{}, children: map[uint64]uint32{}, aliases: make([]*Alias, 1)}
}

// add puts a name in and gives its alias, a new one if need be; nil if the
// name has no words.
func (t *trie) add(name string) *Alias {
	tokens := text.Tokens(name)
	if len(tokens) == 0 {
		return nil
	}
	var node uint32
	for _, tok := range tokens {
		word, ok := t.words[tok.Form]
		if !ok {
			word = uint32(len(t.words) + 1)
			t.words[strings.Clone(tok.Form)] = word
		}
		key := uint64(node)<<32 | uint64(word)
		next, ok := t.children[key]
		if !ok {
			next = uint32(len(t.aliases))
			t.aliases = append(t.aliases, nil)
			t.children[key] = next
		}
		node = next
	}
	if t.aliases[node] == nil {
		first, _ := utf8.DecodeRuneInString(name)
		t.aliases[node] = &Alias{Latin: tokens[0].Script == text.Latin, Lower: unicode.IsLower(first), Elided: tokens[0].Start == 2}
	}
	return t.aliases[node]
}

// find gives the alias of exactly this name, or nil.
func (t *trie) find(name string) *Alias {
	var node uint32
	for _, tok := range text.Tokens(name) {
		next, ok := t.children[uint64(node)<<32|uint64(t.words[tok.Form])]
		if !ok {
			return nil
		}
		node = next
	}
	return t.aliases[node]
}

// Match finds the names that begin at tokens[i] when this token is read as
// first (its form, or a core of it behind particles), the longest first; it
// calls accept with each and the number of tokens, until one is accepted.
// joined[j] says that tokens[j] may continue a name that tokens[j-1] is in.
func (b *Base) Match(tokens []text.Token, joined []bool, i int, first string, accept func(a *Alias, n int) bool) bool {
	word, ok := b.names.words[first]
	if !ok {
		return false
	}
	var found [maxWords]*Alias
	var node uint32
	n := 0
	for {
		next, ok := b.names.children[uint64(node)<<32|uint64(word)]
		if !ok {
			break
		}
		node = next
		found[n] = b.names.aliases[node]
		n++
		if j := i + n; n == maxWords || j >= len(tokens) || !joined[j] {
			break
		}
		if word, ok = b.names.words[tokens[i+n].Form]; !ok {
			break
		}
	}
	for ; n > 0; n-- {
		if a := found[n-1]; a != nil && accept(a, n) {
			return true
		}
	}
	return false
}

// maxWords bounds the words of a name; longer ones are refused at load.
const maxWords = 16

// Find gives the alias of a name, or nil: for tools and tests.
func (b *Base) Find(name string) *Alias { return b.names.find(name) }

// bear adds e to the bearers of a.
func (a *Alias) bear(e *Entry) {
	if !slices.Contains(a.Entries, e) {
		a.Entries = append(a.Entries, e)
	}
}
