package elastic

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/marsad-news/marsad/pkg/article"
)

// versionsPage is how many documents Versions asks for at once, each some
// hundred bytes.
const versionsPage = 5000

// versionsFound is a page of what Versions asks for.
type versionsFound struct {
	pageHead
	Hits struct {
		Hits []struct {
			ID      string `json:"_id"`
			Version int64  `json:"_version"`
			Fields  struct {
				Status []article.Status `json:"status"`
			} `json:"fields"`
			Sort []json.RawMessage `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
}

// Versions implements search.Reader: it refreshes the indices, then walks one
// point in time page by page, without loading any article.
func (x *Index) Versions(ctx context.Context, fn func(id string, version int64, status article.Status) error) error {
	if err := x.Refresh(ctx); err != nil {
		return fmt.Errorf("walking the index: %w", err)
	}
	pit, err := x.openPIT(ctx, x.everything())
	if err != nil || pit == "" {
		return err
	}
	defer func() { x.closePIT(ctx, pit) }()
	for after := []json.RawMessage(nil); ; {
		page, err := x.versionsAfter(ctx, pit, after)
		if err != nil {
			return fmt.Errorf("walking the index: %w", err)
		}
		if page.PIT != "" {
			pit = page.PIT
		}
		if len(page.Hits.Hits) == 0 {
			return nil
		}
		for _, h := range page.Hits.Hits {
			var status article.Status
			if len(h.Fields.Status) > 0 {
				status = h.Fields.Status[0]
			}
			if err := fn(h.ID, h.Version, status); err != nil {
				return err
			}
			after = h.Sort
		}
	}
}

// versionsAfter asks for the page behind the sort values after; nil means the
// first.
func (x *Index) versionsAfter(ctx context.Context, pit string, after []json.RawMessage) (*versionsFound, error) {
	var page versionsFound
	err := x.walkPage(ctx, pit, object{
		"size": versionsPage, "query": everything(), "_source": false, "docvalue_fields": []string{fieldStatus},
	}, after, &page)
	return &page, err
}
