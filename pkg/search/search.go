// Package search is what Marsad asks of a search index. Backends live in the
// folders below it (embedded/ on bleve, elastic/ on Elasticsearch) and must
// all pass the suite in searchtest/.
package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
)

// Outcome says what became of an article given to a Writer.
type Outcome uint8

// The values of Outcome.
const (
	Failed     Outcome = iota // not written: see the *BatchError
	Indexed                   // written, visible to readers
	Tombstoned                // written without text, hidden from readers
	Superseded                // left alone: the index has a newer version
)

// Writer stores articles. Write returns only once the articles are durable
// (they survive a kill of the process), with an outcome per article. It is
// idempotent by id and [article.Article.Version]: a lower version never
// replaces a higher one, an equal one may be written again. Articles that are
// not usable become tombstones: id, version and status without text. Where
// only some articles fail, the error is a *BatchError and the others are
// durable; any other error speaks for the whole batch. Safe for concurrent use.
type Writer interface {
	Write(ctx context.Context, articles []article.Article) ([]Outcome, error)
}

// BatchError names the articles of a batch that were not written.
type BatchError struct{ Items []ItemError }

// ItemError is one article that was not written.
type ItemError struct {
	Index     int   // in the batch
	Err       error // with the backend's own reason
	Permanent bool  // the same article will fail again: dead-letter it
	Doubtful  bool  // it may: the backend's reason is not one of those known; try a few times
}

func (e *BatchError) Error() string {
	return fmt.Sprintf("%d articles not indexed, the first: %v", len(e.Items), e.Items[0].Err)
}

// Unwrap gives the reasons of all items.
func (e *BatchError) Unwrap() []error {
	errs := make([]error, len(e.Items))
	for i := range e.Items {
		errs[i] = e.Items[i].Err
	}
	return errs
}

// ErrNotFound and ErrGone are what Get returns for an id that was never
// indexed, and for one that was retracted.
var (
	ErrNotFound = errors.New("no such article")
	ErrGone     = errors.New("article was retracted")
)

// ErrOutage is what Write's error wraps when the backend refuses all writes
// until somebody acts: bad credentials, a write block, a full disk. Nothing is
// wrong with the articles: stop consuming, retry slowly, skip nothing.
var ErrOutage = errors.New("search index refuses writes")

// Sort is an order of results. Ties are broken by id, so that paging is
// stable.
type Sort string

// The orders. ByReceived is the default: newest arrival first.
const (
	ByReceived  Sort = "received"
	ByPublished Sort = "published"
	ByRelevance Sort = "relevance"
)

// Limits on a Request.
const (
	MaxSize    = 200
	MaxFilters = 100 // values in one filter
)

// ErrRequest marks a request that cannot be answered as it is: a bad cursor,
// size or order. The message says what to change.
var ErrRequest = errors.New("bad search request")

// Request asks for articles. The filters are combined with AND, the values of
// one filter with OR; an empty filter lets everything through. Tombstones are
// never found.
type Request struct {
	Query     query.Node // nil means all articles
	Languages []string   // BCP 47; "ar" also finds "ar-MA"
	Sources   []string   // source ids
	Entities  []string   // entity ids
	Topics    []string   // topic ids; narrower topics are found too
	Countries []string   // countries of the places mentioned, ISO 3166-1 alpha-2
	From, To  time.Time  // half-open range of TimeField; zero means open
	TimeField Sort       // ByPublished (default) or ByReceived
	Sort      Sort       // zero means ByReceived
	Size      int        // hits at most, 0 to MaxSize; with 0 only Total and Facets
	Cursor    string     // Result.Next of the page before; empty means the first page
	Facets    []Facet    // facets to count, over all that is found
}

// Facet is a field whose most frequent values are counted.
type Facet struct {
	Field FacetField
	Size  int // values at most; zero means 10
}

// FacetField names what a facet counts.
type FacetField string

// The facets.
const (
	FacetLanguage FacetField = "language"
	FacetSource   FacetField = "source"
	FacetEntity   FacetField = "entity"
	FacetTopic    FacetField = "topic" // with broader topics counted too
	FacetCountry  FacetField = "country"
)

// Bucket is a facet's value and in how many articles it is.
type Bucket struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Result is a page of what was found.
type Result struct {
	Total  int // articles found in all, exact
	Hits   []Hit
	Facets map[FacetField][]Bucket // most frequent first, ties by value
	Next   string                  // cursor of the next page; empty after the last
}

// Hit is one article found.
type Hit struct {
	Article article.Article
	Score   float64 // relevance; 0 unless sorted by it
}

// Reader finds articles. A Reader sees what a Writer of the same index wrote
// once Write has returned and the backend's refresh interval has passed
// (embedded: at once). Safe for concurrent use.
type Reader interface {
	Search(ctx context.Context, req Request) (Result, error)
	// Get returns ErrNotFound for an unknown or withheld id, ErrGone for a
	// canceled one.
	Get(ctx context.Context, id string) (article.Article, error)
	// Count gives the number of articles in each status.
	Count(ctx context.Context) (map[article.Status]int, error)
	// Versions calls fn for every document of the index, tombstones included,
	// in no order, and stops at fn's first error, which it returns. It sees all
	// that was written before the call. A sound index has each id once; one that
	// lies in two months is told twice. The status is empty where it is unknown.
	Versions(ctx context.Context, fn func(id string, version int64, status article.Status) error) error
}
