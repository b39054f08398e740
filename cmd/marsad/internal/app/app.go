// Package app runs all of Marsad in one process, over an embedded Kafka broker
// and an embedded index.
//
//	              ┌────────────────────── one HTTP listener ─────────────────────┐
//	POST /v1/articles                                    /, /v1/search, /v1/stream
//	    │                                                                 ▲
//	    ▼                                                                 │
//	ingest ──► enrich ──► index ──► bleve (data/index) ──────────────► web
//	    └────────┴──────────┴── kfake (data/kafka), real protocol ───────┘
//
// No service knows which broker or index it has: the difference lies in what
// is passed to the constructors here.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/marsad-news/marsad/cmd/marsad/internal/broker"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/medtop"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/pkg/search/embedded"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/index"
	"github.com/marsad-news/marsad/services/ingest"
	"github.com/marsad-news/marsad/services/web"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Config is the configuration of the whole process.
type Config struct {
	Listen string `yaml:"listen"` // host:port of HTTP, port 0 for a free one
	Data   string `yaml:"data"`   // folder of all data
	Log    struct {
		Format string `yaml:"format"` // json or console
		Level  string `yaml:"level"`  // debug, info, warn or error
	} `yaml:"log"`
	Kafka struct {
		Port         int              `yaml:"port"` // of the embedded broker on loopback; 0 for a free one
		bus.Settings `yaml:",inline"` // of the cluster that commands other than up and demo work on
	} `yaml:"kafka"`
	Elasticsearch elastic.Settings `yaml:"elasticsearch"` // likewise
	Ingest        ingest.Config    `yaml:"ingest"`
	Enrich        enrich.Config    `yaml:"enrich"`
	Index         index.Config     `yaml:"index"`
	Web           web.Config       `yaml:"web"`
}

// Default is the configuration without file, environment and flags.
func Default() Config {
	c := Config{Listen: "127.0.0.1:8080", Data: "marsad-data"}
	c.Log.Format, c.Log.Level = "console", "info"
	return c
}

// Address is what a running process writes into its data folder, for the
// other commands to find it.
type Address struct {
	HTTP  string `json:"http"`  // host:port
	Kafka string `json:"kafka"` // host:port
	PID   int    `json:"pid"`
}

const addressFile = "marsad.json"

// App is a running process's parts. Close it after Run.
type App struct {
	Registry *prometheus.Registry
	Cluster  *bus.Cluster
	Index    *embedded.Index
	Address  Address

	cfg    Config
	log    *zap.Logger
	lock   *flock.Flock
	broker *broker.Broker
	server *service.Server
	parts  []service.Part
}

// Open starts broker, index and listener and wires the services. wrap, where
// not nil, is put around the index's writer (to measure).
func Open(ctx context.Context, cfg Config, log *zap.Logger, wrap func(search.Writer) search.Writer) (*App, error) {
	a := &App{cfg: cfg, log: log, Registry: service.NewRegistry()}
	if err := a.open(ctx, wrap); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) open(ctx context.Context, wrap func(search.Writer) search.Writer) error {
	if err := a.lockData(); err != nil {
		return err
	}
	var err error
	if a.broker, err = broker.Start(filepath.Join(a.cfg.Data, "kafka"), a.cfg.Kafka.Port, a.log); err != nil {
		return err
	}
	if a.Cluster, err = bus.NewCluster(bus.ClusterConfig{Brokers: []string{a.broker.Addr()}}); err != nil {
		return err
	}
	start, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := a.Cluster.CreateTopics(start, bus.Topics(), 1); err != nil {
		return err
	}
	if a.Index, err = embedded.Open(embedded.Config{Dir: filepath.Join(a.cfg.Data, "index")}); err != nil {
		return err
	}
	if a.server, err = service.Listen(ctx, a.cfg.Listen, a.Registry, a.log); err != nil {
		return err
	}
	var writer search.Writer = a.Index
	if wrap != nil {
		writer = wrap(writer)
	}
	if err := a.wire(writer); err != nil {
		return err
	}
	return a.writeAddress()
}

