package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/test/stack"
)

// servers are real Kafka and Elasticsearch. The tests share them and what they
// hold, unless one fails: the next has new ones.
type servers struct {
	dir           string // all logs
	kafka         *stack.Server
	elasticsearch *stack.Server
	cluster       *bus.Cluster
	index         *elastic.Index
}

var shared *servers

func startServers(ctx context.Context) (*servers, error) {
	dir, err := os.MkdirTemp("", "marsad-chaos-")
	if err != nil {
		return nil, err
	}
	s := &servers{dir: dir}
	if s.kafka, err = stack.StartKafka(ctx, stack.Options{Dir: filepath.Join(dir, "kafka")}); err != nil {
		return nil, err
	}
	if s.elasticsearch, err = stack.StartElasticsearch(ctx, stack.Options{Dir: filepath.Join(dir, "elasticsearch"), Heap: "1g"}); err != nil {
		return nil, errors.Join(err, s.kafka.Stop())
	}
	if s.cluster, err = bus.Open(bus.Settings{Brokers: []string{s.kafka.Addr}}, "chaos"); err == nil {
		err = s.cluster.CreateTopics(ctx, bus.Topics(), 0)
	}
	if err == nil {
		s.index, err = elastic.Open(elastic.Settings{Addresses: []string{"http://" + s.elasticsearch.Addr}})
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *servers) stop() error { return errors.Join(s.elasticsearch.Stop(), s.kafka.Stop()) }

// rig is the whole pipeline for one test.
type rig struct {
	*servers
	t        *testing.T
	dir      string // logs of its processes
	proxy    *proxy
	services map[string]*process // running, by name
}

// newRig starts the four services; index reaches Elasticsearch through a
// proxy. Everything ends with the test; after a failure the logs stay.
func newRig(t *testing.T) *rig {
	t.Helper()
	if shared == nil {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		s, err := startServers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		shared = s
	}
	r := &rig{servers: shared, t: t, services: map[string]*process{}}
	r.dir = filepath.Join(r.servers.dir, t.Name())
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.proxy = newProxy("http://" + r.elasticsearch.Addr)
	front := httptest.NewServer(r.proxy)
	t.Cleanup(func() {
		r.end()
		r.proxy.set(nil)
		front.Close()
	})
	for _, name := range []string{"ingest", "enrich", "index", "web"} {
		elastic := "http://" + r.elasticsearch.Addr
		if name == "index" {
			elastic = front.URL
		}
		r.launch(name, elastic)
	}
	for _, p := range r.services {
		if err := eventually(t.Context(), time.Minute, func() error { return p.ready(t.Context()) }); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// with gives the rig to a subtest.
func (r *rig) with(t *testing.T) *rig {
	sub := *r
	sub.t = t
	return &sub
}

// launch starts one more service.
func (r *rig) launch(name, elastic string) *process {
	r.t.Helper()
	args := []string{"--set", "kafka.brokers=[" + r.kafka.Addr + "]"}
	if strings.HasPrefix(name, "index") || name == "web" {
		args = append(args, "--set", "elasticsearch.addresses=["+elastic+"]")
	}
	p, err := newProcess(r.dir, name, args...)
	if err == nil {
		err = p.start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.services[name] = p
	return p
}

// end ends all processes, tells of those that had ended by themselves, and
// leaves the servers to the next test unless this one failed.
func (r *rig) end() {
	for _, p := range r.services {
		if !p.alive() && !p.ended {
			r.t.Errorf("%s ended by itself: %v", p.name, p.err)
		}
		p.signal(syscall.SIGCONT) // it may be stopped
		if _, err := p.terminate(10 * time.Second); err != nil {
			r.t.Logf("ending %s: %v", p.name, err)
		}
	}
	if r.t.Failed() {
		r.t.Logf("the logs are in %s", r.servers.dir)
		shared = nil
		if err := r.stop(); err != nil {
			r.t.Log(err)
		}
	}
}

// balance draws up the ledger with the program itself; it must balance.
func (r *rig) balance(wait time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), wait+5*time.Minute)
	defer cancel()
	start := time.Now()
	out := r.marsad(ctx, "ledger", "--wait", wait.String())
	lines := strings.Split(strings.TrimSpace(out), "\n")
	r.t.Logf("at rest after %v, %s", time.Since(start).Round(time.Millisecond), strings.TrimSpace(lines[len(lines)-1]))
}

// marsad runs a command on the servers and gives what it printed.
func (r *rig) marsad(ctx context.Context, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "marsad"), append(args,
		"--set", "kafka.brokers=["+r.kafka.Addr+"]", "--set", "elasticsearch.addresses=[http://"+r.elasticsearch.Addr+"]")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("marsad %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// readyAll waits until every service is ready.
func (r *rig) readyAll(within time.Duration) {
	r.t.Helper()
	for _, p := range r.services {
		if err := eventually(r.t.Context(), within, func() error { return p.ready(r.t.Context()) }); err != nil {
			r.t.Fatal(err)
		}
	}
}

// letters gives the reasons of the dead letters of a stage whose value has a
// text.
func (r *rig) letters(stage, text string) (reasons []string) {
	r.t.Helper()
	first, _, err := r.cluster.Offsets(r.t.Context(), bus.TopicDead)
	if err != nil {
		r.t.Fatal(err)
	}
	for p := range first {
		_, err := r.cluster.ReadAll(r.t.Context(), bus.TopicDead, p, func(l bus.Record) error {
			if l.Header(bus.DeadStage) == stage && contains(l.Value, text) {
				reasons = append(reasons, l.Header(bus.DeadReason))
			}
			return nil
		})
		if err != nil {
			r.t.Fatal(fmt.Errorf("reading dead letters: %w", err))
		}
	}
	return reasons
}
