package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/cmd/marsad/internal/demo"
	"github.com/marsad-news/marsad/cmd/marsad/internal/measure"
	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search/embedded"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/pkg/text"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/ingest"
	"github.com/spf13/cobra"
)

func newBench(o *options) *cobra.Command {
	b := &bench{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: enrichment, index, end to end",
		Long: `Measure the recipe of enrichment and the embedded index alone, then everything
in one process end to end: throughput at full speed, and the delay from push to
stream and to searchable at a steady rate. The articles are the demo's, told
apart by a number, with their bodies doubled to about 2 KB. Data lies in a temporary folder.`,
		Example: "  marsad bench\n  marsad bench --articles 20000 --rate 200 --for 30s",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load()
			if err != nil {
				return err
			}
			b.cfg, b.out = cfg, cmd.OutOrStdout()
			return b.run(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&b.articles, "articles", 5000, "articles in each throughput measurement")
	cmd.Flags().IntVar(&b.rate, "rate", 100, "articles a second in the latency measurement")
	cmd.Flags().StringVar(&b.profile, "cpuprofile", "", "write a CPU profile of the end-to-end part to this file, for go tool pprof")
	cmd.Flags().DurationVar(&b.span, "for", 20*time.Second, "length of the latency measurement")
	return cmd
}

type bench struct {
	cfg      app.Config
	articles int
	rate     int
	span     time.Duration
	profile  string
	out      io.Writer
}

func (b *bench) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "marsad-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	raws, err := benchRaws(b.articles)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%s, %d processors, %d articles of %d bytes on average\n\n", runtime.Version(), runtime.GOMAXPROCS(0), len(raws), meanBytes(raws))
	enriched, err := b.enrichAlone(ctx, raws)
	if err != nil {
		return err
	}
	if err := b.indexAlone(ctx, dir+"/alone", enriched); err != nil {
		return err
	}
	b.cfg.Data, b.cfg.Listen, b.cfg.Log.Level = dir+"/all", "127.0.0.1:0", "error"
	log, err := service.NewLogger(b.cfg.Log.Format, b.cfg.Log.Level)
	if err != nil {
		return usageError{err}
	}
	probe := measure.NewProbe()
	return with(ctx, b.cfg, log, probe.Writer, func(ctx context.Context, a *app.App) error {
		p := &player{app: a, errOut: b.out, client: &client{base: "http://" + a.Address.HTTP, http: newHTTP()}, probe: probe}
		stop, err := p.watch(ctx)
		if err != nil {
			return err
		}
		defer stop()
		endProfile, err := startProfile(b.profile)
		if err != nil {
			return err
		}
		defer endProfile()
		if err := b.throughput(ctx, p, raws); err != nil {
			return err
		}
		probe.Reset()
		return b.latency(ctx, p)
	})
}

// startProfile begins a CPU profile; an empty path means none.
func startProfile(path string) (end func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // the profile is written or it is not
	}, nil
}

// benchRaws makes n articles from the demo's samples.
func benchRaws(n int) ([]article.Raw, error) {
	lines, err := demo.Articles(time.Now(), 0)
	if err != nil {
		return nil, err
	}
	var samples []article.Raw
	for _, l := range lines {
		r, err := article.DecodeRaw(l)
		if err != nil {
			return nil, err
		}
		if r.Status == "" && r.Embargoed.IsZero() && len(r.Body) > 500 {
			samples = append(samples, r)
		}
	}
	out := make([]article.Raw, n)
	for i := range out {
		r := samples[i%len(samples)]
		r.GUID, r.URL = fmt.Sprintf("bench-%d", i), ""
		r.Title = fmt.Sprintf("%s (%d)", r.Title, i)
		r.Body += "\n" + r.Body
		out[i] = r
	}
	return out, nil
}

func meanBytes(raws []article.Raw) int {
	sum := 0
	for _, r := range raws {
		sum += len(r.Title) + len(r.Body)
	}
	return sum / len(raws)
}

