package elastic

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// trialPrefix begins the names of what a dry run makes: none of them is a name
// of ours, and no template or alias of ours matches them.
func (x *Index) trialPrefix() string { return x.config.Prefix + "_check" }

// removeWait bounds the removal of what a dry run made.
const removeWait = 15 * time.Second

// DryRun does what the services do, under names of its own that it removes in
// the end: it writes the template, sample articles in Arabic, French and
// English with every field filled, and a tombstone, and searches them. It
// gives the number of articles; its error has Elasticsearch's own reasons.
// What could not be removed is an error that names it.
func (x *Index) DryRun(ctx context.Context) (articles int, err error) {
	suffix := make([]byte, 4)
	_, _ = rand.Read(suffix) // it never fails
	c := x.config
	c.Prefix = x.trialPrefix() + "_" + hex.EncodeToString(suffix)
	trial, err := New(c)
	if err != nil {
		return 0, err
	}
	defer trial.Close()
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWait)
		defer cancel()
		err = errors.Join(err, trial.remove(ctx))
	}()
	if err := trial.Setup(ctx); err != nil {
		return 0, err
	}
	samples := samples()
	for i := range samples {
		samples[i].article.ID = fmt.Sprintf("sample-%d", i+1)
	}
	return len(samples), trial.try(ctx, samples)
}

// try writes the samples, finds each, and then retracts the first.
func (x *Index) try(ctx context.Context, samples []sample) error {
	batch := make([]article.Article, len(samples))
	for i, s := range samples {
		batch[i] = s.article
	}
	if err := x.writeAll(ctx, batch); err != nil {
		return err
	}
	var errs []error
	for _, s := range samples {
		for _, q := range s.queries {
			errs = append(errs, x.expect(ctx, q, s.article.ID))
		}
	}
	gone := batch[0]
	gone.Revision++
	gone.Status = article.Canceled
	gone.Redact()
	if err := x.writeAll(ctx, []article.Article{gone}); err != nil {
		return errors.Join(append(errs, fmt.Errorf("retracting: %w", err))...)
	}
	if _, err := x.Get(ctx, gone.ID); !errors.Is(err, search.ErrGone) {
		errs = append(errs, fmt.Errorf("a retracted article is still shown: %w", err))
	}
	errs = append(errs, x.expect(ctx, samples[0].queries[0], ""))
	return errors.Join(errs...)
}

// writeAll writes articles and makes them visible.
func (x *Index) writeAll(ctx context.Context, articles []article.Article) error {
	_, err := x.Write(ctx, articles)
	var batch *search.BatchError
	if errors.As(err, &batch) {
		var reasons []error
		for _, item := range batch.Items {
			reasons = append(reasons, fmt.Errorf("sample article in %q: %w", articles[item.Index].Language, item.Err))
		}
		return errors.Join(reasons...)
	}
	if err != nil {
		return err
	}
	if err := x.Refresh(ctx); err != nil {
		return fmt.Errorf("making the sample articles visible: %w", err)
	}
	return nil
}

// expect has the query find the article alone, or nothing where id is empty.
func (x *Index) expect(ctx context.Context, q, id string) error {
	parsed, err := query.Parse(q)
	if err != nil {
		return fmt.Errorf("sample query %q: %w", q, err)
	}
	found, err := x.Search(ctx, search.Request{Query: parsed.Root(), Size: 10})
	if err != nil {
		return fmt.Errorf("sample query %q: %w", q, err)
	}
	var ids []string
	for _, h := range found.Hits {
		ids = append(ids, h.Article.ID)
	}
	if strings.Join(ids, " ") != id {
		return fmt.Errorf("sample query %q finds %q, should find %q", q, ids, id)
	}
	return nil
}

// remove deletes the indices and the template of a dry run, one by one by their
// whole names. Without any it does nothing.
func (x *Index) remove(ctx context.Context) error {
	var live map[string]struct{}
	err := x.do(ctx, esapi.IndicesGetRequest{
		Index: []string{x.pattern()}, AllowNoIndices: yes(), FilterPath: []string{"*.settings.index.uuid"},
	}, &live)
	errs := []error{err}
	for _, name := range slices.Sorted(maps.Keys(live)) {
		if err := x.do(ctx, esapi.IndicesDeleteRequest{Index: []string{name}}, nil); err != nil {
			errs = append(errs, fmt.Errorf("deleting index %s: %w", name, err))
		}
	}
	err = x.do(ctx, esapi.IndicesDeleteIndexTemplateRequest{Name: x.config.Prefix}, nil)
	if err != nil && Status(err) != 404 {
		errs = append(errs, fmt.Errorf("deleting index template %s: %w", x.config.Prefix, err))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing what the dry run made, remove %s by hand: %w", x.pattern(), err)
	}
	return nil
}
