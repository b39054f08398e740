package chaos

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// paused is longer than the group's session time-out of 6 s.
const paused = 8 * time.Second

// TestPause stops each service, and then each server, for longer than the
// group's session lasts: whoever takes over, and whoever wakes up, repeats
// nothing that shows and loses nothing.
func TestPause(t *testing.T) {
	r := newRig(t)
	l := startLoad(r, random(t))
	stop := l.flow(100)
	for _, name := range []string{"ingest", "enrich", "index", "web"} {
		p := r.services[name]
		p.signal(syscall.SIGSTOP)
		time.Sleep(paused)
		p.signal(syscall.SIGCONT)
		r.readyAll(time.Minute)
	}
	for _, s := range []interface {
		Pause()
		Resume()
	}{r.kafka, r.elasticsearch} {
		s.Pause()
		time.Sleep(paused)
		s.Resume()
		r.readyAll(time.Minute)
	}
	stop()
	l.finish(2 * time.Minute)
	r.balance(2 * time.Minute)
	l.verify()
}

// TestFaults has Elasticsearch misbehave in one way after the other under
// load. While it does nothing is given up; after it, everything goes on by
// itself.
func TestFaults(t *testing.T) {
	r := newRig(t)
	rnd := random(t)
	for _, c := range []struct {
		name   string
		fault  fault
		outage bool // nothing at all can be written: index says so
	}{
		{"black hole", blackHole, false},
		{"half of the items rejected", halfRejected, false},
		{"429", always(http.StatusTooManyRequests, "circuit_breaking_exception", "[parent] Data too large"), false},
		{"503", always(http.StatusServiceUnavailable, "unavailable_shards_exception", "primary shard is not active"), false},
		{"flood stage", blocked(http.StatusTooManyRequests, "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block"), true},
		{"write block", blocked(http.StatusForbidden, "FORBIDDEN/8/index write (api)"), true},
		{"401", always(http.StatusUnauthorized, "security_exception", "missing authentication credentials"), true},
		{"413 over 64 KiB", tooLarge(64 << 10), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := r.with(t)
			l := startLoad(r, rnd)
			r.proxy.set(c.fault)
			l.allow(500) // at once, so that batches are large
			stop := l.flow(100)
			time.Sleep(*lasting)
			if c.outage {
				r.wantNotReady(r.services["index"])
			}
			met := r.proxy.set(nil)
			lifted := time.Now()
			r.readyAll(time.Minute)
			stop()
			l.finish(time.Minute)
			r.balance(2 * time.Minute)
			t.Logf("%d requests met the fault; all was in the index %v after it", met, time.Since(lifted).Round(time.Millisecond))
			l.verify()
			if reasons := r.letters("index", l.token); len(reasons) > 0 {
				t.Errorf("index gave %d articles up, the first for %s", len(reasons), reasons[0])
			}
			if met == 0 {
				t.Error("no request met the fault")
			}
		})
	}
}

// wantNotReady wants a service to say that it cannot work.
func (r *rig) wantNotReady(p *process) {
	r.t.Helper()
	err := eventually(r.t.Context(), 20*time.Second, func() error {
		if p.ready(r.t.Context()) == nil {
			return fmt.Errorf("%s still says that it is ready", p.name)
		}
		return nil
	})
	if err != nil {
		r.t.Error(err)
	}
}

// TestBadArticle has Elasticsearch refuse one article among many: the others
// are found without waiting for it, and it lies in articles.dlq with
// Elasticsearch's own reason. Once that is gone it is replayed, and found.
func TestBadArticle(t *testing.T) {
	r := newRig(t)
	l := startLoad(r, random(t))
	poison := "poison" + l.token
	r.proxy.set(poisoned(poison))
	l.allow(*bad / 2)
	l.wait(int64(*bad/2), 2*time.Minute)
	w := writer{l: l}
	one := item{GUID: "bad", Title: poison + " " + l.token, Body: "one that cannot be indexed"}
	one.Source.ID = "s1"
	if err := w.push(t.Context(), []item{one}); err != nil {
		t.Fatal(err)
	}
	title := l.titles["s1 bad"]
	delete(l.titles, "s1 bad")
	l.allow(*bad - *bad/2)
	l.finish(2 * time.Minute)
	written := time.Now()
	r.balance(2 * time.Minute)
	t.Logf("everything was in the index at most %v after the last article was accepted", time.Since(written).Round(time.Millisecond))
	if met := r.proxy.set(nil); met == 0 {
		t.Error("the bad article did not reach the proxy")
	}
	l.verify()
	reasons := r.letters("index", poison)
	if len(reasons) != 1 || !strings.Contains(reasons[0], "strict_dynamic_mapping_exception") || !strings.Contains(reasons[0], "[poison]") {
		t.Errorf("the dead letters of the bad article give %q, want one with Elasticsearch's reason", reasons)
	}
	if n := len(r.letters("index", l.token)); n != 1 {
		t.Errorf("index gave up %d articles, want one", n)
	}
	chosen := []string{"--stage", "index", "--source", "s1", "--reason", "strict_dynamic_mapping_exception"}
	listed := strings.Split(strings.TrimSpace(r.marsad(t.Context(), append([]string{"dlq", "list"}, chosen...)...)), "\n")
	place, _, _ := strings.Cut(listed[0], " ")
	if shown := r.marsad(t.Context(), "dlq", "show", place); len(listed) != 2 || !strings.Contains(shown, poison) {
		t.Fatalf("listed %q, shown %s", listed, shown)
	}
	if said := r.marsad(t.Context(), append([]string{"dlq", "replay", "--dry-run"}, chosen...)...); !strings.Contains(said, "1 of 1 dead letters would be replayed") {
		t.Errorf("dry run: %s", said)
	}
	r.marsad(t.Context(), append([]string{"dlq", "replay"}, chosen...)...)
	r.balance(time.Minute)
	l.titles["s1 bad"] = title
	l.verify()
	if n := len(r.letters("index", poison)); n != 1 {
		t.Errorf("%d dead letters of the article that was replayed, want the first alone", n)
	}
}

// TestScale has one, three and again one of each service under load.
func TestScale(t *testing.T) {
	r := newRig(t)
	l := startLoad(r, random(t))
	stop := l.flow(200)
	for _, name := range []string{"index", "enrich", "ingest"} {
		elastic := "http://" + r.elasticsearch.Addr
		more := []*process{r.launch(name+"-2", elastic), r.launch(name+"-3", elastic)}
		r.readyAll(time.Minute)
		l.wait(l.taken.Load()+300, time.Minute)
		for _, p := range more {
			took, err := p.terminate(5 * time.Second)
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
			t.Logf("%s ended %v after SIGTERM", p.name, took.Round(time.Millisecond))
			delete(r.services, p.name)
		}
		r.readyAll(time.Minute)
		l.wait(l.taken.Load()+300, time.Minute)
	}
	stop()
	l.finish(time.Minute)
	r.balance(2 * time.Minute)
	l.verify()
}

// waiting is the number of records that a group has not committed.
func (r *rig) waiting(group, topic string) (n int64) {
	r.t.Helper()
	_, next, err := r.cluster.Offsets(r.t.Context(), topic)
	if err != nil {
		r.t.Fatal(err)
	}
	done, err := r.cluster.Committed(r.t.Context(), group, topic)
	if err != nil {
		r.t.Fatal(err)
	}
	for p := range next {
		n += next[p] - done[p]
	}
	return n
}