// enrichAlone measures the recipe on one processor and on all.
func (b *bench) enrichAlone(ctx context.Context, raws []article.Raw) ([]article.Article, error) {
	recipe, err := enrich.NewEnricher()
	if err != nil {
		return nil, err
	}
	tokens := 0
	articles := make([]article.Article, len(raws))
	for i, r := range raws {
		if articles[i], err = ingest.Alone(r, time.Now()); err != nil {
			return nil, err
		}
		tokens += len(text.Tokens(r.Title)) + len(text.Tokens(r.Body))
	}
	work := func(workers int) (time.Duration, time.Duration, error) {
		var wg sync.WaitGroup
		errs := make([]error, workers)
		start, cpu := time.Now(), cpuTime()
		for w := range workers {
			wg.Go(func() {
				for i := w; i < len(articles); i += workers {
					a := articles[i]
					if errs[w] = recipe.Enrich(ctx, &a); errs[w] != nil {
						return
					}
					articles[i] = a
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, 0, err
			}
		}
		return time.Since(start), cpuTime() - cpu, nil
	}
	if _, _, err := work(1); err != nil { // warm up
		return nil, err
	}
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		wall, cpu, err := work(workers)
		if err != nil {
			return nil, err
		}
		b.row(fmt.Sprintf("enrich, %d at once", workers), wall, cpu)
		fmt.Fprintf(b.out, "  %-26s %7.0f tokens/s of CPU\n", "", float64(tokens)/cpu.Seconds())
	}
	return articles, nil
}

func (b *bench) indexAlone(ctx context.Context, dir string, articles []article.Article) error {
	ix, err := embedded.Open(embedded.Config{Dir: dir})
	if err != nil {
		return err
	}
	start, cpu := time.Now(), cpuTime()
	for i := 0; i < len(articles); i += 200 {
		if _, err := ix.Write(ctx, articles[i:min(i+200, len(articles))]); err != nil {
			ix.Close()
			return err
		}
	}
	b.row("index (embedded), by 200", time.Since(start), cpuTime()-cpu)
	return ix.Close()
}

// throughput pushes everything at once and waits until it is searchable.
func (b *bench) throughput(ctx context.Context, p *player, raws []article.Raw) error {
	start, cpu := time.Now(), cpuTime()
	for i := 0; i < len(raws); i += 200 {
		var body bytes.Buffer
		enc := json.NewEncoder(&body)
		for _, r := range raws[i:min(i+200, len(raws))] {
			if err := enc.Encode(&r); err != nil {
				return err
			}
		}
		if err := pushAll(ctx, p.client, body.Bytes()); err != nil {
			return err
		}
	}
	pushed := time.Since(start)
	if err := waitCount(ctx, p.probe, measure.Searchable, len(raws)); err != nil {
		return err
	}
	b.row("end to end, push to search", time.Since(start), cpuTime()-cpu)
	fmt.Fprintf(b.out, "  %-26s %7.0f articles/s accepted durably\n", "", float64(len(raws))/pushed.Seconds())
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(b.out, "  %-26s %7d MB of memory obtained from the system\n\n", "", m.Sys>>20)
	return nil
}

// latency pushes one article at a time at a steady rate.
func (b *bench) latency(ctx context.Context, p *player) error {
	n := int(b.span.Seconds() * float64(b.rate))
	raws, err := benchRaws(n)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second / time.Duration(b.rate))
	defer tick.Stop()
	errs := make(chan error, n)
	for i := range raws {
		raws[i].GUID = fmt.Sprintf("rate-%d", i)
		raws[i].Title += " at a rate"
		body, err := json.Marshal(&raws[i])
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		go func() { errs <- pushAll(ctx, p.client, body) }()
	}
	for range raws {
		if err := <-errs; err != nil {
			return err
		}
	}
	for _, s := range []measure.Stage{measure.Searchable, measure.Streamed} {
		if err := waitCount(ctx, p.probe, s, n); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.out, "  delays at %d articles/s, pushed one by one, over %s\n", b.rate, b.span)
	p.probe.Print(b.out)
	return nil
}

func pushAll(ctx context.Context, c *client, body []byte) error {
	res, status, err := c.push(ctx, "?source=bench", "application/x-ndjson", body)
	if err == nil && status != 202 {
		err = fmt.Errorf("push: %d %s %v", status, res.Error, res.Errors)
	}
	return err
}

func waitCount(ctx context.Context, p *measure.Probe, s measure.Stage, n int) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Minute)
	for p.Count(s) < n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("only %d of %d articles were %s after five minutes", p.Count(s), n, s)
		case <-tick.C:
		}
	}
	return nil
}

func (b *bench) row(name string, wall, cpu time.Duration) {
	n := float64(b.articles)
	fmt.Fprintf(b.out, "  %-26s %7.0f articles/s, %6.0f per core (CPU second)\n", name, n/wall.Seconds(), n/cpu.Seconds())
}
