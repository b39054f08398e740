// Package index writes enriched articles into the search index.
//
//	articles.enriched ─► batches by size and age ─► search.Writer
//	                                                  │ refused by the index
//	                                                  └─► articles.dlq
//
// An offset is committed only once the writer says that the article is
// durable. Order does not matter: the writer keeps the highest version.
package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/metric"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Group is the consumer group of the service.
const Group = "marsad-index"

const stage = "index"

// DefaultMaxMemory is the bound on the process's memory, in bytes. A record
// being handled takes about five times its size at most: itself, decoded, and
// as a document of which each text is there three times; the rest is for what
// is fetched and for the garbage collector.
const DefaultMaxMemory = 512 << 20

// Config is the service's configuration.
type Config struct {
	Topic           string        `yaml:"topic"`            // what is indexed; empty means articles.enriched
	FetchInterval   time.Duration `yaml:"fetch_interval"`   // between fetches that brought all there was, at least; zero means 10 ms
	BatchRecords    int           `yaml:"batch_records"`    // articles in a batch at most; zero means 500
	BatchBytes      int           `yaml:"batch_bytes"`      // bytes in a batch at most; zero means 4 MiB
	BatchAge        time.Duration `yaml:"batch_age"`        // how long a batch may wait to fill; zero means 20 ms
	Concurrency     int           `yaml:"concurrency"`      // batches of a partition written at once; zero means 2
	MaxMemory       int64         `yaml:"max_memory"`       // bytes that the process may take, where it runs alone; zero means 512 MiB
	MaxInFlight     int64         `yaml:"max_in_flight"`    // bytes of records being handled; zero means a sixteenth of MaxMemory
	RetentionMonths int           `yaml:"retention_months"` // articles of older buckets are not indexed, and their months dropped; zero means all are kept
	DrainTimeout    time.Duration `yaml:"drain_timeout"`    // zero means 3 s
}

// Deps is what the service is wired to. Cluster and Writer are required.
type Deps struct {
	Cluster  *bus.Cluster
	Writer   search.Writer
	Log      *zap.Logger
	Registry prometheus.Registerer
	Now      func() time.Time // the clock; nil means time.Now
}

// Service is the index service.
type Service struct {
	cfg      Config
	deps     Deps
	consumer *bus.Consumer
	dead     *bus.Producer
	articles *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// New checks cfg and deps; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Cluster == nil || deps.Writer == nil {
		return nil, errors.New("index lacks a Kafka cluster or a search index")
	}
	if cfg.RetentionMonths < 0 {
		return nil, fmt.Errorf("index.retention_months is %d, must be 0 or more", cfg.RetentionMonths)
	}
	cfg.Topic = cmp.Or(cfg.Topic, bus.TopicEnriched)
	cfg.BatchAge = cmp.Or(cfg.BatchAge, 20*time.Millisecond)
	cfg.Concurrency = cmp.Or(cfg.Concurrency, 2)
	cfg.MaxMemory = cmp.Or(cfg.MaxMemory, DefaultMaxMemory)
	cfg.MaxInFlight = cmp.Or(cfg.MaxInFlight, cfg.MaxMemory/16)
	if deps.Log == nil {
		deps.Log = zap.NewNop()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s := &Service{
		cfg: cfg, deps: deps, dead: bus.NewProducer(deps.Cluster, bus.TopicDead),
		articles: metric.Register(deps.Registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_index_articles_total",
			Help: "Articles by outcome: indexed, tombstoned, superseded, expired, rejected.",
		}, []string{"outcome"})),
		seconds: metric.Register(deps.Registry, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "marsad_index_seconds", Buckets: metric.Latency(),
			Help: "From arrival (since=received) and from enrichment (since=enriched) to durable in the index; with the embedded index that is searchable.",
		}, []string{"since"})),
	}
	var err error
	s.consumer, err = bus.NewConsumer(bus.ConsumerConfig{
		Cluster: deps.Cluster, Group: Group, Topic: cfg.Topic, Stage: stage, DeadLetters: s.dead,
		Open:          func(context.Context, int) (bus.Handler, error) { return s.handle, nil },
		FetchInterval: cfg.FetchInterval,
		BatchRecords:  cfg.BatchRecords, BatchBytes: cfg.BatchBytes, BatchAge: cfg.BatchAge,
		Concurrency: cfg.Concurrency, MaxInFlight: cfg.MaxInFlight, DrainTimeout: cfg.DrainTimeout,
		Log: deps.Log, Metrics: bus.NewMetrics(deps.Registry),
	})
	return s, err
}

