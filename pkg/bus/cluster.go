package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

// dialTimeout bounds how long opening a connection takes, TLS and login
// included.
const dialTimeout = 3 * time.Second

// ClusterConfig says how to reach Kafka.
type ClusterConfig struct {
	Brokers  []string // host:port of at least one broker
	ClientID string   // shown in the broker's logs and quotas; empty means "marsad"

	TLS  *tls.Config    // nil means plain connections
	SASL sasl.Mechanism // nil means no login
}

// Cluster is a connection pool to a Kafka cluster. Safe for concurrent use.
type Cluster struct {
	cfg       ClusterConfig
	transport *kafka.Transport
	client    *kafka.Client
}

// NewCluster checks cfg; it opens no connection.
func NewCluster(cfg ClusterConfig) (*Cluster, error) {
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("no Kafka broker given: set kafka.brokers to host:port")
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "marsad"
	}
	t := &kafka.Transport{
		ClientID: cfg.ClientID, Dial: cfg.dial, SASL: cfg.SASL, DialTimeout: dialTimeout, MetadataTTL: 5 * time.Second,
	}
	return &Cluster{
		cfg: cfg, transport: t,
		client: &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: t},
	}, nil
}

// Close closes idle connections. Calls under way are not affected.
func (c *Cluster) Close() { c.transport.CloseIdleConnections() }

func (c *Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{
		ClientID: c.cfg.ClientID, DialFunc: c.cfg.dial, SASLMechanism: c.cfg.SASL, Timeout: dialTimeout,
	}
}

// dial opens a connection, TLS included. kafka-go's own TLS leaves connections
// open whose handshake fails, and does not go on to the next broker then.
func (cfg ClusterConfig) dial(ctx context.Context, network, address string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout}
	if cfg.TLS == nil {
		return plain.DialContext(ctx, network, address)
	}
	conn, err := (&tls.Dialer{NetDialer: plain, Config: cfg.TLS}).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s by TLS: %w", address, err)
	}
	return conn, nil
}

// Offsets gives the first offset kept and the next to be written of each
// partition of topic.
func (c *Cluster) Offsets(ctx context.Context, topic string) (first, next map[int]int64, err error) {
	parts, err := c.partitions(ctx, topic)
	if err != nil {
		return nil, nil, err
	}
	var req []kafka.OffsetRequest
	for _, p := range parts[topic] {
		req = append(req, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	res, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: req}})
	if err != nil {
		return nil, nil, fmt.Errorf("listing offsets of %s: %w", topic, err)
	}
	first, next = map[int]int64{}, map[int]int64{}
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, nil, fmt.Errorf("listing offsets of %s/%d: %w", topic, p.Partition, p.Error)
		}
		first[p.Partition], next[p.Partition] = p.FirstOffset, p.LastOffset
	}
	return first, next, nil
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

// backoff waits longer each time: exponential from min to max with jitter.
type backoff struct {
	min, max time.Duration
	n        int
}

func (b *backoff) next() time.Duration {
	d := b.max
	if b.n < 20 && b.min<<b.n < b.max {
		d = b.min << b.n
	}
	b.n++
	return d/2 + rand.N(d/2+1)
}

// wait sleeps for the next delay; it returns ctx's error where that ends first.
func (b *backoff) wait(ctx context.Context) error {
	t := time.NewTimer(b.next())
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
