package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// Articles of many calls share requests, each is sent once, and each call gets
// its own outcomes.
func TestCallsShareRequests(t *testing.T) {
	x, f := serve(t, func(s sent) answer { return all(s, ok()) }, func(c *Config) { c.Linger = 50 * time.Millisecond })
	const calls = 40
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			outcomes, err := x.Write(t.Context(), []article.Article{news(fmt.Sprintf("%d-a", i)), news(fmt.Sprintf("%d-b", i))})
			if err != nil || !slices.Equal(outcomes, []search.Outcome{search.Indexed, search.Indexed}) {
				t.Errorf("outcomes %v, error %v", outcomes, err)
			}
		})
	}
	wg.Wait()
	var ids []string
	for _, s := range f.got {
		ids = append(ids, s.ids()...)
	}
	slices.Sort(ids)
	if len(ids) != 2*calls || len(slices.Compact(ids)) != 2*calls {
		t.Errorf("%d articles were sent", len(ids))
	}
	if n := len(f.got); n > calls/2 {
		t.Errorf("%d requests for %d calls", n, calls)
	}
}

// One article that is refused fails its own call alone.
func TestFailureIsTheCallers(t *testing.T) {
	x, _ := serve(t, func(s sent) answer {
		var out []string
		for _, id := range s.ids() {
			if id == "bad" {
				out = append(out, failed(400, "document_parsing_exception", "failed to parse"))
			} else {
				out = append(out, ok())
			}
		}
		return items(out...)
	}, func(c *Config) { c.Linger = 50 * time.Millisecond })
	var wg sync.WaitGroup
	for _, id := range []string{"good", "bad"} {
		wg.Go(func() {
			_, err := x.Write(t.Context(), []article.Article{news(id)})
			var batch *search.BatchError
			if errors.As(err, &batch) != (id == "bad") {
				t.Errorf("%s: error %v", id, err)
			}
		})
	}
	wg.Wait()
}

// The limit on requests holds, falls while Elasticsearch is busy, and what
// waits meanwhile is sent all the same.
func TestConcurrencyIsLimited(t *testing.T) {
	var now, most, busy atomic.Int64
	x, _ := serveSlow(t, func(s sent) answer {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		time.Sleep(2 * time.Millisecond) // so that requests overlap; nothing waits for it
		if busy.Add(1)%5 == 0 {
			return answer{http.StatusTooManyRequests, ""}
		}
		return all(s, ok())
	}, func(c *Config) { c.Concurrency, c.MaxBulk = 3, 1 })
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			for {
				if _, err := x.Write(t.Context(), []article.Article{news(fmt.Sprint(i))}); err == nil {
					return
				} else if !strings.Contains(err.Error(), "429") {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d requests at once, at most 3 are allowed", most.Load())
	}
}

// A call whose context ends returns at once, what nobody waits for is cut off,
// and those that still wait are not.
func TestAbandoned(t *testing.T) {
	arrived, answerIt := make(chan struct{}, 10), make(chan struct{})
	x, _ := serveSlow(t, func(s sent) answer {
		arrived <- struct{}{}
		<-answerIt
		return all(s, ok())
	}, func(c *Config) { c.Linger, c.Concurrency = 20*time.Millisecond, 1 })
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 2)
	stays := make(chan error, 1)
	go func() { _, err := x.Write(ctx, []article.Article{news("leaves")}); left <- err }()
	<-arrived
	go func() { _, err := x.Write(ctx, []article.Article{news("leaves too")}); left <- err }()
	go func() { _, err := x.Write(t.Context(), []article.Article{news("stays")}); stays <- err }()
	cancel()
	for range 2 {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	}
	close(answerIt)
	if err := <-stays; err != nil {
		t.Errorf("who still waited got %v", err)
	}
}

// Compressed requests say so and can be read.
func TestCompressed(t *testing.T) {
	x, f := serve(t, func(s sent) answer { return all(s, ok()) }, func(c *Config) { c.Compress = true })
	for range 3 { // the second time memory is used again
		if _, err := x.Write(t.Context(), []article.Article{news("a"), news("b")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range f.got {
		if !s.packed || !slices.Equal(s.ids(), []string{"a", "b"}) {
			t.Errorf("packed %v, articles %q", s.packed, s.ids())
		}
	}
}
