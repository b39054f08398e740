package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"
)

// ConsumerConfig says what a Consumer reads and how. Fields without a remark
// are required.
type ConsumerConfig struct {
	Cluster     *Cluster
	Group       string
	Topic       string
	Stage       string    // who reads: in dead letters, logs and metrics
	DeadLetters *Producer // to TopicDead

	// Open is called when a partition is assigned, before its first record,
	// and gives its handler. ctx ends when the partition is to be given up;
	// after an error Open is tried again.
	Open func(ctx context.Context, partition int) (Handler, error)

	// Start gives the offset at which a partition begins for which the group
	// has committed none; nil means the first offset kept. After an error it
	// is asked again.
	Start func(ctx context.Context, partition int) (int64, error)

	FetchInterval  time.Duration // between fetches from a broker that have brought all there was, at least; zero means 10 ms
	BatchRecords   int           // records in a batch at most; zero means 500
	BatchBytes     int           // bytes in a batch at most, but for one larger record; zero means 4 MiB
	BatchAge       time.Duration // how long to wait for a batch to fill; zero means not at all
	Tick           time.Duration // call the handler with an empty batch when idle this long; zero means never
	Concurrency    int           // batches of a partition handled at once; zero means 1, which keeps their order
	MaxAttempts    int           // tries of a record in Doubt; zero means 5
	CommitInterval time.Duration // zero means 200 ms
	DrainTimeout   time.Duration // for work under way when Run's ctx ends; zero means 3 s

	// MaxInFlight bounds the bytes of records (Record.Size) that were fetched
	// and are not done, over all partitions; zero means 64 MiB. Beyond it each
	// partition holds one fetch at most, which waits for room: what the broker
	// sends at once (1 MiB compressed, or one larger batch) and its records.
	MaxInFlight int64

	// StallTimeout is how long nothing may arrive from a partition that has
	// more, before its fetching is rebuilt, and how long a handler may be at
	// one batch before Ready says so; zero means 30 s.
	StallTimeout time.Duration

	Log     *zap.Logger // nil logs nothing
	Metrics *Metrics    // nil measures nothing
}

// Consumer reads a topic as a member of a consumer group, gives each partition
// to a Handler, and commits an offset only when it and all before it are
// durable.
//
//	group.Next ─► generation ─┬─► partition 0: fetch ─► batch ─► handle, retry, bury ─► watermark ─┐
//	                          ├─► partition 1: …                                                  ├─► commit
//	                          └─► …                                                               ┘
type Consumer struct {
	cfg    ConsumerConfig
	log    *zap.Logger
	budget *semaphore.Weighted

	mu      sync.Mutex
	away    error    // why it is not a member of the group; nil while it is
	session *session // the last one, nil before the first
	outage  map[fault]error
}

// fault is what a partition cannot do.
type fault struct {
	partition int
	do        string // "read" or "process"
}

var errNotJoined = errors.New("it has not joined yet")

// NewConsumer checks cfg; it opens no connection.
func NewConsumer(cfg ConsumerConfig) (*Consumer, error) {
	switch {
	case cfg.Cluster == nil, cfg.DeadLetters == nil, cfg.Open == nil:
		return nil, errors.New("consumer lacks a cluster, dead letters or a handler")
	case cfg.Group == "", cfg.Topic == "", cfg.Stage == "":
		return nil, errors.New("consumer lacks a group, topic or stage name")
	}
	cfg.FetchInterval = cmp.Or(cfg.FetchInterval, pollEvery)
	cfg.BatchRecords = cmp.Or(cfg.BatchRecords, 500)
	cfg.BatchBytes = cmp.Or(cfg.BatchBytes, 4<<20)
	cfg.Concurrency = cmp.Or(cfg.Concurrency, 1)
	cfg.MaxInFlight = cmp.Or(cfg.MaxInFlight, 64<<20)
	cfg.MaxAttempts = cmp.Or(cfg.MaxAttempts, 5)
	cfg.CommitInterval = cmp.Or(cfg.CommitInterval, 200*time.Millisecond)
	cfg.DrainTimeout = cmp.Or(cfg.DrainTimeout, 3*time.Second)
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, 30*time.Second)
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	return &Consumer{
		cfg: cfg, log: cfg.Log.With(zap.String("stage", cfg.Stage), zap.String("topic", cfg.Topic)),
		budget: semaphore.NewWeighted(cfg.MaxInFlight), away: errNotJoined, outage: map[fault]error{},
	}, nil
}

// Ready is nil while the consumer is a member of its group and nothing keeps
// it from processing.
func (c *Consumer) Ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away != nil {
		return fmt.Errorf("%s is not a member of group %s: %w", c.cfg.Stage, c.cfg.Group, c.away)
	}
	for f, err := range c.outage {
		return fmt.Errorf("%s cannot %s partition %d: %w", c.cfg.Stage, f.do, f.partition, err)
	}
	return c.session.busy(time.Now())
}

func (c *Consumer) setAway(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = why
}

func (c *Consumer) setSession(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.away = s, nil
}

// setOutage says why a partition cannot be processed; nil, that it can.
func (c *Consumer) setOutage(partition int, err error) { c.setFault(fault{partition, "process"}, err) }

func (c *Consumer) setFault(f fault, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.outage, f)
		return
	}
	c.outage[f] = err
}

// Run consumes until ctx ends; then it lets work under way finish for at most
// DrainTimeout, commits what is done and leaves the group. The error is nil
// after an orderly end, and says what was left uncommitted otherwise.
func (c *Consumer) Run(ctx context.Context) error {
	if !c.awaitTopic(ctx) {
		return nil
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.cfg.Group, Brokers: c.cfg.Cluster.cfg.Brokers, Topics: []string{c.cfg.Topic},
		Dialer:                c.cfg.Cluster.dialer(),
		HeartbeatInterval:     time.Second,
		SessionTimeout:        6 * time.Second,
		RebalanceTimeout:      6 * time.Second,
		JoinGroupBackoff:      500 * time.Millisecond,
		Timeout:               3 * time.Second,
		WatchPartitionChanges: true,
		ErrorLogger:           kafka.LoggerFunc(c.log.Sugar().Debugf),
	})
	if err != nil {
		return fmt.Errorf("joining group %s: %w", c.cfg.Group, err)
	}
	last := c.sessions(ctx, group)
	c.setAway(errors.New("it is stopping"))
	return c.leave(group, last)
}
