package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
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
// the server is the last to stop. The error joins all that went wrong.
func RunParts(ctx context.Context, server *Server, parts []Part) error {
	for _, p := range parts {
		if p.Ready != nil {
			server.AddReady(p.Ready)
		}
	}
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	served := make(chan error, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		go func() { served <- server.Run(serving, 2*time.Second) }()
		select {
		case err := <-served:
			served <- nil
			return err
		case <-ctx.Done():
			return nil
		}
	})
	for _, p := range parts {
		g.Go(func() error { return p.Run(ctx) })
	}
	err := g.Wait()
	stopServing()
	return errors.Join(err, <-served)
}

// NewRegistry returns a registry with the metrics of the Go runtime and the
// process.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
