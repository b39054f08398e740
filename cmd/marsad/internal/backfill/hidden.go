package backfill

import (
	"context"
	"fmt"
	"sync"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/services/ingest"
)

// hidden knows which articles were retracted or are withheld, also while a run
// goes on. The index's tombstones know it too, but not those of a month that
// was dropped.
type hidden struct {
	mu     sync.RWMutex
	latest map[string]mark // by id
	ended  chan struct{}   // closed when following has ended
	err    error           // why; readable once ended is closed
}

// mark is the latest that articles.seen tells of an article.
type mark struct {
	revision int64
	hidden   bool
}

// followHidden reads articles.seen, and goes on reading it until ctx ends.
func followHidden(ctx context.Context, c *bus.Cluster) (*hidden, error) {
	h := &hidden{latest: map[string]mark{}, ended: make(chan struct{})}
	first, _, err := c.Offsets(ctx, bus.TopicSeen)
	if err != nil {
		return nil, err
	}
	next := map[int]int64{}
	for p := range first {
		if next[p], err = c.ReadAll(ctx, bus.TopicSeen, p, h.note); err != nil {
			return nil, fmt.Errorf("reading which articles were retracted: %w", err)
		}
	}
	go func() {
		defer close(h.ended)
		if err := bus.NewFeed(c, bus.TopicSeen).Follow(ctx, next, h.note); ctx.Err() == nil {
			h.err = fmt.Errorf("following which articles are retracted: %w", err)
		}
	}()
	return h, nil
}

func (h *hidden) note(r bus.Record) error {
	if r.Value == nil {
		return nil
	}
	s, err := ingest.ReadState(r)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Revision >= h.latest[s.ID].revision {
		h.latest[s.ID] = mark{s.Revision, s.Status != article.Usable}
	}
	return nil
}

func (h *hidden) has(id string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.latest[id].hidden
}
