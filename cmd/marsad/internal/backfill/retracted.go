package backfill

import (
	"context"
	"fmt"
	"sync"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/services/ingest"
)

// retracted knows which articles were retracted, also while a run goes on. The
// index's tombstones know it too, but not those of a month that was dropped.
type retracted struct {
	mu      sync.RWMutex
	ids     map[string]bool
	stopped chan struct{}
}

// followRetracted reads articles.seen, and goes on reading it until ctx ends.
func followRetracted(ctx context.Context, c *bus.Cluster) (*retracted, error) {
	g := &retracted{ids: map[string]bool{}, stopped: make(chan struct{})}
	first, _, err := c.Offsets(ctx, bus.TopicSeen)
	if err != nil {
		return nil, err
	}
	next := map[int]int64{}
	for p := range first {
		if next[p], err = c.ReadAll(ctx, bus.TopicSeen, p, g.note); err != nil {
			return nil, fmt.Errorf("reading which articles were retracted: %w", err)
		}
	}
	go func() {
		defer close(g.stopped)
		_ = bus.NewFeed(c, bus.TopicSeen).Follow(ctx, next, g.note) // ends with ctx
	}()
	return g, nil
}

func (g *retracted) note(r bus.Record) error {
	if r.Value == nil {
		return nil
	}
	s, err := ingest.ReadState(r)
	if err != nil {
		return err
	}
	if s.Status == article.Canceled {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ids[s.ID] = true
	}
	return nil
}

func (g *retracted) has(id string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.ids[id]
}

func (g *retracted) wait() { <-g.stopped }
