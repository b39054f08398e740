package embedded

import (
	"context"
	"fmt"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// Get implements search.Reader.
func (x *Index) Get(ctx context.Context, id string) (article.Article, error) {
	if err := ctx.Err(); err != nil {
		return article.Article{}, fmt.Errorf("getting article %q: %w", id, err)
	}
	r, release, err := x.reader()
	if err != nil {
		return article.Article{}, err
	}
	defer release()
	found, err := lookup(r, []string{id})
	if err != nil {
		return article.Article{}, fmt.Errorf("getting article %q: %w", id, err)
	}
	switch s, ok := found[id]; {
	case ok && s.status == statusCanceled:
		return article.Article{}, fmt.Errorf("article %q: %w", id, search.ErrGone)
	case !ok || s.status != statusUsable:
		return article.Article{}, fmt.Errorf("article %q: %w", id, search.ErrNotFound)
	}
	doc, err := r.Document(id)
	if err != nil {
		return article.Article{}, fmt.Errorf("getting article %q: %w", id, err)
	}
	return x.unpack(doc)
}

// Count implements search.Reader. It takes a look at each status's postings,
// not at each article.
func (x *Index) Count(ctx context.Context) (map[article.Status]int, error) {
	r, release, err := x.reader()
	if err != nil {
		return nil, err
	}
	defer release()
	counts := make(map[article.Status]int)
	for _, status := range [...]article.Status{article.Usable, article.Withheld, article.Canceled} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("counting articles: %w", err)
		}
		postings, err := r.TermFieldReader(ctx, []byte(status), fieldStatus, false, false, false)
		if err != nil {
			return nil, fmt.Errorf("counting %s articles: %w", status, err)
		}
		if n := postings.Count(); n > 0 {
			counts[status] = int(n)
		}
		postings.Close()
	}
	return counts, nil
}
