package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/cmd/marsad/internal/demo"
	"github.com/marsad-news/marsad/cmd/marsad/internal/ledger"
	"github.com/marsad-news/marsad/cmd/marsad/internal/measure"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newDemo(o *options) *cobra.Command {
	var once bool
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run everything and play sample articles",
		Long: `Run everything as "marsad up" does, and play some 60 sample articles in Arabic,
French and English over about a minute, with copies, corrections, a retraction,
an embargo and broken input among them. Then go on until interrupted. The data
lies in a temporary folder unless --data names one.

With --once the samples are played at full speed; the command prints what was
found, the ledger and the latencies, and exits with 0 only if the ledger
balances.`,
		Example: "  marsad demo\n  marsad demo --once",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load()
			if err != nil {
				return err
			}
			if o.data == "" {
				if cfg.Data, err = os.MkdirTemp("", "marsad-demo-"); err != nil {
					return err
				}
				defer os.RemoveAll(cfg.Data)
			}
			cfg.Log.Level = "error"
			if listen != "" {
				cfg.Listen = listen
			} else if once {
				cfg.Listen = "127.0.0.1:0"
			}
			return runDemo(cmd.Context(), cfg, once, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "play at full speed, print the results, and end")
	cmd.Flags().StringVar(&listen, "listen", "", "host:port of HTTP (default \"127.0.0.1:8080\", with --once a free port)")
	return cmd
}

func runDemo(ctx context.Context, cfg app.Config, once bool, out, errOut io.Writer) error {
	log, err := service.NewLogger(cfg.Log.Format, cfg.Log.Level)
	if err != nil {
		return usageError{err}
	}
	probe := measure.NewProbe()
	return with(ctx, cfg, log, probe.Writer, func(ctx context.Context, a *app.App) error {
		d := &player{app: a, client: &client{base: "http://" + a.Address.HTTP, http: newHTTP()}, probe: probe, retentionMonths: cfg.Index.RetentionMonths, out: out, errOut: errOut}
		stop, err := d.watch(ctx)
		if err != nil {
			return err
		}
		defer stop()
		if once {
			return d.once(ctx)
		}
		fmt.Fprintf(out, "\n  Open http://%s/ and watch the articles arrive. End with Ctrl-C.\n\n", a.Address.HTTP)
		if err := d.play(ctx, time.Minute); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		fmt.Fprintf(out, "\n  All samples are played. The page stays: http://%s/\n", a.Address.HTTP)
		<-ctx.Done()
		return nil
	})
}

// player plays the samples into a running app.
type player struct {
	app         *app.App
	client      *client
	probe       *measure.Probe
	out, errOut io.Writer

	retentionMonths int // of the index
}

// watch starts the probe; stop ends it.
func (d *player) watch(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	ready, failed := make(chan struct{}, 2), make(chan error, 2)
	started := func() { ready <- struct{}{} }
	go func() { failed <- d.probe.Follow(ctx, d.app.Cluster, started) }()
	go func() { failed <- d.probe.Stream(ctx, d.client.base, started) }()
	for range 2 {
		select {
		case <-ready:
		case err := <-failed:
			cancel()
			return nil, fmt.Errorf("watching the pipeline: %w", err)
		}
	}
	return func() {
		cancel()
		for range cap(failed) {
			if err := <-failed; err != nil {
				fmt.Fprintln(d.errOut, "  watching the pipeline:", err)
			}
		}
	}, nil
}

