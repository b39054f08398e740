package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// Feed follows a topic without a group: every reader sees every record.
// Safe for concurrent use.
type Feed struct {
	cluster *Cluster
	topic   string
}

// NewFeed returns a feed of topic.
func NewFeed(c *Cluster, topic string) *Feed { return &Feed{cluster: c, topic: topic} }

// Offsets gives the first offset kept and the next to be written of each
// partition.
func (f *Feed) Offsets(ctx context.Context) (first, next map[int]int64, err error) {
	return f.cluster.Offsets(ctx, f.topic)
}

// Follow calls fn for every record at or after from (partition to offset)
// until ctx ends or fn fails, in order within a partition and never
// concurrently for one partition. Partitions missing from from start at their
// end; an offset that is no longer kept starts at the first that is. Faults of
// the broker are waited out. The error is ctx's or fn's.
func (f *Feed) Follow(ctx context.Context, from map[int]int64, fn func(Record) error) error {
	var parts []int
	next := map[int]int64{}
	for back := (backoff{min: 50 * time.Millisecond, max: 2 * time.Second}); ; {
		meta, err := f.cluster.partitions(ctx, f.topic)
		if err == nil {
			_, next, err = f.cluster.Offsets(ctx, f.topic)
		}
		if err == nil {
			parts = meta[f.topic]
			break
		}
		if err := back.wait(ctx); err != nil {
			return err
		}
	}
	poller := newPoller(f.cluster, f.topic, pollEvery)
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range parts {
		start, ok := from[p]
		if !ok {
			start = next[p]
		}
		g.Go(func() error { return f.follow(ctx, poller, p, start, fn) })
	}
	return g.Wait()
}

func (f *Feed) follow(ctx context.Context, poller *poller, partition int, offset int64, fn func(Record) error) error {
	back := backoff{min: 50 * time.Millisecond, max: 2 * time.Second}
	for {
		got, err := poller.fetch(ctx, partition, offset)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			offset, err = f.cluster.nearest(ctx, f.topic, partition, offset)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if err := back.wait(ctx); err != nil {
				return err
			}
			continue
		}
		back.n = 0
		for _, r := range got.records {
			if err := fn(r); err != nil {
				return err
			}
		}
		offset = max(offset, got.next)
	}
}

// nearest moves an offset that is out of range to the nearest that is kept.
func (c *Cluster) nearest(ctx context.Context, topic string, partition int, offset int64) (int64, error) {
	first, next, err := c.Offsets(ctx, topic)
	if err != nil {
		return offset, err
	}
	return min(max(offset, first[partition]), next[partition]), nil
}

// ReadAll calls fn for every record of one partition of topic that was written
// before the call, in order, and returns the offset it read up to. Holes left
// by compaction are passed over.
func (c *Cluster) ReadAll(ctx context.Context, topic string, partition int, fn func(Record) error) (int64, error) {
	first, next, err := c.Offsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	offset, end := first[partition], next[partition]
	for empty := 0; offset < end; {
		got, err := c.fetch(ctx, topic, partition, offset, 4<<20)
		if err != nil {
			return offset, err
		}
		if len(got.records) == 0 && got.next == offset {
			if got.end >= end { // nothing is left between here and the end
				return end, nil
			}
			if empty++; empty > 10 { // a new leader may be behind for a moment
				return offset, fmt.Errorf("reading %s/%d: its end was %d and is %d now", topic, partition, end, got.end)
			}
		}
		for _, r := range got.records {
			if r.Offset >= end {
				return end, nil
			}
			if err := fn(r); err != nil {
				return r.Offset, fmt.Errorf("record %s/%d@%d: %w", topic, partition, r.Offset, err)
			}
		}
		offset = got.next
	}
	return end, nil
}

// ReadOne reads the record at exactly offset; ok is false where it is gone.
func (c *Cluster) ReadOne(ctx context.Context, topic string, partition int, offset int64) (r Record, ok bool, err error) {
	got, err := c.fetch(ctx, topic, partition, offset, 1)
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return Record{}, false, nil
	}
	if err != nil || len(got.records) == 0 || got.records[0].Offset != offset {
		return Record{}, false, err
	}
	return got.records[0], true, nil
}
