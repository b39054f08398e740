package ledger

import (
	"context"
	"fmt"
	"maps"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/index"
	"github.com/marsad-news/marsad/services/ingest"
)

// RestError says that the pipeline still works, and on what.
type RestError struct{ Reason string }

func (e *RestError) Error() string { return "not at rest: " + e.Reason }

// Backlog is the number of records that some stage has not committed.
func Backlog(ctx context.Context, c *bus.Cluster) (n int64, err error) {
	for _, s := range stages() {
		rest, _, err := s.backlog(ctx, c)
		if err != nil {
			return 0, err
		}
		n += rest
	}
	return n, nil
}

// Held counts the articles that wait for the end of an embargo.
func Held(ctx context.Context, c *bus.Cluster) (int, error) {
	first, _, err := c.Offsets(ctx, bus.TopicHeld)
	if err != nil {
		return 0, err
	}
	waiting := map[string]bool{}
	for p := range first {
		_, err := c.ReadAll(ctx, bus.TopicHeld, p, func(r bus.Record) error {
			if r.Value == nil {
				delete(waiting, string(r.Key))
			} else {
				waiting[string(r.Key)] = true
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return len(waiting), nil
}

// atRest is nil where every stage has committed all there is. The notes name
// topics that were made anew below a group's feet.
func atRest(ctx context.Context, c *bus.Cluster) (notes []string, err error) {
	for _, s := range stages() { // in order: what one has done the next one sees
		rest, ahead, err := s.backlog(ctx, c)
		if err != nil {
			return nil, err
		}
		if rest > 0 {
			return nil, &RestError{fmt.Sprintf("%d records of %s wait for group %s", rest, s.topic, s.group)}
		}
		for p, by := range ahead {
			notes = append(notes, fmt.Sprintf("group %s has committed %d records more than %s/%d ever had: the topic was truncated or made anew, "+
				"and the group may have left out what was written since", s.group, by, s.topic, p))
		}
	}
	return notes, nil
}

// stage is a group and what it reads.
type stage struct{ group, topic string }

func stages() []stage {
	return []stage{{ingest.Group, bus.TopicRaw}, {enrich.Group, bus.TopicClean}, {index.Group, bus.TopicEnriched}}
}

// backlog counts what the group has not committed, and by how much it is ahead
// of a partition's end.
func (s stage) backlog(ctx context.Context, c *bus.Cluster) (rest int64, ahead map[int]int64, err error) {
	first, next, err := c.Offsets(ctx, s.topic)
	if err != nil {
		return 0, nil, err
	}
	done, err := c.Committed(ctx, s.group, s.topic)
	if err != nil {
		return 0, nil, err
	}
	ahead = map[int]int64{}
	for p, n := range next {
		rest += max(0, n-max(done[p], first[p]))
		if by := done[p] - n; by > 0 {
			ahead[p] = by
		}
	}
	return rest, ahead, nil
}

// ends gives the next offset of every partition that a ledger reads.
func ends(ctx context.Context, c *bus.Cluster) (map[string]int64, error) {
	out := map[string]int64{}
	for _, t := range bus.Topics() {
		_, next, err := c.Offsets(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		for p, n := range next {
			out[fmt.Sprintf("%s/%d", t.Name, p)] = n
		}
	}
	return out, nil
}

// stillAtRest tells whether the pipeline rested all the time since before.
func (b *book) stillAtRest(ctx context.Context, before map[string]int64) error {
	if b.due > 0 {
		return &RestError{fmt.Sprintf("the embargo of %d articles has ended, ingest has not released them yet", b.due)}
	}
	after, err := ends(ctx, b.cluster)
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return &RestError{"records were written while the ledger was drawn up"}
	}
	return nil
}
