package enrich

import (
	"context"
	"fmt"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/medtop"
	"github.com/marsad-news/marsad/services/enrich/internal/language"
	"github.com/marsad-news/marsad/services/enrich/internal/link"
	"github.com/marsad-news/marsad/services/enrich/internal/topic"
)

// Generation is the enrichment generation that this build writes. It rises
// whenever the knowledge base, a lexicon or a stage changes what comes out, so
// that a re-enriched article replaces the older one in the index.
const Generation = 1

// Stage is one step of the recipe. Apply changes a alone, is safe for
// concurrent use on different articles, and fails only where ctx ends.
type Stage interface {
	Name() string
	Apply(ctx context.Context, a *article.Article) error
}

// Recipe lists the stages in their order: each may read what those before it
// have set.
func Recipe(base *kb.Base, topics *medtop.Vocabulary) ([]Stage, error) {
	classifier, err := topic.New(topics)
	if err != nil {
		return nil, err
	}
	return []Stage{
		language.New(),
		link.New(base),
		classifier,
	}, nil
}

// Option changes what an [Enricher] is built from.
type Option func(*options)

type options struct {
	base   *kb.Base
	topics *medtop.Vocabulary
}

// WithBase uses a knowledge base that is loaded already.
func WithBase(base *kb.Base) Option { return func(o *options) { o.base = base } }

// WithTopics uses a vocabulary that is loaded already.
func WithTopics(topics *medtop.Vocabulary) Option { return func(o *options) { o.topics = topics } }

// Enricher runs the recipe. It is safe for concurrent use.
type Enricher struct{ stages []Stage }

// NewEnricher makes an Enricher over the embedded knowledge, or what the
// options give instead.
func NewEnricher(opts ...Option) (*Enricher, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	var err error
	if o.base == nil {
		if o.base, err = kb.Load(); err != nil {
			return nil, err
		}
	}
	if o.topics == nil {
		if o.topics, err = medtop.Load(); err != nil {
			return nil, err
		}
	}
	stages, err := Recipe(o.base, o.topics)
	if err != nil {
		return nil, err
	}
	return &Enricher{stages: stages}, nil
}

// Enrich sets language, entities, topics and generation of a; it replaces
// what an earlier enrichment has set. The time of it is the caller's to set.
func (e *Enricher) Enrich(ctx context.Context, a *article.Article) error {
	a.Entities, a.Topics = nil, nil
	for _, s := range e.stages {
		if err := s.Apply(ctx, a); err != nil {
			return fmt.Errorf("stage %s of article %s: %w", s.Name(), a.ID, err)
		}
	}
	a.Generation = Generation
	return nil
}
