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
		b, err := absolute([]byte(line), now, maxEmbargo)
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i+1, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// absolute replaces the relative times of one sample.
func absolute(line []byte, now time.Time, maxEmbargo time.Duration) ([]byte, error) {
	var a map[string]any
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, err
	}
	if s, ok := a["published"].(string); ok {
		ago, err := time.ParseDuration(strings.TrimPrefix(s, "@-"))
		if err != nil {
			return nil, fmt.Errorf("published: %w", err)
		}
		a["published"] = now.Add(-ago).UTC().Format(time.RFC3339)
	}
	if s, ok := a["embargoed"].(string); ok {
		ahead, err := time.ParseDuration(strings.TrimPrefix(s, "+"))
		if err != nil {
			return nil, fmt.Errorf("embargoed: %w", err)
		}
		a["embargoed"] = now.Add(min(ahead, maxEmbargo)).UTC().Format(time.RFC3339Nano)
	}
	return json.Marshal(a)
}

// Bad gives records that cannot be articles: one cut short, one without text.
func Bad(now time.Time) [][]byte {
	var out [][]byte
	for _, line := range strings.Split(strings.TrimSpace(bad), "\n") {
		b, err := absolute([]byte(line), now, 0)
		if err != nil {
			b = []byte(line) // the one that is no JSON
		}
		out = append(out, b)
	}
	return out
}
