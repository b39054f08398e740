package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-json"

	"github.com/marsad-news/marsad/pkg/article"
)

// follower notes when articles were pushed, by guid, and when they came out of
// the live stream, which tells their ids, and of the search.
type follower struct {
	mu       sync.Mutex
	pushed   map[string]time.Time
	guids    map[string]string // by id, of the sample
	streamed []time.Duration
	found    map[string]time.Time // by id
	errs     []error
}

// latency pushes articles one by one at a steady rate through all services.
func (b *bench) latency(ctx context.Context, rate int) (err error) {
	es := "MARSAD_ELASTICSEARCH_ADDRESSES=[http://" + b.es.Addr + "]"
	var running []*process
	defer func() {
		for _, p := range slices.Backward(running) {
			err = errors.Join(err, p.stop())
		}
	}()
	for _, s := range []struct {
		name string
		env  []string
	}{{"ingest", []string{"MARSAD_KAFKA_CREATE_TOPICS=true"}}, {"enrich", nil}, {"index", []string{es}}, {"web", []string{es}}} {
		p, err := b.start(ctx, s.name, s.env...)
		if err != nil {
			return err
		}
		running = append(running, p)
	}
	c, err := newCorpus(b.o.bytes)
	if err != nil {
		return err
	}
	f := &follower{pushed: map[string]time.Time{}, guids: map[string]string{}, found: map[string]time.Time{}}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	opened := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { f.stream(watch, running[3].addr, opened) })
	if err := <-opened; err != nil {
		return err
	}
	wg.Go(func() { f.search(watch, b.es.Addr) })
	before := int(warmUp.Seconds() * float64(rate))
	f.push(ctx, c, running[0].addr, rate, before)
	f.settle(ctx, before)
	f.reset()
	total := int(b.o.span.Seconds() * float64(rate))
	f.push(ctx, c, running[0].addr, rate, total)
	f.settle(ctx, total)
	stop()
	wg.Wait()
	f.print(rate, total)
	return errors.Join(f.errs...)
}

// warmUp is how long articles are pushed before those that count: Java compiles
// what it runs often only after a while.
const warmUp = 30 * time.Second

// reset forgets what has been measured.
func (f *follower) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.pushed)
	clear(f.guids)
	clear(f.found)
	f.streamed = nil
}

// push sends an article at each tick, whether those before it have been
// answered or not.
func (f *follower) push(ctx context.Context, c *corpus, addr string, rate, total int) {
	guids, bodies := make([]string, total), make([][]byte, total)
	run := time.Now().UnixNano()
	for i := range total { // before, since it takes what the services need
		raw := c.raw(i)
		raw.GUID = fmt.Sprintf("%d-%d", run, i)
		raw.Body += raw.GUID
		body, err := article.Encode(&raw)
		if err != nil {
			f.fail(err)
			return
		}
		guids[i], bodies[i] = raw.GUID, body
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: 20 * time.Second}
	start := time.Now()
	var wg sync.WaitGroup
	for i := range total {
		time.Sleep(time.Until(start.Add(time.Duration(float64(i) / float64(rate) * float64(time.Second)))))
		f.mu.Lock()
		f.pushed[guids[i]] = time.Now()
		f.mu.Unlock()
		wg.Go(func() {
			if err := post(ctx, client, addr, bodies[i]); err != nil {
				f.fail(err)
			}
		})
	}
	wg.Wait()
}

// post pushes one article.
func post(ctx context.Context, client *http.Client, addr string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/v1/articles", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil { // else the connection is not used again
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("push answers %s", resp.Status)
	}
	return nil
}

