package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
)

// victim is something that can be killed and started again.
type victim struct {
	name  string
	kill  func()
	start func(context.Context) error
	mu    sync.Mutex // held while it is down
	times int
}

// killer kills victims at random, a server while others die too.
type killer struct {
	r       *rig
	victims []*victim
	deck    []*victim      // whose turn it is: everybody's before anybody's second
	rising  sync.WaitGroup // servers
	failed  chan error
}

func newKiller(r *rig) *killer {
	k := &killer{r: r, failed: make(chan error, 1000)}
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		p := r.services[name]
		k.victims = append(k.victims, &victim{name: p.name, kill: p.kill, start: func(context.Context) error { return p.start() }})
	}
	k.victims = append(k.victims,
		&victim{name: "Kafka", kill: r.kafka.Kill, start: r.kafka.Restart},
		&victim{name: "Elasticsearch", kill: r.elasticsearch.Kill, start: r.elasticsearch.Restart})
	return k
}

// strike kills the next victim and has it started again: a service at
// once, a server in the background, because it takes seconds.
func (k *killer) strike(rnd *rand.Rand) {
	if len(k.deck) == 0 {
		k.deck = slices.Clone(k.victims)
		rnd.Shuffle(len(k.deck), func(i, j int) { k.deck[i], k.deck[j] = k.deck[j], k.deck[i] })
	}
	v := k.deck[0]
	k.deck = k.deck[1:]
	v.mu.Lock() // it may still be coming up
	v.times++
	v.kill()
	k.rising.Go(func() {
		defer v.mu.Unlock()
		if err := v.start(k.r.t.Context()); err != nil {
			k.failed <- fmt.Errorf("starting %s again: %w", v.name, err)
		}
	})
}

// done waits until everything is up, and tells what was killed how often.
func (k *killer) done() string {
	k.r.t.Helper()
	k.rising.Wait()
	close(k.failed)
	var errs []error
	for err := range k.failed {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		k.r.t.Fatal(err)
	}
	var times []string
	for _, v := range k.victims {
		times = append(times, fmt.Sprintf("%s %d", v.name, v.times))
	}
	return strings.Join(times, ", ")
}

// TestKills kills services, broker and Elasticsearch at random points while
// articles are written: nothing is lost, nothing is there twice, the latest
// revision is everywhere.
func TestKills(t *testing.T) {
	r, rnd := newRig(t), random(t)
	l, k := startLoad(r, rnd), newKiller(r)
	start, share := time.Now(), *articles/(*kills+1)
	for i := range *kills {
		l.allow(share)
		l.wait(int64(i*share+rnd.IntN(share)), 5*time.Minute)
		k.strike(rnd)
	}
	l.allow(*articles - *kills*share)
	l.finish(10 * time.Minute)
	times := k.done()
	t.Logf("%d kills (%s), %d articles in %v", *kills, times, *articles, time.Since(start).Round(time.Second))
	r.balance(5 * time.Minute)
	l.verify()
	r.wantAllPartitions()
}

// wantAllPartitions wants records in every partition of articles.raw.
func (r *rig) wantAllPartitions() {
	r.t.Helper()
	_, next, err := r.cluster.Offsets(r.t.Context(), bus.TopicRaw)
	if err != nil {
		r.t.Fatal(err)
	}
	for p, n := range next {
		if n == 0 {
			r.t.Errorf("partition %d of %s was not used", p, bus.TopicRaw)
		}
	}
}
