package enrich

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/text"
	"pgregory.net/rapid"
)

const (
	sampleAR = "المغرب وفرنسا تعززان التعاون الأمني ضد الإرهاب\nالرباط - بحث المدير العام للأمن الوطني المغربي مع نظيرته الفرنسية سبل مواجهة المخاطر الإرهابية. " +
		"وقالت الشرطة إن تفكيك خلية إرهابية جرى بالمغرب وبتنسيق مع إسبانيا والبرتغال، وإن شبكات تهريب المخدرات والجريمة المنظمة تبقى مصدر قلق لباريس وللمغرب على السواء.\n" +
		"وأوضح البيان أن البلدين اتفقا على عقد اجتماع في واشنطن بحضور مسؤولين من بلجيكا وكندا ولبنان."
	sampleFR = "Séisme au Maroc : la France et l'Espagne envoient des secouristes\nRABAT, 9 septembre (AFP) - Un séisme de magnitude 6,8 a frappé la région de Marrakech. " +
		"Les secouristes cherchent des survivants sous les décombres, et des répliques ont été ressenties jusqu'à Casablanca et Agadir.\n" +
		"À Paris, le ministre a annoncé une aide. Les États-Unis, la Côte d'Ivoire et le Royaume-Uni ont proposé leur soutien."
	sampleEN = "Morocco votes in general election\nRABAT (Reuters) - Polling stations opened on Wednesday across Morocco, from Tangier to Laayoune, with voters choosing a new parliament. " +
		"Candidates had campaigned on inflation and jobs.\nThe U.S. and the UK said they would follow the vote. Turnout in Casablanca was low, the Moroccan interior ministry said."
)