func (f *follower) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// settle waits until all that was pushed has come out, for a minute at most.
func (f *follower) settle(ctx context.Context, total int) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		f.mu.Lock()
		done := len(f.streamed) >= total && len(f.found) >= len(f.guids) || len(f.errs) > 0
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			f.fail(fmt.Errorf("of %d articles %d were streamed, and %d found of %d", total, len(f.streamed), len(f.found), len(f.guids)))
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stream follows /v1/stream.
func (f *follower) stream(ctx context.Context, addr string, opened chan<- error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v1/stream", http.NoBody)
	if err != nil {
		opened <- err
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		opened <- err
		return
	}
	defer resp.Body.Close()
	opened <- nil
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 1<<20), 32<<20)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		now := time.Now()
		var a struct{ ID, GUID string }
		if err := json.Unmarshal(data, &a); err != nil {
			f.fail(err)
			return
		}
		f.mu.Lock()
		if at, ok := f.pushed[a.GUID]; ok {
			f.streamed = append(f.streamed, now.Sub(at))
			if len(f.streamed)%sampled == 0 {
				f.guids[a.ID] = a.GUID
			}
		}
		f.mu.Unlock()
	}
}

// answer is a search's.
type answer struct {
	Hits struct {
		Hits []struct {
			ID string `json:"_id"`
		}
	}
}

// Of one article in sampled the search is asked for its id, at each look: times
// of finding are as exact as lookEvery, and looking costs Elasticsearch little.
const (
	sampled   = 10
	lookEvery = 50 * time.Millisecond
)

// search asks Elasticsearch, as readers do, for those of the sample that the
// stream has shown and that were not found yet.
func (f *follower) search(ctx context.Context, addr string) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		wanted := f.wanted()
		if len(wanted) == 0 {
			continue
		}
		ids, err := look(ctx, addr, wanted)
		now := time.Now()
		if err != nil {
			if ctx.Err() == nil {
				f.fail(err)
			}
			return
		}
		f.mu.Lock()
		for _, id := range ids {
			f.found[id] = now
		}
		f.mu.Unlock()
	}
}

// wanted are the ids of the sample that were not found yet: those longest
// looked for, where they are many.
func (f *follower) wanted() (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.guids {
		if f.found[id].IsZero() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return f.pushed[f.guids[a]].Compare(f.pushed[f.guids[b]]) })
	return ids[:min(len(ids), 100)]
}

func look(ctx context.Context, addr string, ids []string) ([]string, error) {
	body, err := json.Marshal(map[string]any{
		"query": map[string]any{"ids": map[string]any{"values": ids}}, "size": len(ids), "_source": false, "track_total_hits": false,
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/articles/_search?ignore_unavailable=true&filter_path=hits.hits._id", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return nil, err
	}
	found := make([]string, len(a.Hits.Hits))
	for i, h := range a.Hits.Hits {
		found[i] = h.ID
	}
	return found, nil
}

// searchable gives how long articles took to be found.
func (f *follower) searchable() (delays []time.Duration) {
	for id, at := range f.found {
		if guid, ok := f.guids[id]; ok {
			delays = append(delays, at.Sub(f.pushed[guid]))
		}
	}
	return delays
}

func (f *follower) print(rate, total int) {
	fmt.Printf("%d articles a second, %d in all, pushed one by one; times since the push began; every %dth looked for by search\n", rate, total, sampled)
	fmt.Printf("  %-22s %9s %9s %9s %9s %9s\n", "", "p50", "p90", "p99", "p99.9", "max")
	for _, row := range []struct {
		name   string
		delays []time.Duration
	}{{"live stream", f.streamed}, {"found (refresh 1 s)", f.searchable()}} {
		slices.Sort(row.delays)
		fmt.Printf("  %-22s", row.name)
		for _, q := range []float64{.5, .9, .99, .999, 1} {
			fmt.Printf(" %9s", quantile(row.delays, q).Round(time.Millisecond))
		}
		fmt.Printf("\n    %s\n", histogram(row.delays))
	}
	fmt.Println()
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// histogram counts delays between bounds.
func histogram(delays []time.Duration) string {
	var s strings.Builder
	rest := delays
	for _, bound := range []time.Duration{10, 20, 50, 100, 200, 500, 1000, 1500, 2000, 5000} {
		n, _ := slices.BinarySearch(rest, bound*time.Millisecond)
		fmt.Fprintf(&s, "<%s: %d  ", bound*time.Millisecond, n)
		rest = rest[n:]
	}
	fmt.Fprintf(&s, "more: %d", len(rest))
	return s.String()
}
