package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/text"
	"pgregory.net/rapid"
)

// naive says by text.Expand, as a search backend does, and without an index
// whether n holds.
func naive(a *article.Article, n Node) bool {
	switch n := n.(type) {
	case And:
		for _, child := range n.Of {
			if !naive(a, child) {
				return false
			}
		}
		return true
	case Or:
		return slices.ContainsFunc(n.Of, func(child Node) bool { return naive(a, child) })
	case Not:
		return !naive(a, n.Of)
	case Term:
		for _, words := range naiveFields(a, n.Field) {
			for _, w := range words {
				if naiveWord(w, n.Form, n.Prefix) {
					return true
				}
			}
		}
		return false
	case Phrase:
		for _, words := range naiveFields(a, n.Field) {
			for i := range words {
				if naivePhrase(words[i:], n.Forms) {
					return true
				}
			}
		}
		return false
	case Keyword:
		return slices.Contains(naiveValues(a, n.Field), n.Value)
	}
	return true
}

func naiveWord(word, form string, prefix bool) bool {
	return slices.ContainsFunc(text.Expand(form), func(e string) bool {
		return word == e || prefix && strings.HasPrefix(word, e)
	})
}

func naivePhrase(words, forms []string) bool {
	for i, form := range forms {
		if i >= len(words) || !naiveWord(words[i], form, false) {
			return false
		}
	}
	return true
}

func naiveFields(a *article.Article, f Field) [][]string {
	from, to := LeadOf(a.Body)
	all := map[Field]string{Title: a.Title, Body: a.Body, Lead: a.Body[from:to]}
	var fields [][]string
	for name, s := range all {
		if name == f || f == Any && name != Lead {
			fields = append(fields, strings.Fields(text.Join(s)))
		}
	}
	return fields
}

func naiveValues(a *article.Article, f Field) []string {
	var values []string
	switch f {
	case Lang:
		parts := strings.Split(strings.ToLower(a.Language), "-")
		for i := range parts {
			values = append(values, strings.Join(parts[:i+1], "-"))
		}
	case Source:
		values = []string{a.Source.ID}
	case SourceCountry:
		values = []string{a.Source.Country}
	case Country, Entity:
		for _, e := range a.Entities {
			if values = append(values, e.ID); f == Country {
				values[len(values)-1] = e.Country
			}
		}
	case Topic:
		for _, t := range a.Topics {
			values = append(append(values, t.ID), t.Broader...)
		}
	}
	return values
}

// drawWord draws a word, often an Arabic one with particles or one that some
// term asks for.
func drawWord(t *rapid.T) string {
	if rapid.Bool().Draw(t, "made up") {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"و", "ف", "ب", "ك", "ل", "ال", "لل", "م", "د", "غرب"}), 1, 6).Draw(t, "letters"), "")
	}
	particles := rapid.SampledFrom([]string{"", "", "و", "ب", "ال", "بال", "لل", "ولل", "فال"}).Draw(t, "particles")
	word := rapid.SampledFrom(append(someForms, somePrefixes...)).Draw(t, "word")
	if len(word) > 1 && word[0] < 0x80 {
		return word
	}
	return particles + word + rapid.SampledFrom([]string{"", "", "ي"}).Draw(t, "ending")
}

func drawText(t *rapid.T, label string) string {
	var b strings.Builder
	for range rapid.IntRange(0, 8).Draw(t, label) {
		b.WriteString(drawWord(t))
		b.WriteString(rapid.SampledFrom([]string{" ", " ", " ", "، ", " l'", "\n", " - ", " (1) – "}).Draw(t, "space"))
	}
	return b.String()
}

func drawArticle(t *rapid.T) *article.Article {
	a := &article.Article{
		Title:    drawText(t, "title"),
		Body:     drawText(t, "body"),
		Language: rapid.SampledFrom([]string{"", "ar", "ar-MA", "fr", "FR-be", "arz"}).Draw(t, "language"),
		Source: article.Source{
			ID:      rapid.SampledFrom(someValues[Source]).Draw(t, "source"),
			Country: rapid.SampledFrom(someValues[SourceCountry]).Draw(t, "country"),
		},
	}
	for range rapid.IntRange(0, 2).Draw(t, "entities") {
		a.Entities = append(a.Entities, article.Entity{
			ID:      rapid.SampledFrom(someValues[Entity]).Draw(t, "entity"),
			Country: rapid.SampledFrom(append(someValues[Country], "")).Draw(t, "place"),
		})
		a.Topics = append(a.Topics, article.Topic{
			ID:      rapid.SampledFrom(someValues[Topic]).Draw(t, "topic"),
			Broader: rapid.SliceOfN(rapid.SampledFrom(someValues[Topic]), 0, 2).Draw(t, "broader"),
		})
	}
	return a
}

func TestMatchIsNaive(t *testing.T) {
	d := NewDoc(nil)
	rapid.Check(t, func(t *rapid.T) {
		a := drawArticle(t)
		d.Reset(a)
		for range 8 {
			tree := drawTree(t, 2, false, false)
			q := &Query{root: tree}
			want := naive(a, tree)
			if got := q.Match(d); got != want {
				t.Fatalf("%s: %v, naive %v\ntitle %q\nbody %q", format(tree), got, want, a.Title, a.Body)
			}
			checkSpans(t, a, q, want, q.Spans(d))
		}
	})
}

// checkSpans checks that spans are in order and hold what a term asks for.
func checkSpans(t *rapid.T, a *article.Article, q *Query, match bool, spans []Span) {
	_, leaf := q.root.(Term)
	if _, phrase := q.root.(Phrase); (leaf || phrase) && match != (len(spans) > 0) || !match && len(spans) > 0 {
		t.Fatalf("%s: match %v, spans %v", format(q.root), match, spans)
	}
	for i, s := range spans {
		runes := []rune(a.Body)
		if s.Field == Title {
			runes = []rune(a.Title)
		}
		if s.Start >= s.End || s.End > len(runes) {
			t.Fatalf("%s: span %v of %d", format(q.root), s, len(runes))
		}
		if i > 0 && spans[i-1].Field == s.Field && spans[i-1].End > s.Start || i > 0 && spans[i-1].Field == Body && s.Field == Title {
			t.Fatalf("%s: spans %v", format(q.root), spans)
		}
		if term, ok := q.root.(Term); ok && !term.Prefix {
			if got := text.Fold(string(runes[s.Start:s.End])); !naiveWord(got, term.Form, false) && !naiveWord("ل"+got, term.Form, false) {
				t.Fatalf("%s: span %q", format(q.root), got)
			}
		}
	}
}
