package web

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/marsad-news/marsad/pkg/bus"
	"go.uber.org/zap"
)

// catchUpVersions is how many articles a catch-up remembers to leave out
// outdated revisions.
const catchUpVersions = 4096

// errSlow ends a stream that does not get to the events in memory in time.
var errSlow = errors.New("this stream falls behind faster than it is read: reconnect with the last event id to go on")

// catchUp reads the topic from c.pos on its own until the ring holds what
// comes next. Only a few streams do so at once, the others wait here.
func (c *client) catchUp(ctx context.Context) (err error) {
	if err := c.slot(ctx); err != nil {
		return err
	}
	defer func() {
		<-c.s.catchUps
		outcome := "joined"
		if err != nil {
			outcome = "ended"
		}
		c.s.metrics.catchUps.WithLabelValues(outcome).Inc()
	}()
	first, _, err := c.s.hub.offsets(ctx)
	if err != nil {
		c.s.deps.Log.Warn("a stream cannot catch up", zap.Error(err))
		return errors.New("the topic cannot be read for now: reconnect with the last event id")
	}
	if err := c.reset(c.pos.raise(first)); err != nil {
		return err
	}
	if err := c.readTopic(ctx); err != nil {
		return err
	}
	c.cursor.number = 0
	return nil
}

// slot waits for leave to read the topic.
func (c *client) slot(ctx context.Context) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	for {
		select {
		case c.s.catchUps <- struct{}{}:
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

// readTopic delivers records from c.pos on until the ring covers it. The feed
// waits while the client is slow, so that no more is held than it fetched.
func (c *client) readTopic(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.s.cfg.CatchUpTimeout, errSlow)
	defer cancel()
	records, failed := make(chan bus.Record), make(chan error, 1)
	from := maps.Clone(c.pos)
	go func() {
		failed <- c.s.deps.Feed.Follow(ctx, from, func(r bus.Record) error {
			select {
			case records <- r:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		close(failed)
	}()
	defer func() { // the feed ends before the stream does
		cancel()
		for range failed { //nolint:revive // nothing is left to do with it
		}
	}()
	seen := newVersions(catchUpVersions)
	for !c.s.hub.covers(c.pos) {
		select {
		case r := <-records:
			if err := c.replay(r, seen); err != nil {
				return err
			}
			if err := c.out.flush(); err != nil {
				return err
			}
		case err := <-failed:
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("reading the topic: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.tick.C:
			if err := c.beat(); err != nil {
				return err
			}
		}
	}
	return nil
}

// replay delivers a record of the past.
func (c *client) replay(r bus.Record, seen *versions) error {
	if at, known := c.pos[r.Partition]; known && r.Offset < at {
		return nil
	}
	e, err := newEvent(r, c.s.deps.Now())
	if e == nil {
		return err
	}
	if e.kind != hidden && seen.outdated(e.article.ID, e.article.Version()) {
		e.hide()
	}
	return c.deliver(e, false)
}