// Run indexes until ctx ends, then drains. With a retention it also drops old
// months, where the index can.
func (s *Service) Run(ctx context.Context) error {
	var dropping sync.WaitGroup
	defer dropping.Wait()
	working, stop := context.WithCancel(ctx)
	defer stop() // also where the consumer ends by itself
	dropping.Go(func() { s.dropOld(working) })
	return errors.Join(s.consumer.Run(ctx), s.dead.Close())
}

// Ready is nil while the service indexes.
func (s *Service) Ready() error { return s.consumer.Ready() }

// handle writes a batch and turns the index's refusals into dispositions.
func (s *Service) handle(ctx context.Context, batch []bus.Record) error {
	var (
		articles []article.Article
		origin   []int // index in batch of each article
		failed   []bus.RecordError
	)
	oldest := OldestBucket(s.cfg.RetentionMonths, s.deps.Now())
	for i, r := range batch {
		a, err := article.Decode(r.Value)
		switch {
		case errors.Is(err, article.ErrSchema):
			return &bus.OutageError{Err: fmt.Errorf("%s offset %d: %w", r.Topic, r.Offset, err)}
		case err != nil:
			failed = append(failed, bus.RecordError{Index: i, Err: err, Do: bus.Reject})
		case a.Bucket < oldest:
			s.articles.WithLabelValues("expired").Inc()
		default:
			articles, origin = append(articles, a), append(origin, i)
		}
	}
	outcomes, err := s.deps.Writer.Write(ctx, articles)
	refused, err := Refused(err, origin)
	if err != nil {
		return err
	}
	failed = append(failed, refused...)
	s.count(articles, outcomes, failed)
	if failed != nil {
		return &bus.BatchError{Records: failed}
	}
	return nil
}

// Refused turns the error of a search.Writer into what a bus.Handler says of it:
// the records whose articles were refused, origin[i] being the record of the
// i-th article, or an error that speaks for all of them.
func Refused(err error, origin []int) (failed []bus.RecordError, whole error) {
	var refused *search.BatchError
	switch {
	case errors.As(err, &refused):
		for _, item := range refused.Items {
			do := bus.Retry
			switch {
			case item.Permanent:
				do = bus.Reject
			case item.Doubtful:
				do = bus.Doubt
			}
			failed = append(failed, bus.RecordError{Index: origin[item.Index], Err: item.Err, Do: do})
		}
		return failed, nil
	case errors.Is(err, search.ErrOutage):
		return nil, &bus.OutageError{Err: err}
	}
	return nil, err
}

// OldestBucket is the first month that is indexed with this retention (the
// configuration's retention_months) at this time, or "" where all are.
func OldestBucket(retentionMonths int, now time.Time) string {
	if retentionMonths == 0 {
		return ""
	}
	now = now.UTC()
	return time.Date(now.Year(), now.Month()-time.Month(retentionMonths), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

func (s *Service) count(articles []article.Article, outcomes []search.Outcome, failed []bus.RecordError) {
	names := map[search.Outcome]string{search.Indexed: "indexed", search.Tombstoned: "tombstoned", search.Superseded: "superseded"}
	now := s.deps.Now()
	for i, o := range outcomes {
		if o == search.Failed {
			continue
		}
		s.articles.WithLabelValues(names[o]).Inc()
		s.seconds.WithLabelValues("received").Observe(now.Sub(articles[i].Received).Seconds())
		s.seconds.WithLabelValues("enriched").Observe(now.Sub(articles[i].Enriched).Seconds())
	}
	for _, f := range failed {
		if f.Do == bus.Reject {
			s.articles.WithLabelValues("rejected").Inc()
		}
	}
}
