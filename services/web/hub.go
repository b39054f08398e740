package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"go.uber.org/zap"
)

const (
	knownVersions = 1 << 16          // articles whose newest version the hub remembers
	offsetsTime   = 10 * time.Second // for the broker to tell the topic's offsets
	watchEvery    = time.Minute      // between looks for new partitions
	retryAfter    = time.Second      // between attempts to follow the topic
)

// hub follows the topic once for the whole process and keeps its latest
// events in a ring. It never waits for a stream. Safe for concurrent use.
type hub struct {
	cfg  Config
	feed Feed
	log  *zap.Logger
	now  func() time.Time

	mu      sync.RWMutex
	ring    []*event // event number n is at n % len(ring)
	oldest  uint64   // number of the oldest event kept; numbers begin at 1
	next    uint64   // number of the next event
	memory  int64    // of the events kept
	start   position // every record at or after it, up to pos, is in the ring
	pos     position // what was taken in; nil until the topic's offsets are known
	epoch   int      // rises when the topic turns out to be another one
	changed chan struct{}
	seen    *versions
	fault   error // why the topic is not followed
}

func newHub(cfg Config, deps Deps) *hub {
	return &hub{
		cfg: cfg, feed: deps.Feed, log: deps.Log, now: deps.Now,
		ring: make([]*event, cfg.RingEvents), oldest: 1, next: 1,
		changed: make(chan struct{}), seen: newVersions(knownVersions),
		fault: errors.New("the live stream has not begun"),
	}
}

func (h *hub) ready() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.fault
}

// run follows the topic until ctx ends, whatever fails.
func (h *hub) run(ctx context.Context) {
	for {
		err := h.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, errMoved) {
			h.mu.Lock()
			h.fault = fmt.Errorf("live stream: %w", err)
			h.wake()
			h.mu.Unlock()
			h.log.Warn("the live stream does not follow its topic, trying again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryAfter):
		}
	}
}

// errMoved says that the topic has other partitions or offsets than thought.
var errMoved = errors.New("the topic's partitions or offsets have changed")

func (h *hub) follow(ctx context.Context) error {
	first, next, err := h.offsets(ctx)
	if err != nil {
		return err
	}
	from := h.begin(first, next)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() { defer close(watched); h.watch(ctx, cancel) }()
	defer func() { cancel(nil); <-watched }()
	err = h.feed.Follow(ctx, from, h.take)
	if cause := context.Cause(ctx); errors.Is(cause, errMoved) {
		return cause
	}
	if err == nil {
		err = errors.New("the feed ended")
	}
	return err
}

func (h *hub) offsets(ctx context.Context) (first, next map[int]int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, offsetsTime)
	defer cancel()
	if first, next, err = h.feed.Offsets(ctx); err != nil {
		return nil, nil, fmt.Errorf("asking for the topic's offsets: %w", err)
	}
	return first, next, nil
}

// begin notes that the topic is followed and gives the offsets to go on from:
// those of before, or at the start of the process the backlog's.
func (h *hub) begin(first, next map[int]int64) position {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pos.beyond(next) {
		h.log.Warn("the topic was truncated or replaced: the live stream begins anew")
		clear(h.ring)
		h.oldest, h.memory, h.pos = h.next, 0, nil
		h.seen = newVersions(knownVersions)
		h.epoch++
	}
	if h.pos == nil {
		h.start, h.pos = position{}, position{}
		for part, offset := range next {
			h.pos[part] = max(first[part], offset-int64(h.cfg.Backlog))
			h.start[part] = h.pos[part]
		}
	}
	for part, offset := range first {
		if _, known := h.pos[part]; !known {
			h.pos[part], h.start[part] = offset, offset
		}
	}
	h.fault = nil
	h.wake()
	return maps.Clone(h.pos)
}

// watch ends the following by cancel when the topic has got new partitions or
// lost records that were seen.
func (h *hub) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if h.look(ctx) {
			cancel(errMoved)
			return
		}
	}
}

// look tells whether the topic has moved since what is followed was begun.
func (h *hub) look(ctx context.Context) bool {
	read, _, _ := h.head() // before the ends are asked for: reading goes on
	_, next, err := h.offsets(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = err // the broker is away: Follow waits for it
	return err == nil && (read.beyond(next) || len(next) > len(read))
}

// beyond tells whether more was read of a partition than it has, by its end.
func (p position) beyond(next map[int]int64) bool {
	for part, at := range p {
		if at > next[part] {
			return true
		}
	}
	return false
}

// take puts a record into the ring and wakes the streams.
func (h *hub) take(r bus.Record) error {
	e, err := newEvent(r, h.now())
	if errors.Is(err, article.ErrSchema) {
		return err
	}
	if err != nil {
		h.log.Warn("record is not shown", zap.Error(err))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.offset < h.pos[e.partition] {
		return nil
	}
	if e.kind != hidden && h.seen.outdated(e.article.ID, e.article.Version()) {
		e.hide()
	}
	h.pos[e.partition] = e.offset + 1
	for h.next-h.oldest >= uint64(len(h.ring)) || h.next > h.oldest && h.memory+e.memory() > h.cfg.RingBytes {
		h.evict()
	}
	h.ring[h.next%uint64(len(h.ring))] = e
	h.next++
	h.memory += e.memory()
	h.wake()
	return nil
}

// evict drops the oldest event.
func (h *hub) evict() {
	i := h.oldest % uint64(len(h.ring))
	e := h.ring[i]
	h.ring[i] = nil
	h.oldest++
	h.memory -= e.memory()
	h.start[e.partition] = e.offset + 1
}

func (h *hub) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// cursor is a stream's place in the ring. The zero cursor is in none yet.
type cursor struct {
	number uint64 // of the next event to look at
	epoch  int
}

// What read may say.
var (
	errBehind   = errors.New("the events that follow are no longer in memory")
	errReplaced = errors.New("the topic was replaced: connect anew without an event id")
)

// read gives the next event at or after pos, moving c behind it. Without one
// the event is nil and changed is closed when it is worth asking again.
func (h *hub) read(c *cursor, pos position) (e *event, changed <-chan struct{}, err error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if c.epoch != h.epoch {
		return nil, nil, errReplaced
	}
	if c.number < h.oldest {
		if !pos.reaches(h.start) {
			return nil, nil, errBehind
		}
		c.number = h.oldest
	}
	for c.number < h.next {
		e := h.ring[c.number%uint64(len(h.ring))]
		c.number++
		if e.offset >= pos[e.partition] {
			return e, nil, nil
		}
	}
	return nil, h.changed, nil
}

// covers tells whether a stream at pos can go on from the ring.
func (h *hub) covers(pos position) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.pos != nil && pos.reaches(h.start)
}

// head gives the position of what was taken in, nil before the topic is
// known, and the number of the next event and the epoch.
func (h *hub) head() (pos position, next uint64, epoch int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return maps.Clone(h.pos), h.next, h.epoch
}

// lookBack is how many events recent looks at.
const lookBack = 300

// recent gives a position from which at most n events that f lets through lead
// to the head, nil before the topic is known.
func (h *hub) recent(f *filter, n int) position {
	h.mu.RLock()
	pos := maps.Clone(h.pos)
	var latest []*event // newest first
	for i := h.next; i > h.oldest && len(latest) < lookBack; i-- {
		latest = append(latest, h.ring[(i-1)%uint64(len(h.ring))])
	}
	h.mu.RUnlock()
	for _, e := range latest {
		if n == 0 {
			break
		}
		pos[e.partition] = e.offset
		if e.kind == articleKind && f.passes(e) {
			n--
		}
	}
	return pos
}
