package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

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
		ClientID: cfg.ClientID, TLS: cfg.TLS, SASL: cfg.SASL, Dial: dialBounded, DialTimeout: 3 * time.Second, MetadataTTL: 5 * time.Second,
	}
	return &Cluster{
		cfg: cfg, transport: t,
		client: &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: t, Timeout: callTimeout},
	}, nil
}

// Close closes idle connections. Calls under way are not affected.
func (c *Cluster) Close() { c.transport.CloseIdleConnections() }

func (c *Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{
		ClientID: c.cfg.ClientID, TLS: c.cfg.TLS, SASLMechanism: c.cfg.SASL, DialFunc: dialBounded, Timeout: 3 * time.Second,
	}
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
