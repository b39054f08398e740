package embedded

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// press writes articles of some 7 KB whose words are as frequent as words are
// (Zipf), half of them Arabic, half French.
type press struct {
	rand  *rand.Rand
	words [2][]string
	zipf  *rand.Zipf
	n     int
}

func newPress() *press {
	p := &press{rand: rand.New(rand.NewPCG(1, 2))}
	for i, letters := range []string{"ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "aabcdeeefghiilmnoopqrstuuvé"} {
		runes := []rune(letters)
		for range 50_000 {
			word := make([]rune, 3+p.rand.IntN(6))
			for j := range word {
				word[j] = runes[p.rand.IntN(len(runes))]
			}
			p.words[i] = append(p.words[i], string(word))
		}
	}
	p.zipf = rand.NewZipf(p.rand, 1.1, 3, 49_999)
	return p
}

func (p *press) text(language, size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(p.words[language][p.zipf.Uint64()])
		b.WriteString([]string{" ", " ", " ", " ", " ", " ", ", ", ".\n"}[p.rand.IntN(8)])
	}
	return b.String()
}

func (p *press) article() article.Article {
	p.n++
	language := p.n % 2
	a := story(fmt.Sprintf("%016x", p.rand.Uint64()), 1)
	a.Language = []string{"ar", "fr"}[language]
	a.Source.ID = fmt.Sprintf("source%d", p.rand.IntN(50))
	a.Title, a.Body = p.text(language, 80), p.text(language, 5500)
	a.Received = a.Received.Add(time.Duration(p.n) * 737 * time.Millisecond)
	a.Published = a.Received.Add(-time.Duration(p.rand.IntN(3600)) * time.Second)
	for range 4 {
		id := fmt.Sprintf("Q%d", p.rand.IntN(2000))
		a.Entities = append(a.Entities, article.Entity{
			ID: id, QID: id, Type: article.Place, Name: "Rabat", Labels: map[string]string{"ar": "الرباط", "fr": "Rabat", "en": "Rabat"},
			Count: 2, Salience: 0.25, Country: "MA", By: "kb",
			Mentions: []article.Mention{{Field: "body", Start: 10, End: 15, Text: "Rabat"}, {Field: "body", Start: 90, End: 95, Text: "Rabat"}},
		})
	}
	a.Topics = []article.Topic{{ID: fmt.Sprintf("medtop:%08d", p.rand.IntN(300)), Name: "élections",
		Broader: []string{"medtop:11000000"}, Score: 0.8, Evidence: []string{"vote"}}}
	return a
}

func (p *press) articles(n int) []article.Article {
	articles := make([]article.Article, n)
	for i := range articles {
		articles[i] = p.article()
	}
	return articles
}

// fill writes n articles and gives one of them.
func fill(b *testing.B, x *Index, p *press, n int) article.Article {
	b.Helper()
	var last article.Article
	for done := 0; done < n; done += 200 {
		batch := p.articles(200)
		if _, err := x.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		last = batch[100]
	}
	return last
}

func BenchmarkWrite(b *testing.B) {
	dir := b.TempDir()
	x := mustOpen(b, dir)
	p := newPress()
	encoded, err := article.Encode(ptr(p.article()))
	if err != nil {
		b.Fatal(err)
	}
	written := 0
	for b.Loop() {
		b.StopTimer()
		batch := p.articles(200)
		b.StartTimer()
		if _, err := x.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		written += len(batch)
	}
	b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "articles/s")
	b.ReportMetric(float64(len(encoded)), "JSON-B/article")
	b.ReportMetric(float64(sizeOf(b, dir))/float64(written), "disk-B/article")
}

// BenchmarkReplay writes the same batch again, as after a restart.
func BenchmarkReplay(b *testing.B) {
	x := mustOpen(b, b.TempDir())
	p := newPress()
	fill(b, x, p, 4000)
	batch := p.articles(200)
	for b.Loop() {
		if _, err := x.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

func sizeOf(b *testing.B, dir string) (bytes int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

func BenchmarkRead(b *testing.B) {
	x := mustOpen(b, b.TempDir())
	p := newPress()
	one := fill(b, x, p, 20_000)
	ids := []string{one.ID}
	for range 199 {
		ids = append(ids, fmt.Sprintf("%016x", p.rand.Uint64()))
	}
	b.Run("versions of 200", func(b *testing.B) {
		r, release, err := x.reader()
		if err != nil {
			b.Fatal(err)
		}
		defer release()
		for b.Loop() {
			if found, err := lookup(r, ids); err != nil || len(found) != 1 {
				b.Fatal(found, err)
			}
		}
	})
	french, arabic := p.words[1], p.words[0]
	facets := []search.Facet{{Field: search.FacetLanguage}, {Field: search.FacetSource}, {Field: search.FacetEntity},
		{Field: search.FacetTopic}, {Field: search.FacetCountry}}
	two := func(words []string, i, j int) query.Node {
		return query.And{Of: []query.Node{query.Term{Form: words[i]}, query.Term{Form: words[j]}}}
	}
	for _, c := range []struct {
		name string
		req  search.Request
	}{
		{"two terms", search.Request{Query: two(french, 20, 50), Size: 20}},
		{"two Arabic terms", search.Request{Query: two(arabic, 20, 50), Size: 20}},
		{"two terms by relevance", search.Request{Query: two(french, 20, 50), Size: 20, Sort: search.ByRelevance}},
		{"two terms with facets", search.Request{Query: two(french, 20, 50), Size: 20, Facets: facets}},
		{"two terms count", search.Request{Query: two(french, 20, 50)}},
		{"phrase", search.Request{Query: query.Phrase{Forms: []string{french[5], french[6]}}, Size: 20}},
		{"prefix of a letter", search.Request{Query: query.Term{Form: "م", Prefix: true}, Size: 20}},
		{"newest", search.Request{Size: 20}},
		{"all facets", search.Request{Facets: facets}},
		{"an hour", search.Request{TimeField: search.ByReceived, From: one.Received.Add(-time.Hour), To: one.Received, Size: 20}},
	} {
		b.Run(c.name, func(b *testing.B) {
			total := 0
			for b.Loop() {
				result, err := x.Search(context.Background(), c.req)
				if err != nil {
					b.Fatal(err)
				}
				total = result.Total
			}
			b.ReportMetric(float64(total), "found")
		})
	}
}
