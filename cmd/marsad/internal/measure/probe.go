// Package measure follows articles through a running marsad and says how long
// each stage took.
package measure

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search"
)

// Stage is a point that an article passes.
type Stage string

// The stages, in order. Clean and Enriched are taken from the records' times,
// which are those of writing, in whole milliseconds; Searchable is the moment
// when the index's writer returned; Streamed is the arrival of the event at a
// client of /v1/stream.
const (
	Clean      Stage = "clean"
	Enriched   Stage = "enriched"
	Streamed   Stage = "streamed"
	Searchable Stage = "searchable"
)

// Stages lists all stages in order.
func Stages() []Stage { return []Stage{Clean, Enriched, Streamed, Searchable} }

// revision names one revision of an article.
type revision struct {
	id string
	n  int64
}

// Probe collects when revisions passed the stages. Safe for concurrent use.
type Probe struct {
	mu     sync.Mutex
	delays map[Stage]map[revision]time.Duration // since arrival
}

// NewProbe returns an empty probe.
func NewProbe() *Probe {
	p := &Probe{delays: map[Stage]map[revision]time.Duration{}}
	for _, s := range Stages() {
		p.delays[s] = map[revision]time.Duration{}
	}
	return p
}

func (p *Probe) pass(s Stage, a *article.Article, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := revision{a.ID, a.Revision}
	if _, ok := p.delays[s][r]; !ok {
		p.delays[s][r] = at.Sub(a.Received)
	}
}

// Count is the number of revisions that have passed a stage.
func (p *Probe) Count(s Stage) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.delays[s])
}

// Quantile is the delay since arrival that a share q of the revisions did not
// exceed at a stage; 0 where none has passed.
func (p *Probe) Quantile(s Stage, q float64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]time.Duration, 0, len(p.delays[s]))
	for _, d := range p.delays[s] {
		all = append(all, d)
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
}

// Reset forgets what was collected.
func (p *Probe) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.delays {
		clear(m)
	}
}

// Writer wraps the index's writer to see when articles are searchable.
func (p *Probe) Writer(w search.Writer) search.Writer { return &writer{p, w} }

type writer struct {
	probe *Probe
	next  search.Writer
}

func (w *writer) Write(ctx context.Context, as []article.Article) ([]search.Outcome, error) {
	outcomes, err := w.next.Write(ctx, as)
	now := time.Now()
	for i, o := range outcomes {
		if o == search.Indexed {
			w.probe.pass(Searchable, &as[i], now)
		}
	}
	return outcomes, err
}

// Follow watches the topics from their present ends until ctx ends. started is
// called once the ends are known.
func (p *Probe) Follow(ctx context.Context, c *bus.Cluster, started func()) error {
	var wg sync.WaitGroup
	for topic, stage := range map[string]Stage{bus.TopicClean: Clean, bus.TopicEnriched: Enriched} {
		feed := bus.NewFeed(c, topic)
		_, next, err := feed.Offsets(ctx)
		if err != nil {
			return err
		}
		wg.Go(func() {
			_ = feed.Follow(ctx, next, func(r bus.Record) error { // ends with ctx
				if a, err := article.Decode(r.Value); err == nil && a.Status == article.Usable {
					p.pass(stage, &a, r.Time)
				}
				return nil
			})
		})
	}
	started()
	wg.Wait()
	return nil
}

// Stream is a client of /v1/stream at base until ctx ends. started is called
// when the stream is open.
func (p *Probe) Stream(ctx context.Context, base string, started func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/stream", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 1024)) // for the message only
		return fmt.Errorf("stream: %s: %s", res.Status, b)
	}
	started()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 64<<10), 32<<20)
	event := ""
	for lines.Scan() {
		line := lines.Bytes()
		if name, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			event = strings.TrimSpace(string(name))
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok || event != "article" {
			continue
		}
		now := time.Now()
		var a article.Article
		if err := json.Unmarshal(data, &a); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		p.pass(Streamed, &a, now)
	}
	if ctx.Err() != nil {
		return nil
	}
	return lines.Err()
}

// Print writes a table of the delays of all stages.
func (p *Probe) Print(w io.Writer) {
	fmt.Fprintf(w, "  %-11s %9s %10s %10s %10s\n", "since push", "articles", "p50", "p99", "max")
	for _, s := range Stages() {
		fmt.Fprintf(w, "  %-11s %9d %10s %10s %10s\n", s, p.Count(s), short(p.Quantile(s, .5)), short(p.Quantile(s, .99)), short(p.Quantile(s, 1)))
	}
}

func short(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }
