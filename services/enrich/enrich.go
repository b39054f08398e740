// Package enrich says what articles are about: language, entities, topics.
//
//	articles.clean ─► recipe: language ─► entities ─► topics ─► articles.enriched
//	                    │ (a slice of stages, see recipe.go)
//	                    └─► articles.dlq
//
// Articles that are not usable pass through as they are: the index and the
// stream must learn of them.
package enrich

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/metric"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Group is the consumer group of the service.
const Group = "marsad-enrich"

const stage = "enrich"

// maxEnriched is what fits into articles.enriched, in bytes.
const maxEnriched = 16<<20 - 64<<10

// Config is the service's configuration.
type Config struct {
	Workers      int           `yaml:"workers"`       // articles enriched at once; zero means one a processor
	BatchRecords int           `yaml:"batch_records"` // articles in a batch at most; zero means 200
	MaxInFlight  int64         `yaml:"max_in_flight"` // bytes of records being handled; zero means 64 MiB
	DrainTimeout time.Duration `yaml:"drain_timeout"` // zero means 3 s
}

// Deps is what the service is wired to. Cluster and Enricher are required.
type Deps struct {
	Cluster  *bus.Cluster
	Enricher *Enricher
	Log      *zap.Logger
	Registry prometheus.Registerer
	Now      func() time.Time // the clock; nil means time.Now
}

// Service is the enrich service.
type Service struct {
	cfg      Config
	deps     Deps
	consumer *bus.Consumer
	out      *bus.Producer
	dead     *bus.Producer
	articles *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// New checks cfg and deps; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Cluster == nil || deps.Enricher == nil {
		return nil, errors.New("enrich lacks a Kafka cluster or a recipe")
	}
	cfg.Workers = cmp.Or(cfg.Workers, runtime.GOMAXPROCS(0))
	cfg.BatchRecords = cmp.Or(cfg.BatchRecords, 200)
	if deps.Log == nil {
		deps.Log = zap.NewNop()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s := &Service{
		cfg: cfg, deps: deps,
		out:  bus.NewProducer(deps.Cluster, bus.TopicEnriched),
		dead: bus.NewProducer(deps.Cluster, bus.TopicDead),
		articles: metric.Register(deps.Registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_enrich_articles_total", Help: "Articles by outcome: enriched, passed (not usable), rejected.",
		}, []string{"outcome"})),
		seconds: metric.Register(deps.Registry, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "marsad_enrich_seconds", Buckets: metric.Latency(),
			Help: "phase=recipe: work on one article; phase=received: from arrival to durable in articles.enriched.",
		}, []string{"phase"})),
	}
	var err error
	s.consumer, err = bus.NewConsumer(bus.ConsumerConfig{
		Cluster: deps.Cluster, Group: Group, Topic: bus.TopicClean, Stage: stage, DeadLetters: s.dead,
		Open:         func(context.Context, int) (bus.Handler, error) { return s.handle, nil },
		BatchRecords: cfg.BatchRecords, MaxInFlight: cfg.MaxInFlight, DrainTimeout: cfg.DrainTimeout,
		Log: deps.Log, Metrics: bus.NewMetrics(deps.Registry),
	})
	return s, err
}

// Run enriches until ctx ends, then drains.
func (s *Service) Run(ctx context.Context) error {
	return errors.Join(s.consumer.Run(ctx), bus.CloseAll(s.out, s.dead))
}

// Ready is nil while the service enriches.
func (s *Service) Ready() error { return s.consumer.Ready() }

// result is what became of one record.
type result struct {
	msg      bus.Message
	received time.Time
	usable   bool
	err      error
}

// handle enriches a batch on all workers and writes it in its order.
func (s *Service) handle(ctx context.Context, batch []bus.Record) error {
	results := make([]result, len(batch))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(s.cfg.Workers, len(batch)) {
		wg.Go(func() {
			for i := range next {
				results[i] = s.one(ctx, batch[i])
			}
		})
	}
	for i := range batch {
		next <- i
	}
	close(next)
	wg.Wait()
	return s.deliver(ctx, batch, results)
}

// deliver writes what was enriched and names what was not.
func (s *Service) deliver(ctx context.Context, batch []bus.Record, results []result) error {
	var msgs []bus.Message
	var failed []bus.RecordError
	for i, r := range results {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(r.err, article.ErrSchema):
			return &bus.OutageError{Err: fmt.Errorf("%s offset %d: %w", batch[i].Topic, batch[i].Offset, r.err)}
		case r.err != nil:
			failed = append(failed, bus.RecordError{Index: i, Err: r.err, Do: bus.Reject})
		default:
			msgs = append(msgs, r.msg)
		}
	}
	if err := s.out.Write(ctx, msgs...); err != nil {
		return err
	}
	s.count(results)
	if failed != nil {
		return &bus.BatchError{Records: failed}
	}
	return nil
}

// one enriches one record. A panic in a stage is that record's failure.
func (s *Service) one(ctx context.Context, r bus.Record) (res result) {
	defer func() {
		if v := recover(); v != nil {
			s.deps.Log.Error("stage panicked", zap.Any("panic", v), zap.ByteString("article", r.Key), zap.ByteString("stack", debug.Stack()))
			res.err = fmt.Errorf("panic: %v", v)
		}
	}()
	a, err := article.Decode(r.Value)
	if err != nil {
		return result{err: err}
	}
	kind := bus.TypeRetracted
	if a.Status == article.Usable {
		kind = bus.TypeEnriched
		start := time.Now()
		if err := s.deps.Enricher.Enrich(ctx, &a); err != nil {
			return result{err: err}
		}
		s.seconds.WithLabelValues("recipe").Observe(time.Since(start).Seconds())
	}
	now := s.deps.Now()
	a.Enriched = now.UTC()
	value, err := article.Encode(&a)
	if err == nil && len(value) > maxEnriched {
		err = fmt.Errorf("article has %d bytes once enriched, at most %d fit", len(value), maxEnriched)
	}
	if err != nil {
		return result{err: err}
	}
	id := fmt.Sprintf("%s/%d", a.ID, a.Revision)
	return result{
		received: a.Received, usable: a.Status == article.Usable,
		msg: bus.Message{Key: []byte(a.ID), Value: value,
			Headers: bus.EventHeaders(id, kind, "/marsad/enrich", r.Header(bus.HeaderTraceParent), now)},
	}
}

func (s *Service) count(results []result) {
	now := s.deps.Now()
	for _, r := range results {
		switch {
		case r.err != nil:
			s.articles.WithLabelValues("rejected").Inc()
			continue
		case r.usable:
			s.articles.WithLabelValues("enriched").Inc()
		default:
			s.articles.WithLabelValues("passed").Inc()
		}
		s.seconds.WithLabelValues("received").Observe(now.Sub(r.received).Seconds())
	}
}
