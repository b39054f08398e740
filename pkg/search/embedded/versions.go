package embedded

import (
	"context"
	"fmt"

	"github.com/marsad-news/marsad/pkg/article"
)

// Versions implements search.Reader. It reads the states alone, of one
// snapshot.
func (x *Index) Versions(ctx context.Context, fn func(id string, version int64, status article.Status) error) error {
	r, release, err := x.reader()
	if err != nil {
		return err
	}
	defer release()
	numbers, err := r.DocIDReaderAll()
	if err != nil {
		return fmt.Errorf("walking the index: %w", err)
	}
	defer numbers.Close()
	values, err := newStates(r)
	if err != nil {
		return fmt.Errorf("walking the index: %w", err)
	}
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("walking the index: %w", err)
		}
		number, err := numbers.Next()
		if err != nil {
			return fmt.Errorf("walking the index: %w", err)
		}
		if number == nil {
			return nil
		}
		id, err := r.ExternalID(number)
		if err != nil {
			return fmt.Errorf("walking the index: %w", err)
		}
		s, ok, err := values.of(number)
		if err != nil {
			return fmt.Errorf("reading the state of article %q: %w", id, err)
		}
		if !ok { // no article of ours: nothing else is ever written
			continue
		}
		if err := fn(id, s.version, s.articleStatus()); err != nil {
			return err
		}
	}
}

func (s state) articleStatus() article.Status {
	for _, known := range [...]article.Status{article.Usable, article.Withheld, article.Canceled} {
		if statusByte(known) == s.status {
			return known
		}
	}
	return ""
}
