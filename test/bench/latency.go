package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
)

// follower notes when articles, named by their guid, were pushed and when they
// came out of the live stream and the search.
type follower struct {
	mu         sync.Mutex
	pushed     map[string]time.Time
	streamed   []time.Duration
	searchable []time.Duration
	waiting    map[string]bool // pushed but not found yet
	errs       []error
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
	f := &follower{pushed: map[string]time.Time{}, waiting: map[string]bool{}}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	opened := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { f.stream(watch, running[3].addr, opened) })
	if err := <-opened; err != nil {
		return err
	}
	wg.Go(func() { f.search(watch, b.es.Addr) })
	total := int(b.o.span.Seconds() * float64(rate))
	f.push(ctx, c, running[0].addr, rate, total)
	f.settle(ctx, total)
	stop()
	wg.Wait()
	f.print(rate, total)
	return errors.Join(f.errs...)
}

// push sends an article at each tick, whether those before it have been
// answered or not.
func (f *follower) push(ctx context.Context, c *corpus, addr string, rate, total int) {
	run := time.Now().UnixNano()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: 20 * time.Second}
	start := time.Now()
	var wg sync.WaitGroup
	for i := range total {
		at := start.Add(time.Duration(float64(i) / float64(rate) * float64(time.Second)))
		raw := c.raw(i)
		raw.GUID = fmt.Sprintf("%d-%d", run, i)
		raw.Body += raw.GUID
		body, err := article.Encode(&raw)
		if err != nil {
			f.fail(err)
			return
		}
		time.Sleep(time.Until(at))
		f.mu.Lock()
		f.pushed[raw.GUID], f.waiting[raw.GUID] = time.Now(), true
		f.mu.Unlock()
		wg.Go(func() {
			if err := post(ctx, client, addr, body); err != nil {
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
		done := len(f.streamed) >= total && len(f.searchable) >= total || len(f.errs) > 0
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			f.fail(fmt.Errorf("of %d articles %d were streamed and %d found", total, len(f.streamed), len(f.searchable)))
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
		var a struct{ GUID string }
		if err := json.Unmarshal(data, &a); err != nil {
			f.fail(err)
			return
		}
		f.mu.Lock()
		if at, ok := f.pushed[a.GUID]; ok {
			f.streamed = append(f.streamed, now.Sub(at))
		}
		f.mu.Unlock()
	}
}

// found is a search's answer.
type found struct {
	Hits struct {
		Hits []struct {
			Source struct{ GUID string } `json:"_source"`
		}
	}
}

// search asks Elasticsearch for what is new, as readers see it, again and
// again.
func (f *follower) search(ctx context.Context, addr string) {
	since := time.Now().Add(-time.Second)
	for ctx.Err() == nil {
		body := fmt.Sprintf(`{"query":{"range":{"received":{"gte":%d,"format":"epoch_millis"}}},"size":10000,"_source":["guid"]}`, since.UnixMilli())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/articles/_search?ignore_unavailable=true", strings.NewReader(body))
		if err != nil {
			f.fail(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			if ctx.Err() == nil {
				f.fail(err)
			}
			return
		}
		now := time.Now()
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		var answer found
		if err = errors.Join(err, json.Unmarshal(b, &answer)); err != nil {
			if ctx.Err() == nil {
				f.fail(err)
			}
			return
		}
		since = f.note(answer, now)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// note takes in what a search found, and gives the time of the oldest article
// that is still to be found.
func (f *follower) note(answer found, now time.Time) (oldest time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range answer.Hits.Hits {
		if f.waiting[h.Source.GUID] {
			delete(f.waiting, h.Source.GUID)
			f.searchable = append(f.searchable, now.Sub(f.pushed[h.Source.GUID]))
		}
	}
	oldest = now
	for guid := range f.waiting {
		if at := f.pushed[guid]; at.Before(oldest) {
			oldest = at
		}
	}
	return oldest.Add(-time.Second)
}

func (f *follower) print(rate, total int) {
	fmt.Printf("%d articles a second, %d in all, pushed one by one; times since the push began\n", rate, total)
	fmt.Printf("  %-22s %9s %9s %9s %9s %9s\n", "", "p50", "p90", "p99", "p99.9", "max")
	for _, row := range []struct {
		name   string
		delays []time.Duration
	}{{"live stream", f.streamed}, {"found (refresh 1 s)", f.searchable}} {
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
