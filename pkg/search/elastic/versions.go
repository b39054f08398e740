package elastic

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
)

// versionsPage is how many documents Versions asks for at once, each some
// hundred bytes.
const versionsPage = 5000

// versionsFound is a page of what Versions asks for.
type versionsFound struct {
	PIT      string `json:"pit_id"`
	TimedOut bool   `json:"timed_out"`
	Shards   struct {
		Failed int `json:"failed"`
	} `json:"_shards"`
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
	request := object{
		"pit": object{"id": pit, "keep_alive": pitAlive}, "size": versionsPage, "sort": []string{"_shard_doc"},
		"query": everything(), "_source": false, "version": true, "docvalue_fields": []string{fieldStatus}, "track_total_hits": false,
	}
	if after != nil {
		request["search_after"] = after
	}
	b, err := body(request)
	if err != nil {
		return nil, err
	}
	strict := false
	var page versionsFound
	if err := x.do(ctx, esapi.SearchRequest{Body: b, AllowPartialSearchResults: &strict}, &page); err != nil {
		return nil, err
	}
	if page.TimedOut || page.Shards.Failed > 0 {
		return nil, fmt.Errorf("Elasticsearch's answer lacks %d indices", page.Shards.Failed)
	}
	return &page, nil
}
