package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// Offsets gives the first offset kept and the next to be written of each
// partition of topic.
func (c *Cluster) Offsets(ctx context.Context, topic string) (first, next map[int]int64, err error) {
	parts, err := c.listOffsets(ctx, topic, func(p int) []kafka.OffsetRequest {
		return []kafka.OffsetRequest{kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p)}
	})
	if err != nil {
		return nil, nil, err
	}
	first, next = map[int]int64{}, map[int]int64{}
	for _, p := range parts {
		if p.Error != nil {
			return nil, nil, fmt.Errorf("listing offsets of %s/%d: %w", topic, p.Partition, p.Error)
		}
		first[p.Partition], next[p.Partition] = p.FirstOffset, p.LastOffset
	}
	return first, next, nil
}

// OffsetsAt gives, for each partition of topic, the offset of the first record
// whose time is at or after at (to the millisecond); a partition without one
// gives the next offset to be written.
func (c *Cluster) OffsetsAt(ctx context.Context, topic string, at time.Time) (map[int]int64, error) {
	if at.Before(time.UnixMilli(0)) { // Kafka gives negative times meanings of their own
		at = time.UnixMilli(0)
	}
	parts, err := c.listOffsets(ctx, topic, func(p int) []kafka.OffsetRequest {
		return []kafka.OffsetRequest{kafka.TimeOffsetOf(p, at), kafka.LastOffsetOf(p)}
	})
	if err != nil {
		return nil, err
	}
	out := map[int]int64{}
	for _, p := range parts {
		if p.Error != nil {
			return nil, fmt.Errorf("listing offsets of %s/%d at %v: %w", topic, p.Partition, at, p.Error)
		}
		out[p.Partition] = p.LastOffset
		for o := range p.Offsets { // one at most; -1 where no record is as late
			if o >= 0 {
				out[p.Partition] = o
			}
		}
	}
	return out, nil
}

// ends gives the next offset to be written of those of the topic's partitions
// whose leaders answer.
func (c *Cluster) ends(ctx context.Context, topic string) (map[int]int64, error) {
	parts, err := c.listOffsets(ctx, topic, func(p int) []kafka.OffsetRequest {
		return []kafka.OffsetRequest{kafka.LastOffsetOf(p)}
	})
	if err != nil {
		return nil, err
	}
	out := map[int]int64{}
	for _, p := range parts {
		if p.Error == nil {
			out[p.Partition] = p.LastOffset
		}
	}
	return out, nil
}

// listOffsets asks the leaders of the topic's partitions for what requests
// gives; each partition has an error of its own.
func (c *Cluster) listOffsets(ctx context.Context, topic string, requests func(partition int) []kafka.OffsetRequest) ([]kafka.PartitionOffsets, error) {
	parts, err := c.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	var req []kafka.OffsetRequest
	for _, p := range parts[topic] {
		req = append(req, requests(p)...)
	}
	res, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: req}})
	if err != nil {
		return nil, fmt.Errorf("listing offsets of %s: %w", topic, err)
	}
	return res.Topics[topic], nil
}

// Committed gives the offsets that group has committed for topic; a partition
// without one is missing from the result.
func (c *Cluster) Committed(ctx context.Context, group, topic string) (map[int]int64, error) {
	parts, err := c.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	res, err := c.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: parts})
	if err != nil {
		return nil, fmt.Errorf("fetching offsets of group %s: %w", group, err)
	}
	if errors.Is(res.Error, kafka.GroupIdNotFound) { // nothing was ever committed
		return map[int]int64{}, nil
	}
	if res.Error != nil {
		return nil, fmt.Errorf("fetching offsets of group %s: %w", group, explain(res.Error))
	}
	out := map[int]int64{}
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("fetching offsets of group %s for %s/%d: %w", group, topic, p.Partition, explain(p.Error))
		}
		if p.CommittedOffset >= 0 {
			out[p.Partition] = p.CommittedOffset
		}
	}
	return out, nil
}

// DeleteGroup removes group and the offsets it has committed. A group that is
// not there is no error; one that still has members is.
func (c *Cluster) DeleteGroup(ctx context.Context, group string) error {
	res, err := c.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	if err == nil {
		err = res.Errors[group]
	}
	switch {
	case err == nil, errors.Is(err, kafka.GroupIdNotFound):
		return nil
	case errors.Is(err, kafka.NonEmptyGroup):
		return fmt.Errorf("deleting group %s: it still has members, stop them first: %w", group, err)
	}
	return fmt.Errorf("deleting group %s: %w", group, err)
}
