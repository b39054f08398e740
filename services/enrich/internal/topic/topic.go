// Package topic gives articles their IPTC Media Topics: those whose words, by
// a lexicon of the article's language, are there in sufficient weight. Each
// topic names the words that gave it.
package topic

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/medtop"
	"github.com/marsad-news/marsad/pkg/text"
)

const (
	threshold    = 0.5  // least score of a topic that is given
	topThreshold = 0.65 // of a top term that only words of narrower terms speak for
	scale        = 4.0  // weight at which the score is 1 - 1/e
	repeat       = 0.35 // what each repetition of a phrase adds, as a share of its weight
	maxRepeat    = 3    // repetitions that count
	titleFactor  = 1.6  // of a phrase that is in the title
	normal       = 150  // words of an article whose weights count in full; longer ones need more
	maxNormal    = 2.2  // how much more at most
	upward       = 0.6  // share of its weight that a phrase lends to broader topics
	maxTopics    = 12
	maxEvidence  = 8
	maxBody      = 20_000 // words of the body that are read
)

// Classifier is the stage. It is safe for concurrent use.
type Classifier struct {
	topics   *medtop.Vocabulary
	lexicons map[string]*lexicon // by language
	broader  map[string][]string // for each topic of the lexicons
}

// New makes a Classifier from the embedded lexicons; an error names the line
// that is wrong.
func New(topics *medtop.Vocabulary) (*Classifier, error) {
	c := &Classifier{topics: topics, lexicons: map[string]*lexicon{}, broader: map[string][]string{}}
	for _, lang := range []string{"ar", "fr", "en"} {
		l, err := loadLexicon(lang, topics)
		if err != nil {
			return nil, err
		}
		c.lexicons[lang] = l
		for _, u := range l.uses {
			if c.broader[u.topic] == nil {
				c.broader[u.topic] = topics.Broader(u.topic)
			}
		}
	}
	return c, nil
}

// Name is the name of the stage.
func (*Classifier) Name() string { return "topic" }

// Apply sets the topics of a, the highest score first; none for languages
// without a lexicon. It reads title, body and language.
func (c *Classifier) Apply(ctx context.Context, a *article.Article) error {
	a.Topics = nil
	base, _, _ := strings.Cut(a.Language, "-")
	l := c.lexicons[base]
	if l == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	s := scan{lexicon: l, found: map[int32]*sighting{}}
	words := s.read(a.Title, true) + s.read(a.Body, false)
	a.Topics = c.judge(s.found, l, words)
	return ctx.Err()
}

// tally is the evidence for one topic.
type tally struct {
	weight   float64 // of the phrases of the topic itself
	lent     float64 // by narrower topics
	decisive bool    // a phrase of weight 3 is among them
	strong   bool    // … in the title or repeated: it would do alone
	evidence []share
}

type share struct {
	weight float64
	word   string
}

// judge scores what was found.
func (c *Classifier) judge(found map[int32]*sighting, l *lexicon, words int) []article.Topic {
	tallies := map[string]*tally{}
	get := func(id string) *tally {
		t := tallies[id]
		if t == nil {
			t = &tally{}
			tallies[id] = t
		}
		return t
	}
	for _, id := range slices.Sorted(keys(found)) {
		s, u := found[id], l.uses[id]
		w := u.weight * (1 + repeat*float64(min(s.count-1, maxRepeat)))
		if s.title {
			w *= titleFactor
		}
		t := get(u.topic)
		t.weight += w
		t.decisive = t.decisive || u.weight >= 3
		t.strong = t.strong || u.weight >= 3 && (s.title || s.count > 1)
		t.evidence = append(t.evidence, share{w, s.word})
		for _, b := range c.broader[u.topic] {
			up := get(b)
			up.lent += w * upward
			up.evidence = append(up.evidence, share{w * upward, s.word})
		}
	}
	return c.choose(tallies, math.Min(maxNormal, math.Max(1, math.Sqrt(float64(words)/normal))))
}

