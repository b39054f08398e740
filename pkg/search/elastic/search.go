package elastic

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// found is Elasticsearch's answer to a search.
type found struct {
	PIT      string `json:"pit_id"`
	TimedOut bool   `json:"timed_out"`
	Shards   struct {
		Failed   int `json:"failed"`
		Failures []struct {
			Index  string `json:"index"`
			Reason fault  `json:"reason"`
		} `json:"failures"`
	} `json:"_shards"`
	Hits struct {
		Total struct {
			Value int `json:"value"`
		} `json:"total"`
		Hits []struct {
			ID     string            `json:"_id"`
			Score  *float64          `json:"_score"`
			Source json.RawMessage   `json:"_source"`
			Sort   []json.RawMessage `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
	Aggregations map[string]struct {
		Buckets []struct {
			Key   string `json:"key"`
			Count int    `json:"doc_count"`
		} `json:"buckets"`
	} `json:"aggregations"`
}

// ask searches an alias. Months that are not there yet hold nothing; an answer
// without some of the indices is an error, not a smaller total.
func (x *Index) ask(ctx context.Context, alias string, request object) (*found, error) {
	strict, preference := false, "marsad" // the same copies for all pages: their scores differ
	return x.answer(ctx, request, esapi.SearchRequest{
		Index: []string{alias}, IgnoreUnavailable: yes(), AllowPartialSearchResults: &strict, Preference: preference,
	})
}

// answer sends a search.
func (x *Index) answer(ctx context.Context, request object, req esapi.SearchRequest) (*found, error) {
	request["track_total_hits"] = true
	b, err := body(request)
	if err != nil {
		return nil, err
	}
	req.Body = b
	var answer found
	if err := x.do(ctx, req, &answer); err != nil {
		return nil, err
	}
	if answer.TimedOut || answer.Shards.Failed > 0 {
		reason := "it ran out of time"
		if len(answer.Shards.Failures) > 0 {
			f := answer.Shards.Failures[0]
			reason = fmt.Sprintf("index %s: %s: %s", f.Index, f.Reason.Type, f.Reason.Reason)
		}
		return nil, fmt.Errorf("Elasticsearch's answer lacks %d indices: %s", answer.Shards.Failed, reason)
	}
	return &answer, nil
}

// Search implements search.Reader. Pages behind the first that are sorted by
// relevance are of one point in time, as long as they are asked for within a
// minute of each other, for scores depend on all articles; what has been
// retracted since is left out all the same. The other orders need none.
func (x *Index) Search(ctx context.Context, req search.Request) (search.Result, error) {
	request, after, err := translateRequest(&req)
	if err != nil {
		return search.Result{}, err
	}
	answer, err := x.page(ctx, request, &after)
	if err != nil {
		return search.Result{}, fmt.Errorf("searching Elasticsearch: %w", err)
	}
	result := search.Result{Total: answer.Hits.Total.Value, Facets: answer.facets(req.Facets)}
	for i, h := range answer.Hits.Hits {
		if i == req.Size { // it is there to tell that there is a next page
			last, err := newPosition(answer.Hits.Hits[i-1].Sort, req.Sort)
			if err != nil {
				return search.Result{}, err
			}
			if last.pit = after.pit; last.pit == "" && req.Sort == search.ByRelevance {
				last.pit = x.pagePIT(ctx)
			}
			result.Next = last.cursor(req.Sort)
			break
		}
		if h.Source == nil {
			continue // retracted since the point in time
		}
		hit := search.Hit{}
		if err := json.Unmarshal(h.Source, &hit.Article); err != nil {
			return search.Result{}, fmt.Errorf("decoding an article of Elasticsearch: %w", err)
		}
		if req.Sort == search.ByRelevance && h.Score != nil {
			hit.Score = *h.Score
		}
		result.Hits = append(result.Hits, hit)
	}
	if after.pit != "" && result.Next == "" {
		x.closePIT(ctx, after.pit)
	}
	return result, nil
}

// translateRequest checks req, sets its default order and gives the body of a
// search.
func translateRequest(req *search.Request) (request object, after position, err error) {
	if err := req.Check(); err != nil {
		return nil, after, err
	}
	if req.Sort == "" {
		req.Sort = search.ByReceived
	}
	q, err := requestQuery(*req)
	if err != nil {
		return nil, after, err
	}
	request = object{"query": q, "size": 0}
	if len(req.Facets) > 0 {
		request["aggs"] = aggregations(req.Facets)
	}
	if req.Cursor != "" {
		if after, err = parseCursor(req.Cursor, req.Sort); err != nil {
			return nil, after, err
		}
		request["search_after"] = after.after(req.Sort)
	}
	if req.Size > 0 {
		request["size"] = req.Size + 1
	}
	request["sort"] = sorting(req.Sort)
	return request, after, nil
}

func (f *found) facets(facets []search.Facet) map[search.FacetField][]search.Bucket {
	counted := make(map[search.FacetField][]search.Bucket)
	for _, facet := range facets {
		buckets := []search.Bucket{}
		for _, b := range f.Aggregations[string(facet.Field)].Buckets {
			if b.Key != "" && len(buckets) < facetSize(facet) {
				buckets = append(buckets, search.Bucket{Value: b.Key, Count: b.Count})
			}
		}
		counted[facet.Field] = buckets
	}
	return counted
}

// Get implements search.Reader, by a search: it sees what a search sees, in
// whatever month.
func (x *Index) Get(ctx context.Context, id string) (article.Article, error) {
	var a article.Article
	if err := ctx.Err(); err != nil {
		return a, fmt.Errorf("getting article %q: %w", id, err)
	}
	if id == "" || len(id) > maxID {
		return a, fmt.Errorf("article %q: %w", id[:min(len(id), maxID)], search.ErrNotFound)
	}
	answer, err := x.ask(ctx, x.everything(), object{
		"query": object{"ids": object{"values": []string{id}}}, "size": 1,
		"sort": []object{
			{"revision": object{"order": "desc", "unmapped_type": "long"}},
			{"generation": object{"order": "desc", "unmapped_type": "long"}},
		},
	})
	if err != nil {
		return a, fmt.Errorf("getting article %q: %w", id, err)
	}
	if len(answer.Hits.Hits) == 0 {
		return a, fmt.Errorf("article %q: %w", id, search.ErrNotFound)
	}
	if err := json.Unmarshal(answer.Hits.Hits[0].Source, &a); err != nil {
		return article.Article{}, fmt.Errorf("decoding article %q: %w", id, err)
	}
	switch a.Status {
	case article.Usable:
		return a, nil
	case article.Canceled:
		return article.Article{}, fmt.Errorf("article %q: %w", id, search.ErrGone)
	}
	return article.Article{}, fmt.Errorf("article %q: %w", id, search.ErrNotFound)
}

// Count implements search.Reader.
func (x *Index) Count(ctx context.Context) (map[article.Status]int, error) {
	const name = "status"
	answer, err := x.ask(ctx, x.everything(), object{
		"query": everything(), "size": 0, "aggs": object{name: object{"terms": object{"field": fieldStatus, "size": 100}}},
	})
	if err != nil {
		return nil, fmt.Errorf("counting articles: %w", err)
	}
	counts := make(map[article.Status]int)
	for _, b := range answer.Aggregations[name].Buckets {
		switch s := article.Status(b.Key); s {
		case article.Usable, article.Withheld, article.Canceled:
			counts[s] = b.Count
		}
	}
	return counts, nil
}
