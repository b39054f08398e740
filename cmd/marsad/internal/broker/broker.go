// Package broker is the embedded Kafka broker: kfake with a data directory,
// which speaks the real protocol to the same clients.
package broker

import (
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
)

// Broker is a running broker.
type Broker struct{ cluster *kfake.Cluster }

// Start opens the broker's data in dir, which is created if missing, and
// listens on loopback at port, 0 for a free one. Every write is synced to disk
// before it is acknowledged. The directory must not be in use by another
// process: the caller holds a lock.
func Start(dir string, port int, log *zap.Logger) (*Broker, error) {
	c, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.ClusterID("marsad"),
		kfake.DataDir(dir),
		kfake.SyncWrites(),
		kfake.WithLogger(logger{log.Named("kafka").WithOptions(zap.AddStacktrace(zap.DPanicLevel)).Sugar()}),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":         strconv.Itoa(20 << 20),
			"log.segment.bytes":         strconv.Itoa(64 << 20),
			"log.cleaner.backoff.ms":    strconv.Itoa(10 * 60 * 1000), // retention and compaction run this often
			"offsets.retention.minutes": strconv.Itoa(365 * 24 * 60),
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded Kafka broker on %s: %w", dir, err)
	}
	return &Broker{cluster: c}, nil
}

// Addr is the broker's address, host:port.
func (b *Broker) Addr() string {
	addr := b.cluster.ListenAddrs()[0]
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// Close writes what is pending and stops the broker.
func (b *Broker) Close() { b.cluster.Close() }

// logger passes kfake's messages on, one level lower: its warnings include
// what clients do in the ordinary course.
type logger struct{ to *zap.SugaredLogger }

func (l logger) Logf(level kfake.LogLevel, msg string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.to.Warnf(msg, args...)
	default:
		l.to.Debugf(msg, args...)
	}
}
