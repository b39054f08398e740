package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// The topics. Their content and keys are described in DESIGN.md.
const (
	TopicRaw      = "articles.raw"
	TopicSeen     = "articles.seen"
	TopicHeld     = "articles.held"
	TopicClean    = "articles.clean"
	TopicEnriched = "articles.enriched"
	TopicDead     = "articles.dlq"
)

// Topic is what a topic is created with.
type Topic struct {
	Name            string
	Partitions      int           // on a Kafka cluster; the embedded broker has one each
	Compacted       bool          // the latest record of a key is kept for ever
	Retention       time.Duration // of a topic that is not compacted
	MaxMessageBytes int           // max.message.bytes, a limit on the batch as stored
}

// Topics is the table of all topics. max.message.bytes grows along the way,
// so that what fitted into one topic fits into the next with what was added.
func Topics() []Topic {
	const day, mib = 24 * time.Hour, 1 << 20
	return []Topic{
		{Name: TopicRaw, Partitions: 12, Retention: 7 * day, MaxMessageBytes: 8 * mib},
		{Name: TopicSeen, Partitions: 12, Compacted: true, MaxMessageBytes: 1 * mib},
		{Name: TopicHeld, Partitions: 12, Compacted: true, MaxMessageBytes: 8 * mib},
		{Name: TopicClean, Partitions: 12, Retention: 7 * day, MaxMessageBytes: 8 * mib},
		{Name: TopicEnriched, Partitions: 12, Retention: 30 * day, MaxMessageBytes: 16 * mib},
		{Name: TopicDead, Partitions: 3, Retention: 30 * day, MaxMessageBytes: 20 * mib},
	}
}

// maxBytes is the limit of the named topic, for sizing batches.
func maxBytes(topic string) int {
	for _, t := range Topics() {
		if t.Name == topic {
			return t.MaxMessageBytes
		}
	}
	return 1 << 20
}

// Settings are what the topic is created with, by Kafka's names.
func (t Topic) Settings() map[string]string {
	s := map[string]string{SettingMaxMessage: strconv.Itoa(t.MaxMessageBytes), SettingCleanup: "delete"}
	if t.Compacted {
		s[SettingCleanup] = "compact"
	} else {
		s[SettingRetention] = strconv.FormatInt(t.Retention.Milliseconds(), 10)
	}
	return s
}

func (t Topic) configs() []kafka.ConfigEntry {
	var c []kafka.ConfigEntry
	for name, value := range t.Settings() {
		c = append(c, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	return c
}

// CreateTopics creates those of topics that are missing and returns once all
// are there. Topics that exist are left as they are. partitions, where not 0,
// overrides the number of partitions of each.
func (c *Cluster) CreateTopics(ctx context.Context, topics []Topic, partitions int) error {
	req := &kafka.CreateTopicsRequest{}
	names := make([]string, len(topics))
	for i, t := range topics {
		n := t.Partitions
		if partitions > 0 {
			n = partitions
		}
		names[i] = t.Name
		req.Topics = append(req.Topics, kafka.TopicConfig{
			Topic: t.Name, NumPartitions: n, ReplicationFactor: -1, ConfigEntries: t.configs(),
		})
	}
	// Where no broker can be reached, CreateTopics does not say why; this does.
	if _, err := c.partitions(ctx); err != nil {
		return fmt.Errorf("creating topics: %w", err)
	}
	client := kafka.Client{Addr: c.client.Addr, Transport: c.transport, Timeout: createTimeout}
	res, err := client.CreateTopics(ctx, req)
	if err != nil {
		return fmt.Errorf("creating topics: %w", explain(err))
	}
	for name, err := range res.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("creating topic %s: %w", name, explain(err))
		}
	}
	return c.WaitForTopics(ctx, names...)
}

// WaitForTopics returns once every partition of the topics has a leader, or
// with an error that names those that lack one when ctx ends.
func (c *Cluster) WaitForTopics(ctx context.Context, names ...string) error {
	back := backoff{min: 20 * time.Millisecond, max: 500 * time.Millisecond}
	for {
		_, err := c.partitions(ctx, names...)
		if err == nil {
			return nil
		}
		if back.wait(ctx) != nil {
			return fmt.Errorf("waiting for topics: %w", err)
		}
	}
}

// partitions gives the partition numbers of each topic, in order; an error
// where a topic is missing or a partition has no leader.
func (c *Cluster) partitions(ctx context.Context, names ...string) (map[string][]int, error) {
	meta, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, fmt.Errorf("asking for metadata: %w", explain(err))
	}
	out := make(map[string][]int, len(names))
	for _, t := range meta.Topics {
		if t.Error != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Name, explain(t.Error))
		}
		ids := make([]int, len(t.Partitions))
		for _, p := range t.Partitions {
			if p.Error != nil {
				return nil, fmt.Errorf("topic %s partition %d: %w", t.Name, p.ID, p.Error)
			}
			if p.ID < 0 || p.ID >= len(ids) {
				return nil, fmt.Errorf("topic %s: partition %d of %d", t.Name, p.ID, len(ids))
			}
			ids[p.ID] = p.ID
		}
		if len(ids) == 0 {
			return nil, fmt.Errorf("topic %s has no partitions", t.Name)
		}
		out[t.Name] = ids
	}
	for _, n := range names {
		if out[n] == nil {
			return nil, fmt.Errorf("topic %s: %w", n, kafka.UnknownTopicOrPartition)
		}
	}
	return out, nil
}
