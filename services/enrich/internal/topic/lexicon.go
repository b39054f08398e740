package topic

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/medtop"
	"github.com/marsad-news/marsad/pkg/text"
)

//go:embed lexicon/*.tsv
var lexicons embed.FS

// maxPhrase is the most words a phrase may have.
const maxPhrase = 5

// lexicon is the phrases of one language, as a trie over word patterns.
type lexicon struct {
	patterns patterns
	next     map[int64]int32 // node<<32 | pattern → node
	ends     []int32         // by node: the phrase that ends there, or -1
	inner    []bool          // by node: phrases go on from there
	phrases  [][]int32       // by phrase: its uses
	uses     []use
}

// use says what a phrase speaks for: weight 1 hints, 2 is good, 3 decides.
type use struct {
	topic  string
	weight float64
}

// loadLexicon reads lexicon/<lang>.tsv: Media Topic, weight, phrase. A word of
// a phrase that ends in "*" stands for all words that begin so.
func loadLexicon(lang string, topics *medtop.Vocabulary) (*lexicon, error) {
	name := "lexicon/" + lang + ".tsv"
	data, err := lexicons.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the lexicon: %w", err)
	}
	l := &lexicon{patterns: newPatterns(), next: map[int64]int32{}, ends: []int32{-1}, inner: []bool{false}}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if n == 1 || line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := l.add(line, topics); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", name, n, err)
		}
	}
	return l, nil
}

func (l *lexicon) add(line string, topics *medtop.Vocabulary) error {
	f := strings.Split(line, "\t")
	if len(f) != 3 {
		return fmt.Errorf("%d fields, want topic, weight and phrase", len(f))
	}
	id := medtop.Prefix + f[0]
	if t, ok := topics.Term(id); !ok || t.Retired {
		return fmt.Errorf("%s is no live Media Topic", f[0])
	}
	weight, err := strconv.ParseFloat(f[1], 64)
	if err != nil || weight <= 0 || weight > 3 {
		return fmt.Errorf("weight %q is not above 0 and at most 3", f[1])
	}
	var node int32
	words := strings.Fields(f[2])
	if len(words) == 0 || len(words) > maxPhrase {
		return fmt.Errorf("phrase %q has not 1 to %d words", f[2], maxPhrase)
	}
	for _, w := range words {
		stem, prefix := strings.CutSuffix(w, "*")
		folded := text.Join(stem)
		if folded == "" || strings.Contains(folded, " ") || prefix && utf8.RuneCountInString(folded) < minPrefix {
			return fmt.Errorf("%q is no single word, or too short a prefix", w)
		}
		l.inner[node] = true
		key := int64(node)<<32 | int64(l.patterns.add(folded, prefix))
		next, ok := l.next[key]
		if !ok {
			next = int32(len(l.ends))
			l.next[key] = next
			l.ends = append(l.ends, -1)
			l.inner = append(l.inner, false)
		}
		node = next
	}
	if l.ends[node] < 0 {
		l.ends[node] = int32(len(l.phrases))
		l.phrases = append(l.phrases, nil)
	}
	p := l.ends[node]
	for _, i := range l.phrases[p] {
		if l.uses[i].topic == id {
			return fmt.Errorf("%q is there twice for %s", f[2], f[0])
		}
	}
	l.phrases[p] = append(l.phrases[p], int32(len(l.uses)))
	l.uses = append(l.uses, use{topic: id, weight: weight})
	return nil
}

// minPrefix is the least length of a prefix, in code points.
const minPrefix = 3

// patterns are words and prefixes, by number.
type patterns struct {
	whole  map[string]int32
	prefix map[string]int32
	heads  map[string]uint64 // first minPrefix letters → set of the lengths of prefixes, in code points
	count  int32
}

func newPatterns() patterns {
	return patterns{whole: map[string]int32{}, prefix: map[string]int32{}, heads: map[string]uint64{}}
}

func (p *patterns) add(word string, prefix bool) int32 {
	m := p.whole
	if prefix {
		m = p.prefix
		p.heads[word[:cut(word, minPrefix)]] |= 1 << min(utf8.RuneCountInString(word), 63)
	}
	id, ok := m[word]
	if !ok {
		id = p.count
		p.count++
		m[word] = id
	}
	return id
}

// fits appends the numbers of the patterns that a folded word fits.
func (p *patterns) fits(dst []int32, word string) []int32 {
	if id, ok := p.whole[word]; ok {
		dst = append(dst, id)
	}
	lengths := p.heads[word[:cut(word, minPrefix)]]
	for n, end := minPrefix, cut(word, minPrefix); lengths>>n != 0; n++ {
		if lengths&(1<<n) != 0 {
			if id, ok := p.prefix[word[:end]]; ok {
				dst = append(dst, id)
			}
		}
		if end == len(word) {
			break
		}
		_, w := utf8.DecodeRuneInString(word[end:])
		end += w
	}
	return dst
}

// cut is the number of bytes of the first n code points of s.
func cut(s string, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		_, w := utf8.DecodeRuneInString(s[i:])
		i += w
	}
	return i
}