// wire makes the services, in the order in which articles pass them.
func (a *App) wire(writer search.Writer) error {
	in, err := ingest.New(a.cfg.Ingest, ingest.Deps{Cluster: a.Cluster, Log: a.log, Registry: a.Registry})
	if err != nil {
		return err
	}
	base, err := kb.Load()
	if err != nil {
		return err
	}
	topics, err := medtop.Load()
	if err != nil {
		return err
	}
	recipe, err := enrich.NewEnricher(enrich.WithBase(base), enrich.WithTopics(topics))
	if err != nil {
		return err
	}
	en, err := enrich.New(a.cfg.Enrich, enrich.Deps{Cluster: a.Cluster, Enricher: recipe, Log: a.log, Registry: a.Registry})
	if err != nil {
		return err
	}
	ix, err := index.New(a.cfg.Index, index.Deps{Cluster: a.Cluster, Writer: writer, Log: a.log, Registry: a.Registry})
	if err != nil {
		return err
	}
	wb, err := web.New(a.cfg.Web, web.Deps{
		Reader: a.Index, Feed: bus.NewFeed(a.Cluster, bus.TopicEnriched), Labels: web.NewLabels(base, topics), Log: a.log, Registry: a.Registry,
	})
	if err != nil {
		return err
	}
	in.Register(a.server.Mux)
	wb.Register(a.server.Mux)
	a.parts = []service.Part{
		{Run: in.Run, Ready: in.Ready}, {Run: en.Run, Ready: en.Ready},
		{Run: ix.Run, Ready: ix.Ready}, {Run: wb.Run, Ready: wb.Ready},
	}
	return nil
}

// Run runs the services until ctx ends, then drains them.
func (a *App) Run(ctx context.Context) error {
	return service.RunParts(ctx, a.server, a.parts)
}

// Ready is nil when all services process. It holds once Run has begun.
func (a *App) Ready() error {
	var errs []error
	for _, p := range a.parts {
		errs = append(errs, p.Ready())
	}
	return errors.Join(errs...)
}

// Close closes what Open opened, in reverse order.
func (a *App) Close() error {
	var err error
	if a.Index != nil {
		err = a.Index.Close()
	}
	if a.Cluster != nil {
		a.Cluster.Close()
	}
	if a.broker != nil {
		a.broker.Close()
	}
	if a.lock != nil {
		os.Remove(filepath.Join(a.cfg.Data, addressFile)) // stale ones are harmless
		err = errors.Join(err, a.lock.Unlock())
	}
	return err
}

// lockData takes the data folder for this process.
func (a *App) lockData() error {
	if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	lock := flock.New(filepath.Join(a.cfg.Data, "lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("locking data folder %s: %w", a.cfg.Data, err)
	}
	if !ok {
		return fmt.Errorf("data folder %s is in use by another marsad: stop it, or choose another folder with --data", a.cfg.Data)
	}
	a.lock = lock
	return nil
}

func (a *App) writeAddress() error {
	a.Address = Address{HTTP: a.server.Addr(), Kafka: a.broker.Addr(), PID: os.Getpid()}
	b, err := json.Marshal(a.Address)
	if err != nil {
		return err
	}
	name := filepath.Join(a.cfg.Data, addressFile)
	if err := os.WriteFile(name+".tmp", b, 0o600); err != nil {
		return fmt.Errorf("writing address: %w", err)
	}
	return os.Rename(name+".tmp", name)
}

// ReadAddress finds the process that runs over the data folder.
func ReadAddress(data string) (Address, error) {
	b, err := os.ReadFile(filepath.Join(data, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return Address{}, fmt.Errorf("no marsad runs over data folder %s: start one with \"marsad up\", or name its address", data)
	}
	if err != nil {
		return Address{}, err
	}
	var a Address
	if err := json.Unmarshal(b, &a); err != nil {
		return Address{}, fmt.Errorf("%s: %w", addressFile, err)
	}
	return a, nil
}
