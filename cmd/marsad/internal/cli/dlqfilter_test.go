package cli

import (
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
)

func TestLetterFilterByAgeAndID(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := bus.Record{Key: []byte("a1"), Time: now.Add(-2 * time.Hour)}
	for name, c := range map[string]struct {
		filter letterFilter
		want   bool
	}{
		"no filter":    {letterFilter{}, true},
		"its id":       {letterFilter{id: "a1"}, true},
		"part of id":   {letterFilter{id: "a"}, false},
		"old enough":   {letterFilter{until: time.Hour}, true},
		"at the bound": {letterFilter{until: 2 * time.Hour}, true},
		"too young":    {letterFilter{until: 3 * time.Hour}, false},
		"in between":   {letterFilter{since: 3 * time.Hour, until: time.Hour}, true},
		"too old":      {letterFilter{since: time.Hour, until: time.Minute}, false},
	} {
		if got := c.filter.match(r, now); got != c.want {
			t.Errorf("%s: match is %t, not %t", name, got, c.want)
		}
	}
}
