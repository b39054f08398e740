package chaos

import (
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
)

// drainLimit is how long a service may take from SIGTERM to its end.
const drainLimit = 5 * time.Second

// TestTerminate ends each service by SIGTERM: at rest, with Elasticsearch
// black-holed and with Kafka black-holed. It takes at most 5 s, and a new start
// repeats what was not committed without anybody seeing it.
func TestTerminate(t *testing.T) {
	r := newRig(t)
	nothing := func() {}
	for _, c := range []struct {
		name          string
		stop, goOn    func()
		kafkaIsAbsent bool
	}{
		{"at rest", nothing, nothing, false},
		{"Elasticsearch black-holed", r.elasticsearch.Pause, r.elasticsearch.Resume, false},
		{"Kafka black-holed", r.kafka.Pause, r.kafka.Resume, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := r.with(t)
			l := startLoad(r, random(t))
			if c.name != "at rest" {
				stop := l.flow(200)
				l.wait(200, time.Minute)
				c.stop()
				time.Sleep(time.Second) // work piles up
				defer stop()
			}
			for _, name := range []string{"web", "index", "enrich", "ingest"} {
				p := r.services[name]
				took, err := p.terminate(3 * drainLimit)
				t.Logf("%s ended %v after SIGTERM: %v", name, took.Round(time.Millisecond), err)
				if took > drainLimit {
					t.Errorf("%s took %v to end", name, took.Round(time.Millisecond))
				}
				switch {
				case err != nil && !c.kafkaIsAbsent:
					t.Errorf("%s ended with %v", name, err)
				case err != nil && !p.logged(t, name+": "):
					t.Errorf("%s ended with %v and does not say why", name, err)
				}
			}
			c.goOn()
			for _, p := range r.services {
				if err := p.start(); err != nil {
					t.Fatal(err)
				}
			}
			r.readyAll(time.Minute)
			if c.name == "at rest" {
				l.allow(100)
			}
		})
		if t.Failed() {
			return
		}
	}
	r.balance(2 * time.Minute)
	if n := r.waiting(indexGroup, bus.TopicEnriched); n != 0 {
		t.Errorf("%d records wait", n)
	}
}
