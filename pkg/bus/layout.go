package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// layoutAge is how long the leaders of a topic are taken to be what they were.
const layoutAge = time.Second

// layouts remembers which broker leads each partition. Safe for concurrent
// use.
type layouts struct {
	client *kafka.Client
	mu     sync.Mutex
	topics map[string]layout
}

type layout struct {
	leaders []int // by partition
	at      time.Time
}

// leaders gives the leader of each partition of topic, -1 where there is none
// at the moment. The library asks the cluster by itself every few seconds and
// answers from what it was told last.
func (l *layouts) leaders(ctx context.Context, topic string) ([]int, error) {
	l.mu.Lock()
	known, ok := l.topics[topic]
	l.mu.Unlock()
	if ok && time.Since(known.at) < layoutAge {
		return known.leaders, nil
	}
	meta, err := l.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, fmt.Errorf("asking for metadata: %w", err)
	}
	if len(meta.Topics) != 1 || len(meta.Topics[0].Partitions) == 0 && meta.Topics[0].Error == nil {
		return nil, kafka.UnknownTopicOrPartition
	}
	t := meta.Topics[0]
	if t.Error != nil {
		return nil, t.Error
	}
	leaders := make([]int, len(t.Partitions))
	for i := range leaders {
		leaders[i] = -1
	}
	for _, p := range t.Partitions {
		if p.ID < 0 || p.ID >= len(leaders) {
			return nil, fmt.Errorf("topic %s: partition %d of %d", topic, p.ID, len(leaders))
		}
		if p.Error == nil && p.Leader.Host != "" {
			leaders[p.ID] = p.Leader.ID
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = layout{leaders: leaders, at: time.Now()}
	return leaders, nil
}

// forget has the leaders of topic asked for again.
func (l *layouts) forget(topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.topics, topic)
}
