package cli

import (
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
)

func TestLetterFilterBySource(t *testing.T) {
	from := func(topic, value string) bus.Record {
		return bus.Record{Key: []byte("wire"), Value: []byte(value), Headers: []bus.Header{{Key: bus.DeadTopic, Value: []byte(topic)}}}
	}
	for name, c := range map[string]struct {
		letter bus.Record
		want   string
	}{
		"an article says it":      {from(bus.TopicClean, `{"id":"a","source":{"id":"post"}}`), "post"},
		"a raw one says it":       {from(bus.TopicRaw, `{"source":{"id":"post"}}`), "post"},
		"a raw one's key":         {from(bus.TopicRaw, `{"title":"T"}`), "wire"},
		"a raw one that is text":  {from(bus.TopicRaw, `Title`), "wire"},
		"an article without one":  {from(bus.TopicClean, `{"id":"a"}`), ""},
		"what cannot be read":     {from(bus.TopicEnriched, `{`), ""},
		"a source of other shape": {from(bus.TopicClean, `{"source":"post"}`), ""},
	} {
		if got := sourceOf(c.letter); got != c.want {
			t.Errorf("%s: source is %q, want %q", name, got, c.want)
		}
		if c.want != "" && (!(&letterFilter{source: c.want}).match(c.letter, time.Now()) || (&letterFilter{source: "x"}).match(c.letter, time.Now())) {
			t.Errorf("%s: the filter does not choose by source", name)
		}
	}
}

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