// choose lists the topics over the threshold. A broader topic is given only
// where no narrower one of it is, and by the words of narrower ones only if it
// is a top term.
func (c *Classifier) choose(tallies map[string]*tally, length float64) []article.Topic {
	var out []article.Topic
	given := map[string]bool{}
	ids := slices.SortedFunc(keys(tallies), func(x, y string) int {
		return cmp.Or(len(c.topics.Broader(y))-len(c.topics.Broader(x)), strings.Compare(x, y))
	})
	for _, id := range ids {
		t := tallies[id]
		weight := t.weight
		if given[id] {
			continue
		}
		evidence := words(t.evidence)
		top := len(c.topics.Broader(id)) == 0
		if top {
			weight += t.lent
		} else if t.weight == 0 {
			continue
		}
		score := 1 - math.Exp(-weight/length/scale)
		enough := t.strong || t.decisive && len(evidence) > 1 || len(evidence) > 2 && (t.weight > 0 || score >= topThreshold)
		if score < threshold || !enough {
			continue
		}
		broader := c.topics.Broader(id)
		for _, b := range broader {
			given[b] = true
		}
		out = append(out, article.Topic{
			ID: id, Name: c.topics.Label(id, "en"), Broader: broader,
			Score: math.Round(score*1000) / 1000, Evidence: evidence,
		})
	}
	slices.SortStableFunc(out, func(x, y article.Topic) int { return cmp.Compare(y.Score, x.Score) })
	return out[:min(len(out), maxTopics)]
}

// words lists the words of the heaviest evidence, each once.
func words(evidence []share) []string {
	slices.SortStableFunc(evidence, func(x, y share) int { return cmp.Compare(y.weight, x.weight) })
	var out []string
	for _, e := range evidence {
		if len(out) < maxEvidence && !slices.Contains(out, e.word) {
			out = append(out, e.word)
		}
	}
	return out
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// sighting is what was seen of a use of a phrase.
type sighting struct {
	count int
	title bool
	word  string // as first written
}

// scan is the work on one article.
type scan struct {
	*lexicon
	found   map[int32]*sighting // by number of the use
	at      [][]int32           // the patterns that each token fits
	cores   []text.Core
	matches []match
}

// match is a phrase over the tokens first to last.
type match struct{ phrase, first, last int32 }

// read looks for phrases in a field and counts its words.
func (s *scan) read(field string, title bool) int {
	tokens := text.Tokens(field)
	if len(tokens) > maxBody {
		tokens = tokens[:maxBody]
	}
	s.at, s.matches = s.at[:0], s.matches[:0]
	var flat []int32
	for _, t := range tokens {
		n := len(flat)
		flat = s.fits(flat, t)
		s.at = append(s.at, flat[n:len(flat):len(flat)])
	}
	for i := range tokens {
		s.walk(0, int32(i), int32(i))
	}
	slices.SortFunc(s.matches, func(x, y match) int { return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(y.last, x.last)) })
	end := map[string]int32{} // per topic: behind its last phrase, so that none counts within another
	for _, m := range s.matches {
		for _, id := range s.phrases[m.phrase] {
			u := s.uses[id]
			if m.first < end[u.topic] {
				continue
			}
			end[u.topic] = m.last + 1
			s.see(id, field[tokens[m.first].ByteStart:tokens[m.last].ByteEnd], title)
		}
	}
	return len(tokens)
}

// fits appends the patterns that t fits, behind particles too.
func (s *scan) fits(dst []int32, t text.Token) []int32 {
	if t.Script != text.Arabic {
		return s.patterns.fits(dst, t.Form)
	}
	s.cores = text.AppendCores(s.cores[:0], t.Form)
	n := len(dst)
	for _, c := range s.cores {
		dst = s.patterns.fits(dst, c.Form)
	}
	slices.Sort(dst[n:])
	return dst[:n+len(slices.Compact(dst[n:]))]
}

// walk collects the phrases that begin at token first and have come to token i.
func (s *scan) walk(node, first, i int32) {
	for _, p := range s.at[i] {
		next, ok := s.next[int64(node)<<32|int64(p)]
		if !ok {
			continue
		}
		if id := s.ends[next]; id >= 0 {
			s.matches = append(s.matches, match{id, first, i})
		}
		if s.inner[next] && int(i)+1 < len(s.at) {
			s.walk(next, first, i+1)
		}
	}
}

func (s *scan) see(id int32, word string, title bool) {
	f := s.found[id]
	if f == nil {
		f = &sighting{word: word}
		s.found[id] = f
	}
	f.count++
	f.title = f.title || title
}
