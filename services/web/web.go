// Package web answers people: search, single articles, the live stream and a
// small server-rendered page.
//
//	articles.enriched
//	       │ Follow, once for the process
//	       ▼
//	┌─── hub ────────────────────────┐        ┌─ search.Reader ─┐
//	│ ring of the latest events,     │        │ bleve or        │
//	│ bounded in number and bytes    │        │ Elasticsearch   │
//	└──┬──────────┬──────────┬───────┘        └──┬───────────┬──┘
//	   │ cursor   │ cursor   │ fell out          │           │
//	   ▼          ▼          ▼                   ▼           ▼
//	GET /v1/stream       catch-up: its own    /v1/search   GET /
//	one per client       Follow, a few at     /v1/articles /articles/{id}
//	                     once, then the ring
//
// # HTTP
//
//	GET /v1/search         q lang entity topic source country from to time sort
//	                       size cursor facets highlight            → SearchResult
//	GET /v1/articles/{id}  → article.Article; 404 unknown or withheld, 410 retracted
//	GET /v1/stream         q lang entity topic source country last_event_id
//	                       → text/event-stream; events article, retract,
//	                       position, reset
//	GET /                  the page: as /v1/search, unknown parameters ignored
//	GET /articles/{id}     the article as a page
//	GET /static/{file}     style, script and icon of the page
//
// README.md beside this file describes parameters, answers and events. Errors
// are RFC 9457 problem documents.
package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Config is the service's configuration.
type Config struct {
	SearchTimeout  time.Duration `yaml:"search_timeout"`   // for one search, waiting included; zero means 10 s
	Searches       int           `yaml:"searches"`         // answered at once, more wait; zero means 32
	Streams        int           `yaml:"streams"`          // open at once, more are refused; zero means 1,000
	RingEvents     int           `yaml:"ring_events"`      // latest events kept in memory; zero means 4,096
	RingBytes      int64         `yaml:"ring_bytes"`       // estimated bytes they hold; zero means 64 MiB
	Backlog        int           `yaml:"backlog"`          // records of each partition read back at start; zero means 100
	CatchUps       int           `yaml:"catch_ups"`        // streams that read the topic on their own at once, more wait; zero means 8
	CatchUpTimeout time.Duration `yaml:"catch_up_timeout"` // for one of these, after which the client has to reconnect; zero means 5 min
	Heartbeat      time.Duration `yaml:"heartbeat"`        // between signs of life on a stream; zero means 15 s
	WriteTimeout   time.Duration `yaml:"write_timeout"`    // for a client to take what is written; zero means 30 s
}

// Feed is the topic that the live stream shows. Safe for concurrent use.
type Feed interface {
	// Offsets gives the first offset kept and the next to be written of each
	// partition.
	Offsets(ctx context.Context) (first, next map[int]int64, err error)
	// Follow calls fn for every record at or after from until ctx ends or fn
	// fails, in order within a partition. Partitions missing from from start
	// at their end.
	Follow(ctx context.Context, from map[int]int64, fn func(bus.Record) error) error
}

// Labels gives names of entities and topics to show. Safe for concurrent use.
type Labels interface {
	// Label is the name of id in lang (BCP 47), empty where unknown.
	Label(id, lang string) string
}

// Deps is what the service is wired to. Reader and Feed are required.
type Deps struct {
	Reader   search.Reader
	Feed     Feed // of articles.enriched
	Labels   Labels
	Log      *zap.Logger
	Registry prometheus.Registerer
	Now      func() time.Time // the clock; nil means time.Now
}

// Service is the web service.
type Service struct {
	cfg      Config
	deps     Deps
	hub      *hub
	gate     *gate
	searches chan struct{} // a token per search under way
	catchUps chan struct{} // a token per catch-up under way
	metrics  *metrics
	pages    *pages
}

// New checks cfg and deps; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Reader == nil {
		return nil, errors.New("web lacks a search reader")
	}
	if deps.Feed == nil {
		return nil, errors.New("web lacks a feed of enriched articles")
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = zap.NewNop()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	cfg = cfg.withDefaults()
	pages, err := loadPages()
	if err != nil {
		return nil, err
	}
	return &Service{
		cfg: cfg, deps: deps, pages: pages,
		hub:      newHub(cfg, deps),
		gate:     newGate(cfg.Streams),
		searches: make(chan struct{}, cfg.Searches),
		catchUps: make(chan struct{}, cfg.CatchUps),
		metrics:  newMetrics(deps.Registry),
	}, nil
}

func (c Config) check() error {
	for name, v := range map[string]int64{
		"search_timeout": int64(c.SearchTimeout), "searches": int64(c.Searches), "streams": int64(c.Streams),
		"ring_events": int64(c.RingEvents), "ring_bytes": c.RingBytes, "backlog": int64(c.Backlog),
		"catch_ups": int64(c.CatchUps), "catch_up_timeout": int64(c.CatchUpTimeout),
		"heartbeat": int64(c.Heartbeat), "write_timeout": int64(c.WriteTimeout),
	} {
		if v < 0 {
			return fmt.Errorf("web.%s is negative: give a positive value, or 0 for the default", name)
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	c.SearchTimeout = cmp.Or(c.SearchTimeout, 10*time.Second)
	c.Searches = cmp.Or(c.Searches, 32)
	c.Streams = cmp.Or(c.Streams, 1000)
	c.RingEvents = cmp.Or(c.RingEvents, 4096)
	c.RingBytes = cmp.Or(c.RingBytes, 64<<20)
	c.Backlog = cmp.Or(c.Backlog, 100)
	c.CatchUps = cmp.Or(c.CatchUps, 8)
	c.CatchUpTimeout = cmp.Or(c.CatchUpTimeout, 5*time.Minute)
	c.Heartbeat = cmp.Or(c.Heartbeat, 15*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 30*time.Second)
	return c
}

// drainTime bounds how long Run waits for streams to end.
const drainTime = 800 * time.Millisecond

// Run follows the topic until ctx ends, then ends all streams. Streams opened
// from then on are refused.
func (s *Service) Run(ctx context.Context) error {
	s.hub.run(ctx)
	select {
	case <-s.gate.close():
		return nil
	case <-time.After(drainTime):
		return fmt.Errorf("web: streams were still open %v after they were told to end", drainTime)
	}
}

// Ready is nil while the live stream follows the topic.
func (s *Service) Ready() error { return s.hub.ready() }

// Register adds the service's routes to mux.
func (s *Service) Register(mux *http.ServeMux) {
	for _, r := range []struct {
		route  string
		handle http.HandlerFunc
		harden bool // a page, not an API
	}{
		{"/v1/search", s.search, false},
		{"/v1/articles/{id}", s.article, false},
		{"/v1/stream", s.stream, false},
		{"/{$}", s.searchPage, true},
		{"/articles/{id}", s.articlePage, true},
		{"/static/{file}", s.static, true},
	} {
		h := http.Handler(r.handle)
		if r.harden {
			h = harden(h)
		}
		mux.Handle("GET "+r.route, s.metrics.measure(r.route, h))
	}
}
