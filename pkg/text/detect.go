package text

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"
)

const (
	sampleBytes  = 4096 // what Detect reads of a text
	trigramBytes = 1024 // what of it goes to the trigram model, the slowest part
	undetermined = "und"
)

// Detector identifies the language of texts from their script, the letters
// and function words that set languages of one script apart, and a trigram
// model (whatlanggo). See docs/adr/0003-language-identification.md. It is safe
// for concurrent use.
type Detector struct {
	words    map[string]uint64 // function word → set of languages, by index in functionWords
	trigrams whatlanggo.Options
}

// NewDetector makes a Detector.
func NewDetector() *Detector {
	d := &Detector{
		words:    map[string]uint64{},
		trigrams: whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{}},
	}
	for i, l := range functionWords {
		for w := range strings.FieldsSeq(l.words) {
			d.words[w] |= 1 << i
		}
		if l.model >= 0 {
			d.trigrams.Whitelist[l.model] = true
		}
	}
	return d
}

// Detect gives the language of s as a BCP 47 tag ("ar", "fr", "ckb" …) and how
// sure that is, from 0 to 1. It is "und" with 0 where the text is too short or
// shows no language clearly: numbers, lists of names, romanised Arabic, most
// languages in Latin script that it does not know. It reads the first 4 KiB.
func (d *Detector) Detect(s string) (lang string, confidence float64) {
	s = prefix(s, sampleBytes)
	c := d.census(s)
	script, share := c.dominant()
	if share < 0.5 {
		return undetermined, 0
	}
	letters := c.letters[script]
	certainty := min(1, share*float64(letters)/40)
	switch script {
	case Greek, Hebrew, Hangul, Thai:
		if letters < 4 {
			return undetermined, 0
		}
		return map[Script]string{Greek: "el", Hebrew: "he", Hangul: "ko", Thai: "th"}[script], certainty
	case Han, Hiragana, Katakana:
		if letters < 4 {
			return undetermined, 0
		}
		if c.letters[Hiragana]+c.letters[Katakana] > letters/10 {
			return "ja", certainty
		}
		return "zh", certainty
	case Arabic:
		return c.arabic(certainty)
	case Latin, Cyrillic:
		return d.latin(s, c, certainty)
	}
	return d.rare(s)
}

// census is what is counted in a sample.
type census struct {
	words   int            // in scripts with function words
	letters [16]int        // by Script
	hits    [64]int        // function words, by index in functionWords
	scores  [64]float64    // the same, a word shared by n languages counting 1/n
	first   [64]string     // the first function word seen
	several uint64         // the languages of which different words were seen
	signs   map[string]int // letters that tell languages apart, by language
}

// census counts words and letters of s.
func (d *Detector) census(s string) *census {
	c := &census{signs: map[string]int{}}
	for _, tok := range Tokens(s) {
		surface := s[tok.ByteStart:tok.ByteEnd]
		n := utf8.RuneCountInString(surface)
		c.letters[tok.Script] += n
		if tok.Script != Latin && tok.Script != Arabic && tok.Script != Cyrillic {
			continue
		}
		c.words++
		if tok.Script == Arabic {
			countSigns(c.signs, surface)
			surface = tok.Form
		} else if tok.Script == Cyrillic {
			surface = strings.ToLower(surface)
			countSigns(c.signs, surface)
		} else if tok.Upper {
			surface = strings.ToLower(surface)
		}
		c.count(surface, d.words[surface])
	}
	return c
}

// count notes a function word of the languages in set.
func (c *census) count(word string, set uint64) {
	weight := 1 / float64(max(1, bits.OnesCount64(set)))
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		c.hits[i]++
		c.scores[i] += weight
		if c.first[i] == "" {
			c.first[i] = word
		} else if c.first[i] != word {
			c.several |= 1 << i
		}
	}
}

// dominant gives the script with the most letters and its share of all. Han
// and kana count double, for their words are short, and as one.
func (c *census) dominant() (Script, float64) {
	weights := c.letters
	weights[Han] = 2 * (weights[Han] + weights[Hiragana] + weights[Katakana])
	weights[Hiragana], weights[Katakana] = 0, 0
	best, total := Latin, 0
	for script, n := range weights {
		total += n
		if n > weights[best] {
			best = Script(script)
		}
	}
	if total == 0 {
		return Other, 0
	}
	c.letters[Han] += c.letters[Hiragana] + c.letters[Katakana]
	return best, float64(weights[best]) / float64(total)
}