// play pushes the samples, in order, spread over a time (0: at full speed), and
// then the broken ones: to the door, which refuses them, and past it.
func (d *player) play(ctx context.Context, over time.Duration) error {
	embargo := time.Hour
	if over == 0 {
		embargo = 2 * time.Second
	}
	samples, err := demo.Articles(time.Now(), embargo)
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions(len(samples), progressbar.OptionSetWriter(d.errOut), progressbar.OptionSetVisibility(over > 0 && isTerminal(d.errOut)), progressbar.OptionSetDescription("  playing"),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(40), progressbar.OptionOnCompletion(func() { fmt.Fprintln(d.errOut) }))
	for i, s := range samples {
		if i > 0 && over > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(over / time.Duration(len(samples))):
			}
		}
		res, status, err := d.client.push(ctx, "", "application/json", s)
		if err == nil && status != 202 {
			err = fmt.Errorf("sample %d: %s %+v", i+1, res.Error, res.Errors)
		}
		if err != nil {
			return err
		}
		_ = bar.Add(1) // a bar that cannot be drawn is no failure
	}
	return d.playBad(ctx)
}

// isTerminal tells whether w is a terminal, where a bar may be drawn.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (d *player) playBad(ctx context.Context) error {
	raw := bus.NewProducer(d.app.Cluster, bus.TopicRaw)
	defer raw.Close()
	for _, b := range demo.Bad(time.Now()) {
		res, status, err := d.client.push(ctx, "", "application/json", b)
		if err != nil {
			return err
		}
		for _, e := range res.Errors {
			fmt.Fprintf(d.out, "  refused at the door (%d): %s\n", status, e.Error)
		}
		if err := raw.Write(ctx, bus.Message{Key: []byte("demo"), Value: b}); err != nil {
			return err
		}
	}
	return nil
}

// once plays everything at full speed and reports.
func (d *player) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := d.play(ctx, 0); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	if err := d.printFound(ctx); err != nil {
		return err
	}
	l, err := ledger.Compute(ctx, d.app.Cluster, d.app.Index, ledger.Config{RetentionMonths: d.retentionMonths})
	if err != nil {
		return err
	}
	fmt.Fprintln(d.out, "\nLedger")
	l.Print(d.out)
	fmt.Fprintln(d.out, "\nLatency (the slowest waited for the end of its embargo)")
	d.probe.Print(d.out)
	if !l.Balanced() {
		return errors.New("the ledger does not balance")
	}
	return nil
}

// settle waits until every stage has processed all there is, and no embargo is
// left.
func (d *player) settle(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for calm := 0; ; {
		rest, err := ledger.Backlog(ctx, d.app.Cluster)
		if err != nil {
			return err
		}
		held, err := ledger.Held(ctx, d.app.Cluster)
		if err != nil {
			return err
		}
		if rest == 0 && held == 0 {
			calm++
		} else {
			calm = 0
		}
		if calm == 2 { // a release may be between two topics
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the pipeline did not come to rest: %d records wait, %d are under embargo", rest, held)
		case <-tick.C:
		}
	}
}

// printFound shows what searches find.
func (d *player) printFound(ctx context.Context) error {
	fmt.Fprintln(d.out, "\nFound")
	for _, q := range []string{"", "lang:ar", "lang:fr", "lang:en", "المغرب", "séisme OR زلزال OR earthquake", "country:FR AND country:MA", "topic:medtop:15000000"} {
		var res found
		if err := d.client.get(ctx, "/v1/search?size=1&q="+url.QueryEscape(q), &res); err != nil {
			return fmt.Errorf("searching %q: %w", q, err)
		}
		name := q
		if q == "" {
			name = "(everything)"
		}
		fmt.Fprintf(d.out, "  %4d  %s\n", res.Total, name)
	}
	return d.printFacets(ctx)
}

func (d *player) printFacets(ctx context.Context) error {
	var res struct {
		Facets map[string][]struct {
			Value, Label string
			Count        int
		}
	}
	if err := d.client.get(ctx, "/v1/search?size=0&facets=entity,topic", &res); err != nil {
		return err
	}
	for _, f := range []string{"entity", "topic"} {
		var names []string
		for _, b := range res.Facets[f][:min(6, len(res.Facets[f]))] {
			names = append(names, fmt.Sprintf("%s (%d)", b.Label, b.Count))
		}
		fmt.Fprintf(d.out, "  %s: %s\n", f, strings.Join(names, ", "))
	}
	return nil
}