func newTestEnricher(tb testing.TB) *Enricher {
	tb.Helper()
	e, err := NewEnricher()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func enrichText(tb testing.TB, e *Enricher, s string) article.Article {
	tb.Helper()
	title, body, _ := strings.Cut(s, "\n")
	a := article.Article{ID: "a", Title: title, Body: body}
	if err := e.Enrich(context.Background(), &a); err != nil {
		tb.Fatal(err)
	}
	return a
}

func TestEnrich(t *testing.T) {
	e := newTestEnricher(t)
	for _, c := range []struct {
		text, lang string
		places     []string // all of them, by Q-id or English label
		topics     []string // among those given
	}{
		{sampleAR, "ar", []string{"Q1028", "Q142", "Q29", "Q45", "Q3551", "Q90", "Q61", "Q31", "Q16", "Q822"},
			[]string{"medtop:20000103", "medtop:20000129"}},
		{sampleFR, "fr", []string{"Q1028", "Q142", "Q29", "Q3551", "Q90", "Q30", "Q1008", "Q145", "Marrakesh", "Casablanca", "Agadir"},
			[]string{"medtop:20000153"}},
		{sampleEN, "en", []string{"Q1028", "Q3551", "Q30", "Q145", "Tangier", "Laayoune", "Casablanca"},
			[]string{"medtop:20000574"}},
		{"", "und", nil, nil},
	} {
		a := enrichText(t, e, c.text)
		if a.Language != c.lang || a.Generation != Generation {
			t.Errorf("%.30q: language %s, generation %d", c.text, a.Language, a.Generation)
		}
		var got []string
		for _, e := range a.Entities {
			if e.QID != "" {
				got = append(got, e.QID)
			} else {
				got = append(got, e.Labels["en"])
			}
		}
		slices.Sort(got)
		slices.Sort(c.places)
		if !slices.Equal(got, c.places) {
			t.Errorf("%.30q: places %v, want %v", c.text, got, c.places)
		}
		for _, want := range c.topics {
			if !slices.ContainsFunc(a.Topics, func(t article.Topic) bool { return t.ID == want && len(t.Evidence) > 0 }) {
				t.Errorf("%.30q: topic %s is missing in %+v", c.text, want, a.Topics)
			}
		}
		checkArticle(t, &a)
	}
}

// checkArticle holds what is true of every enriched article.
func checkArticle(tb interface{ Errorf(string, ...any) }, a *article.Article) {
	type span struct {
		field      string
		start, end int
	}
	var spans []span
	salience := 0.0
	for _, e := range a.Entities {
		salience += e.Salience
		if e.ID == "" || e.Name == "" || e.Count < len(e.Mentions) || len(e.Mentions) == 0 || e.By == "" {
			tb.Errorf("incomplete entity %+v", e)
		}
		for _, m := range e.Mentions {
			field := a.Body
			if m.Field == "title" {
				field = a.Title
			}
			if got := cutPoints(field, m.Start, m.End); got != m.Text || m.Text == "" {
				tb.Errorf("%s[%d:%d] is %q, the mention says %q", m.Field, m.Start, m.End, got, m.Text)
			}
			spans = append(spans, span{m.Field, m.Start, m.End})
		}
	}
	if salience > 1 {
		tb.Errorf("salience sums to %v", salience)
	}
	slices.SortFunc(spans, func(x, y span) int {
		if x.field != y.field {
			return strings.Compare(x.field, y.field)
		}
		return x.start - y.start
	})
	for i := 1; i < len(spans); i++ {
		if p, q := spans[i-1], spans[i]; p.field == q.field && q.start < p.end {
			tb.Errorf("mentions overlap: %v %v", p, q)
		}
	}
	folded := text.Fold(a.Title + "\n" + a.Body)
	for _, t := range a.Topics {
		if t.Score < 0 || t.Score > 1 || len(t.Evidence) == 0 {
			tb.Errorf("topic %+v", t)
		}
		for _, w := range t.Evidence {
			if !strings.Contains(a.Title+"\n"+a.Body, w) && !strings.Contains(folded, text.Fold(w)) {
				tb.Errorf("evidence %q of %s is not in the text", w, t.ID)
			}
		}
	}
}

// cutPoints is s[start:end] in code points; a broken byte counts as one.
func cutPoints(s string, start, end int) string {
	n, from, to := 0, -1, len(s)
	for i := 0; i <= len(s); {
		if n == start {
			from = i
		}
		if n == end {
			to = i
			break
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		if w == 0 {
			break
		}
		i += w
		n++
	}
	if from < 0 || from > to {
		return ""
	}
	return s[from:to]
}

func TestEnrichProperties(t *testing.T) {
	e := newTestEnricher(t)
	pieces := []string{"المغرب", "وللمغرب", "بفَرنسا", "لِلجـزائر", "U.S.", "the UK.", "Côte d’Ivoire", "N'Djamena", "New York", "عمان", "-", "\n", " ", "\u200f", "\xff",
		"Guinea-Bissau", "mer Rouge", "École", "الإرهاب", "مكافحة", "police", "(", "élection", "日本", "🇲🇦", "e\u0301", "ﷲ", "ﻻ"}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(pieces), rapid.String()), 0, 30).Draw(t, "words")
		lang := rapid.SampledFrom([]string{"", "ar", "fr", "en", "de", "xx-bad-", "AR_ma"}).Draw(t, "lang")
		half := len(words) / 2
		a := article.Article{Title: strings.Join(words[:half], " "), Body: strings.Join(words[half:], " "), Language: lang}
		if err := e.Enrich(context.Background(), &a); err != nil {
			t.Fatal(err)
		}
		checkArticle(t, &a)
	})
}

func FuzzEnrich(f *testing.F) {
	e := newTestEnricher(f)
	for _, s := range []string{sampleAR, sampleFR, sampleEN, "", "U.S.", "\xff\xfe المغرب", strings.Repeat("تونس ", 50), "\u202eParis\u202c", "N’Djamena"} {
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, s, lang string) {
		title, body, _ := strings.Cut(s, "\n")
		a := article.Article{Title: title, Body: body, Language: lang}
		if err := e.Enrich(context.Background(), &a); err != nil {
			t.Fatal(err)
		}
		checkArticle(t, &a)
	})
}

func BenchmarkEnrich(b *testing.B) {
	e := newTestEnricher(b)
	var texts []article.Article
	tokens := 0
	for _, s := range []string{sampleAR, sampleFR, sampleEN} {
		title, body, _ := strings.Cut(s, "\n")
		body = strings.Repeat(body+"\n", 5)
		texts = append(texts, article.Article{Title: title, Body: body})
		tokens += len(text.Tokens(title)) + len(text.Tokens(body))
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		a := texts[n%len(texts)]
		if err := e.Enrich(context.Background(), &a); err != nil {
			b.Fatal(err)
		}
		n++
	}
	perSecond := float64(n) / b.Elapsed().Seconds()
	b.ReportMetric(perSecond, "articles/s")
	b.ReportMetric(perSecond*float64(tokens)/float64(len(texts)), "tokens/s")
}
