package chaos

import (
	"strings"
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
	for _, c := range []struct {
		name            string
		blackHole, lift func() // nil for none
		mayFail         bool   // what is done cannot be committed
	}{
		{"at rest", nil, func() {}, false},
		{"Elasticsearch black-holed", r.elasticsearch.Pause, r.elasticsearch.Resume, false},
		{"Kafka black-holed", r.kafka.Pause, r.kafka.Resume, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := r.with(t)
			if c.blackHole != nil {
				l := startLoad(r, random(t))
				defer l.flow(200)()
				l.wait(200, time.Minute)
				c.blackHole()
				time.Sleep(time.Second) // work piles up
			}
			for _, name := range []string{"web", "index", "enrich", "ingest"} {
				p := r.services[name]
				took, err := p.terminate(3 * drainLimit)
				t.Logf("%s ended %v after SIGTERM: %v", name, took.Round(time.Millisecond), err)
				if took > drainLimit {
					t.Errorf("%s took %v to end", name, took.Round(time.Millisecond))
				}
				switch {
				case err != nil && !c.mayFail:
					t.Errorf("%s ended with %v", name, err)
				case err != nil && strings.HasPrefix(p.lastWords(t), "{"): // a line of its log
					t.Errorf("%s ended with %v and does not say why, but %q", name, err, p.lastWords(t))
				}
			}
			c.lift()
			for _, p := range r.services {
				if err := p.start(); err != nil {
					t.Fatal(err)
				}
			}
			r.readyAll(time.Minute)
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