// arabic tells the languages in Arabic script apart, by the letters that only
// some of them have and by function words.
func (c *census) arabic(certainty float64) (string, float64) {
	letters := float64(c.letters[Arabic])
	if letters < 10 || c.words < 2 {
		return undetermined, 0
	}
	best, bestScore, second := undetermined, 0.0, 0.0
	for i, l := range functionWords {
		if l.script != Arabic {
			continue
		}
		score := c.scores[i]/float64(c.words) + 2*float64(c.signs[l.tag])/letters
		if score > bestScore {
			best, bestScore, second = l.tag, score, bestScore
		} else {
			second = max(second, score)
		}
	}
	if bestScore < 0.02 { // neither signs nor words: short headlines are like that
		if c.words < 4 {
			return undetermined, 0
		}
		return "ar", 0.5 * certainty
	}
	if bestScore-second < 0.02 {
		return undetermined, 0
	}
	return best, certainty * min(1, 0.4+(bestScore-second)/bestScore)
}

// latin identifies Latin and Cyrillic text: by function words alone where they
// are clear, else with the trigram model, which always names a language and so
// is believed only if function words of it are there as well.
func (d *Detector) latin(s string, c *census, certainty float64) (string, float64) {
	if c.words < 3 {
		return undetermined, 0
	}
	words := float64(c.words)
	best, lead := c.leader(-1, 0)
	if best >= 0 && c.words >= 12 && lead >= 0.4 && float64(c.hits[best])/words >= 0.25 && c.varied(best) {
		return functionWords[best].tag, certainty * min(1, 0.4+lead)
	}
	info := whatlanggo.DetectWithOptions(prefix(s, trigramBytes), d.trigrams)
	best, lead = c.leader(info.Lang, info.Confidence)
	if best < 0 {
		return undetermined, 0
	}
	l := functionWords[best]
	share, agrees := float64(c.hits[best])/words, l.model == info.Lang
	switch {
	case agrees && share >= 0.08 && (c.varied(best) || c.words < 10):
	case share >= 0.2 && c.varied(best):
	case l.script == Cyrillic && agrees && c.letters[Cyrillic] >= 15 && share > 0:
	default:
		return undetermined, 0
	}
	return l.tag, certainty * min(1, 0.4+lead)
}

// leader gives the index of the Latin or Cyrillic language with most function
// words, and its lead over the second as a share of its score; -1 for none and
// for a tie. The language that the trigram model named counts for more.
func (c *census) leader(model whatlanggo.Lang, confidence float64) (best int, lead float64) {
	best, bestScore, second := -1, 0.0, 0.0
	for i, l := range functionWords {
		if l.script == Arabic {
			continue
		}
		score := (c.scores[i] + float64(c.hits[i])) / (2 * float64(c.words))
		if l.script == Cyrillic {
			score += float64(c.signs[l.tag]) / float64(c.letters[Cyrillic]+1)
		}
		if l.model >= 0 && l.model == model && score > 0 {
			score += 0.05 + 0.1*confidence
		}
		if score > bestScore {
			best, bestScore, second = i, score, bestScore
		} else {
			second = max(second, score)
		}
	}
	if best < 0 || bestScore-second < 0.03 {
		return -1, 0
	}
	return best, (bestScore - second) / bestScore
}

// varied says whether different function words of a language were seen: one
// word repeated proves little.
func (c *census) varied(i int) bool { return c.several>>i&1 == 1 }

// rare identifies what is written in other scripts, most of which serve one
// language.
func (d *Detector) rare(s string) (string, float64) {
	s = prefix(s, trigramBytes)
	if utf8.RuneCountInString(s) < 10 {
		return undetermined, 0
	}
	info := whatlanggo.Detect(s)
	tag := info.Lang.Iso6391()
	if info.Script == nil || tag == "" || info.Confidence < 0.2 {
		return undetermined, 0
	}
	return tag, info.Confidence
}

// prefix gives the first n bytes of s, without a code point cut in two.
func prefix(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
