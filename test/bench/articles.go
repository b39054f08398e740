package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/text"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/ingest"
)

// samples is where the demo's articles lie.
const samples = "../../cmd/marsad/internal/demo/articles.ndjson"

// corpus makes articles of a given size from the demo's, a third each in
// Arabic, French and English.
type corpus struct {
	bytes     int
	languages []string
	articles  map[string][]sample // by language
}

type sample struct{ Title, Body string }

func newCorpus(bytes int) (*corpus, error) {
	f, err := os.Open(samples)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &corpus{bytes: bytes, languages: []string{"ar", "fr", "en"}, articles: map[string][]sample{}}
	detector := text.NewDetector()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a sample
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return nil, fmt.Errorf("%s: %w", samples, err)
		}
		language, _ := detector.Detect(a.Title + "\n" + a.Body)
		c.articles[language] = append(c.articles[language], a)
	}
	return c, lines.Err()
}

// storied is how many of the demo's articles one article is made of.
const storied = 3

// raw makes the article of a number, the same for the same number: paragraphs
// of three of the demo's articles, so that it names as many places as a long
// article does.
func (c *corpus) raw(n int) article.Raw {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	of := c.articles[c.languages[n%len(c.languages)]]
	var paragraphs []string
	for range storied {
		paragraphs = append(paragraphs, strings.Split(of[r.IntN(len(of))].Body, "\n")...)
	}
	title := fmt.Sprintf("%s (%d)", of[r.IntN(len(of))].Title, n)
	var body strings.Builder
	for body.Len()+len(title) < c.bytes {
		body.WriteString(paragraphs[r.IntN(len(paragraphs))])
		body.WriteByte('\n')
	}
	return article.Raw{
		Source: article.Source{ID: fmt.Sprintf("bench-%d", n%40), Name: "Bench", Country: "MA"}, GUID: fmt.Sprintf("bench-%d", n),
		Title: title, Body: body.String(), Published: time.Now().UTC(),
	}
}

// enriched makes n articles as articles.enriched holds them.
func (c *corpus) enriched(ctx context.Context, n int) ([]article.Article, error) {
	recipe, err := enrich.NewEnricher()
	if err != nil {
		return nil, err
	}
	articles, errs := make([]article.Article, n), make([]error, 2)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += len(errs) {
				if articles[i], errs[w] = ingest.Alone(c.raw(i), time.Now()); errs[w] == nil {
					errs[w] = recipe.Enrich(ctx, &articles[i])
				}
				articles[i].Enriched = time.Now().UTC()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return articles, nil
}
