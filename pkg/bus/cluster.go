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
	layouts   *layouts
	writer    *writer
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
	client := &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: t, Timeout: callTimeout}
	c := &Cluster{cfg: cfg, transport: t, client: client, layouts: &layouts{client: client, topics: map[string]layout{}}}
	c.writer = newWriter(c)
	return c, nil
}

// Close closes idle connections. Calls under way are not affected.
func (c *Cluster) Close() { c.transport.CloseIdleConnections() }

func (c *Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{
		ClientID: c.cfg.ClientID, DialFunc: c.cfg.dial, SASLMechanism: c.cfg.SASL, Timeout: dialTimeout,
	}
}

// dial opens a connection, TLS included, on which nothing waits for ever.
// kafka-go's own TLS leaves connections open whose handshake fails, and does
// not go on to the next broker then.
func (cfg ClusterConfig) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	plain, err := dialBounded(ctx, network, address)
	if err != nil || cfg.TLS == nil {
		return plain, err
	}
	t := cfg.TLS.Clone()
	if t.ServerName == "" {
		if t.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return nil, errors.Join(err, plain.Close())
		}
	}
	conn := tls.Client(plain, t)
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, fmt.Errorf("connecting to %s by TLS: %w", address, err)
	}
	return conn, nil
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
