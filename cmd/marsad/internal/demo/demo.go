// Package demo holds the sample articles of "marsad demo". README.md beside
// this file says which is what.
package demo

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

//go:embed articles.ndjson
var articles string

//go:embed bad.ndjson
var bad string

// Articles gives the samples in playing order, one JSON object each, with
// their relative times made absolute: published "@-42m" is 42 minutes before
// now; an embargo "+25s" ends that long after now, but at most maxEmbargo.
func Articles(now time.Time, maxEmbargo time.Duration) ([][]byte, error) {
	var out [][]byte
	for i, line := range strings.Split(strings.TrimSpace(articles), "\n") {
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return nil, fmt.Errorf("sample %d: %w", i+1, err)
		}
		if s, ok := a["published"].(string); ok {
			ago, err := time.ParseDuration(strings.TrimPrefix(s, "@-"))
			if err != nil {
				return nil, fmt.Errorf("sample %d: published: %w", i+1, err)
			}
			a["published"] = now.Add(-ago).UTC().Format(time.RFC3339)
		}
		if s, ok := a["embargoed"].(string); ok {
			ahead, err := time.ParseDuration(strings.TrimPrefix(s, "+"))
			if err != nil {
				return nil, fmt.Errorf("sample %d: embargoed: %w", i+1, err)
			}
			a["embargoed"] = now.Add(min(ahead, maxEmbargo)).UTC().Format(time.RFC3339Nano)
		}
		b, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i+1, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// Bad gives records that cannot be articles.
func Bad() [][]byte {
	var out [][]byte
	for _, line := range strings.Split(strings.TrimSpace(bad), "\n") {
		out = append(out, []byte(line))
	}
	return out
}
