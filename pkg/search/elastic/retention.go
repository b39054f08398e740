package elastic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
)

// Expired names the indices of months before bucket (YYYY-MM), of every
// generation.
func (x *Index) Expired(ctx context.Context, bucket string) ([]string, error) {
	if !article.ValidBucket(bucket) {
		return nil, fmt.Errorf("month is %q, want YYYY-MM", bucket)
	}
	var live map[string]struct{}
	if err := x.do(ctx, esapi.IndicesGetRequest{Index: []string{x.months()}, AllowNoIndices: yes()}, &live); err != nil {
		return nil, fmt.Errorf("looking for the indices of all months: %w", err)
	}
	first := strings.Replace(bucket, "-", ".", 1)
	var expired []string
	for _, name := range slices.Sorted(maps.Keys(live)) {
		if month, _, ok := x.parseIndex(name); ok && month < first {
			expired = append(expired, name)
		}
	}
	return expired, nil
}

// DropBefore deletes the indices of months before bucket (YYYY-MM) and names
// those that it deleted. Several processes may do so at once.
func (x *Index) DropBefore(ctx context.Context, bucket string) (dropped []string, err error) {
	expired, err := x.Expired(ctx, bucket)
	if err != nil {
		return nil, err
	}
	for _, name := range expired { // one by one: patterns are refused by default
		if err := x.do(ctx, esapi.IndicesDeleteRequest{Index: []string{name}, IgnoreUnavailable: yes()}, nil); err != nil {
			return dropped, fmt.Errorf("deleting index %s: %w", name, asOutage(err))
		}
		dropped = append(dropped, name)
	}
	return dropped, nil
}
