package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

// hiddenBetween is how many events a filter may hide before the client is told
// its new position.
const hiddenBetween = 500

// stream answers GET /v1/stream.
func (s *Service) stream(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	leave, err := s.gate.enter(cancel)
	if err != nil {
		refuse(w, unavailable(err.Error()))
		return
	}
	defer leave()
	c := &client{s: s, tick: time.NewTicker(s.cfg.Heartbeat)}
	defer c.tick.Stop()
	gaps, bad := c.prepare(ctx, r)
	if bad != nil {
		refuse(w, bad)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close") // the write deadline outlives the answer
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	c.out = newEventWriter(w, s.cfg.WriteTimeout)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(ended); c.out.end() })
	defer func() { // w must not be touched once the handler has returned
		if !stop() {
			<-ended
		}
	}()
	if err := c.run(ctx, gaps); err != nil {
		c.out.comment("ended: " + err.Error()) //nolint:errcheck // the client may be gone
		c.out.flush()                          //nolint:errcheck // as above
		s.deps.Log.Debug("stream ended", zap.Error(err))
	}
}

// client is one open stream. It is the handler's goroutine alone that uses it.
type client struct {
	s      *Service
	filter filter
	pos    position // passed by this stream, sent or hidden
	cursor cursor
	live   uint64 // number of the first event that came after the stream began
	moved  int    // events passed since the last id was sent
	out    *eventWriter
	tick   *time.Ticker
}

// prepare reads the request: what to send, and where to begin.
func (c *client) prepare(ctx context.Context, r *http.Request) ([]gap, *Problem) {
	p, bad := readParams(r, false, append(filterParams(), "last_event_id")...)
	if bad != nil {
		return nil, bad
	}
	if c.filter, bad = p.filter(); bad != nil {
		return nil, bad
	}
	name := "Last-Event-ID"
	last := strings.TrimSpace(r.Header.Get(name))
	if last == "" {
		name = "last_event_id"
		if last, bad = p.one(name); bad != nil {
			return nil, bad
		}
	}
	head, next, epoch := c.s.hub.head()
	if head == nil {
		return nil, unavailable("the live stream has not begun yet: try again in a few seconds")
	}
	c.live, c.cursor.epoch = next, epoch
	if last == "" {
		c.pos = head
		return nil, nil
	}
	var err error
	if c.pos, err = parsePosition(last); err != nil {
		return nil, badParameter(name, "%v; send the id of an event as it came, or none to begin now", err)
	}
	return c.resume(ctx, name, head)
}

// resume checks c.pos against the topic and gives what has been lost since.
func (c *client) resume(ctx context.Context, name string, head position) ([]gap, *Problem) {
	if c.pos.alike(head) && head.reaches(c.pos) && c.s.hub.covers(c.pos) {
		return nil, nil
	}
	first, next, err := c.s.hub.offsets(ctx)
	if err != nil {
		c.s.deps.Log.Warn("a stream cannot be resumed", zap.Error(err))
		return nil, unavailable("the topic's offsets cannot be asked for: try again in a few seconds")
	}
	for part, offset := range c.pos {
		end, known := next[part]
		if !known || offset > end {
			return nil, badParameter(name, "there is no place %d:%d in the topic; send the id of an event as it came, or none to begin now", part, offset)
		}
	}
	return c.pos.raise(first), nil
}

// run sends events until the client is gone (nil) or the stream must end.
func (c *client) run(ctx context.Context, gaps []gap) error {
	if err := c.out.retry(2 * time.Second); err != nil {
		return nil //nolint:nilerr // the client is gone: that is an end like any other
	}
	if err := c.reset(gaps); err != nil {
		return err
	}
	if err := c.position(); err != nil {
		return err
	}
	for {
		e, changed, err := c.s.hub.read(&c.cursor, c.pos)
		switch {
		case errors.Is(err, errBehind):
			if err := c.catchUp(ctx); err != nil {
				return err
			}
		case err != nil:
			return err
		case e != nil:
			if err := c.deliver(e, c.cursor.number > c.live); err != nil {
				return err
			}
		default:
			if err := c.wait(ctx, changed); err != nil {
				return err
			}
		}
	}
}

// wait sends what is buffered and returns when changed is closed; meanwhile it
// gives signs of life.
func (c *client) wait(ctx context.Context, changed <-chan struct{}) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	for {
		select {
		case <-changed:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.tick.C:
			if err := c.beat(); err != nil {
				return err
			}
		}
	}
}

// beat gives a sign of life, and the position where it has moved unseen.
func (c *client) beat() error {
	if err := c.out.comment("heartbeat"); err != nil {
		return err
	}
	if c.moved > 0 {
		if err := c.position(); err != nil {
			return err
		}
	}
	return c.out.flush()
}

// deliver passes e: it is sent if the filter lets it through. live tells that
// e came while the stream was open.
func (c *client) deliver(e *event, live bool) error {
	c.pos[e.partition] = e.offset + 1
	c.moved++
	if !c.filter.passes(e) {
		if c.moved >= hiddenBetween {
			return c.position()
		}
		return nil
	}
	if err := c.send(e.kind.String(), e.data); err != nil {
		return err
	}
	if live && e.kind == articleKind {
		c.s.metrics.latency.Observe(c.s.deps.Now().Sub(e.article.Received).Seconds())
	}
	return nil
}

// position tells the client where it is, without anything to show.
func (c *client) position() error { return c.send("position", []byte("{}")) }

// reset tells the client that the topic no longer keeps what comes next for
// it. No gaps, no event.
func (c *client) reset(gaps []gap) error {
	if len(gaps) == 0 {
		return nil
	}
	data, err := encode(struct {
		Gaps []gap `json:"gaps"`
	}{gaps})
	if err != nil {
		return err
	}
	return c.send("reset", data)
}

func (c *client) send(name string, data []byte) error {
	c.moved = 0
	c.s.metrics.events.WithLabelValues(name).Inc()
	return c.out.event(c.pos.String(), name, data)
}
