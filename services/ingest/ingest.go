// Package ingest gives articles their identity: it takes them in by HTTP push
// and from articles.raw, whoever wrote there, and writes articles.clean.
//
//	POST /v1/articles ─► push ─► articles.raw (key: source id)
//	                                  │  one worker a partition
//	                                  ▼
//	    articles.seen ◄──────────► identity ─► articles.clean (key: article id)
//	    articles.held ◄─ embargo ─┘    │
//	                                   └─► articles.dlq
//
// The state of identity is read back from the same partition of articles.seen
// when a partition is assigned. articles.clean is written before
// articles.seen, and the offset is committed after both: a crash between them
// repeats the same result.
package ingest

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/metric"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Group is the consumer group of the service.
const Group = "marsad-ingest"

const stage = "ingest"

// Config is the service's configuration.
type Config struct {
	MaxBody       int64         `yaml:"max_body"`        // bytes of a push request; zero means 32 MiB
	MaxPushBytes  int64         `yaml:"max_push_bytes"`  // bytes of all requests under way; zero means 128 MiB
	PushTimeout   time.Duration `yaml:"push_timeout"`    // for one request, reading included; zero means 30 s
	DefaultSource string        `yaml:"default_source"`  // source id of pushes that name none; empty means "push"
	MaxInFlight   int64         `yaml:"max_in_flight"`   // bytes of records being handled; zero means 64 MiB
	ReleaseEvery  time.Duration `yaml:"release_every"`   // how often embargoes are looked at; zero means 500 ms
	DrainTimeout  time.Duration `yaml:"drain_timeout"`   // zero means 3 s
	CommitEvery   time.Duration `yaml:"commit_interval"` // zero means 200 ms
}

// Deps is what the service is wired to. All but Log and Registry are required.
type Deps struct {
	Cluster  *bus.Cluster
	Log      *zap.Logger
	Registry prometheus.Registerer
	Now      func() time.Time // the clock; nil means time.Now
}

// Service is the ingest service.
type Service struct {
	cfg      Config
	deps     Deps
	consumer *bus.Consumer
	raw      *bus.Producer
	clean    *bus.Producer
	seen     *bus.Producer
	held     *bus.Producer
	dead     *bus.Producer
	admit    *admission
	metrics  *metrics
}

// New checks cfg and deps; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Cluster == nil {
		return nil, errors.New("ingest lacks a Kafka cluster")
	}
	if deps.Log == nil {
		deps.Log = zap.NewNop()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 32<<20)
	cfg.MaxPushBytes = cmp.Or(cfg.MaxPushBytes, 128<<20)
	cfg.PushTimeout = cmp.Or(cfg.PushTimeout, 30*time.Second)
	cfg.DefaultSource = cmp.Or(cfg.DefaultSource, "push")
	cfg.ReleaseEvery = cmp.Or(cfg.ReleaseEvery, 500*time.Millisecond)
	s := &Service{
		cfg: cfg, deps: deps, admit: newAdmission(cfg.MaxPushBytes), metrics: newMetrics(deps.Registry),
		raw:   bus.NewProducer(deps.Cluster, bus.TopicRaw),
		clean: bus.NewProducer(deps.Cluster, bus.TopicClean),
		seen:  bus.NewProducer(deps.Cluster, bus.TopicSeen),
		held:  bus.NewProducer(deps.Cluster, bus.TopicHeld),
		dead:  bus.NewProducer(deps.Cluster, bus.TopicDead),
	}
	var err error
	s.consumer, err = bus.NewConsumer(bus.ConsumerConfig{
		Cluster: deps.Cluster, Group: Group, Topic: bus.TopicRaw, Stage: stage, DeadLetters: s.dead,
		Open: s.open, Tick: cfg.ReleaseEvery, MaxInFlight: cfg.MaxInFlight,
		DrainTimeout: cfg.DrainTimeout, CommitInterval: cfg.CommitEvery,
		Log: deps.Log, Metrics: bus.NewMetrics(deps.Registry),
	})
	return s, err
}

// Run consumes articles.raw until ctx ends, then drains.
func (s *Service) Run(ctx context.Context) error {
	return errors.Join(s.consumer.Run(ctx), bus.CloseAll(s.raw, s.clean, s.seen, s.held, s.dead))
}

// Ready is nil while the service takes in and processes articles.
func (s *Service) Ready() error { return s.consumer.Ready() }

// metrics are the service's own, beside those of its consumer.
type metrics struct {
	articles *prometheus.CounterVec // outcome
	push     *prometheus.CounterVec // outcome, reason
	seconds  prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		articles: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_ingest_articles_total",
			Help: "Records of articles.raw, by outcome: created, revised, unchanged, repeated, retracted, refused, held, rejected; released counts embargoes that ended.",
		}, []string{"outcome"})),
		push: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_push_articles_total",
			Help: "Articles pushed over HTTP, by outcome: accepted; rejected, with the field at fault as reason; failed, which counts requests.",
		}, []string{"outcome", "reason"})),
		seconds: metric.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "marsad_ingest_seconds", Help: "From arrival to durable in articles.clean.", Buckets: metric.Latency(),
		})),
	}
}
