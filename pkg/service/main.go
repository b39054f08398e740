package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
)

// EnvPrefix begins the environment variables of all programs.
const EnvPrefix = "MARSAD"

// Common is the part of the configuration that every process has.
type Common struct {
	Listen string `yaml:"listen"` // host:port of HTTP
	Log    struct {
		Format string `yaml:"format"` // json or console
		Level  string `yaml:"level"`  // debug, info, warn or error
	} `yaml:"log"`
	Kafka struct {
		bus.Settings `yaml:",inline"`
		CreateTopics bool `yaml:"create_topics"` // create missing topics at start
	} `yaml:"kafka"`
}

// DefaultCommon is what a service that runs alone starts from.
func DefaultCommon() Common {
	var c Common
	c.Listen = "127.0.0.1:8080"
	c.Log.Format, c.Log.Level = "json", "info"
	c.Kafka.Brokers = []string{"127.0.0.1:9092"}
	return c
}

// Process is a running process: what a service is wired to.
type Process struct {
	Log      *zap.Logger
	Registry *prometheus.Registry
	Cluster  *bus.Cluster
	Server   *Server
}

// Part is a service as a process runs it: Run blocks until ctx ends.
type Part struct {
	Run   func(ctx context.Context) error
	Ready func() error
}

// Main is the main function of a service's own binary: it reads flags,
// environment and file into cfg (which embeds or holds common), connects,
// calls wire, and runs the parts until SIGINT or SIGTERM. The exit status is
// returned: 0 after an orderly end, 1 after a failure, 2 for bad usage.
func Main(name string, cfg any, common *Common, wire func(*Process) ([]Part, error)) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	file := flags.String("config", "", "YAML file with the configuration")
	var sets repeated
	flags.Var(&sets, "set", "`key=value` of the configuration; may be repeated")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "%s: a service of Marsad.\n\nUsage: %s [--config FILE] [--set key=value]…\n\n", name, name)
		flags.PrintDefaults()
		fmt.Fprintf(flags.Output(), "\nKeys, also by environment (%s):\n", EnvName(EnvPrefix, "kafka.brokers"))
		for _, k := range Keys(cfg) {
			fmt.Fprintln(flags.Output(), "  ", k)
		}
	}
	if err := flags.Parse(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: unexpected argument %q\n", name, flags.Arg(0))
		return 2
	}
	if err := Load(cfg, *file, EnvPrefix, os.Environ(), sets); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 2
	}
	defer ballast()()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, name, common, wire); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

type repeated []string

func (r *repeated) String() string     { return strings.Join(*r, " ") }
func (r *repeated) Set(s string) error { *r = append(*r, s); return nil }

func run(ctx context.Context, name string, common *Common, wire func(*Process) ([]Part, error)) error {
	log, err := NewLogger(common.Log.Format, common.Log.Level)
	if err != nil {
		return err
	}
	defer func() { _ = log.Sync() }() // standard error cannot always be synced
	cluster, err := bus.Open(common.Kafka.Settings, "marsad-"+name)
	if err != nil {
		return err
	}
	defer cluster.Close()
	reg := NewRegistry()
	server, err := Listen(ctx, common.Listen, reg, log)
	if err != nil {
		return err
	}
	if common.Kafka.CreateTopics {
		start, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := cluster.CreateTopics(start, bus.Topics(), 0)
		cancel()
		if err != nil {
			return err
		}
	}
	parts, err := wire(&Process{Log: log, Registry: reg, Cluster: cluster, Server: server})
	if err != nil {
		return err
	}
	log.Info("started", zap.String("service", name), zap.String("listen", server.Addr()), zap.String("build", bus.Build()))
	return RunParts(ctx, server, parts)
}

// RunParts runs the parts and the server until ctx ends or one of them fails;
// then all end at the same time, the server giving requests under way 2 s. The
// error joins all that went wrong.
//
// So a process ends within 5 s of its signal, also where nothing answers: a
// bus.Consumer takes its DrainTimeout (3 s) and a second for the last commit,
// then its service's producers half a second.
func RunParts(ctx context.Context, server *Server, parts []Part) error {
	runs := []func(context.Context) error{func(ctx context.Context) error { return server.Run(ctx, 2*time.Second) }}
	for _, p := range parts {
		runs = append(runs, p.Run)
		if p.Ready != nil {
			server.AddReady(p.Ready)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(runs))
	var wg sync.WaitGroup
	for i, run := range runs {
		wg.Go(func() {
			if errs[i] = run(ctx); errs[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// NewRegistry returns a registry with the metrics of the Go runtime and the
// process.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
