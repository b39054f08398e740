package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/backfill"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/spf13/cobra"
)

func newBackfill(o *options) *cobra.Command {
	var from, to string
	var b backfill.Config
	cmd := &cobra.Command{
		Use: "backfill --from TIME [--to TIME]", Short: "Write a time range into the index again", Args: noArgs,
		Long: `Read the articles that were enriched in a time range from articles.enriched (kept
30 days), enrich them anew if wanted, and write them into Elasticsearch, while
live traffic goes on. It reads through a consumer group of its own, at a bounded
rate, and writes to the index alone: the live stream does not show them again.

Nothing newer is overwritten, and nothing that was retracted or is withheld comes
back. While "marsad index migrate" runs it waits. Where months were lost, let the
range reach to now, so that later corrections are in it. The same range goes on where it was ended;
several may share it. With --reenrich entities, topics and generation are made
anew; the language stays as it was found.

TIME is RFC 3339, a date (UTC), or an age such as 36h or 7d.`,
		Example: `  marsad backfill --from 7d --reenrich
  marsad backfill --from 2026-11-01 --to 2026-11-08T12:00:00Z --rate 500 --source atlas`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now := time.Now().Truncate(time.Millisecond)
			var err error
			if b.From, err = parseTime(from, now); err != nil {
				return usagef("--from %w", err)
			}
			if b.To, err = parseTime(to, now); err != nil {
				return usagef("--to %w", err)
			}
			if b.Rate < 1 {
				return usagef("--rate is %d, must be 1 or more", b.Rate)
			}
			return o.backfill(cmd.Context(), b, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "enriched at or after this `TIME`")
	cmd.Flags().StringVar(&to, "to", "0s", "enriched before this `TIME`")
	cmd.Flags().IntVar(&b.Rate, "rate", 200, "articles a second at most")
	cmd.Flags().StringSliceVar(&b.Sources, "source", nil, "only articles of this source id; may be repeated")
	cmd.Flags().BoolVar(&b.Reenrich, "reenrich", false, "find entities and topics anew, with this program's models")
	return cmd
}

// parseTime reads a point in time or an age before now.
func parseTime(s string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 100_000 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if age, err := time.ParseDuration(s); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("is %q, must be a time as 2026-10-24T09:00:00Z, a date, or an age as 36h or 7d", s)
}

func (o *options) backfill(ctx context.Context, b backfill.Config, out, errOut io.Writer) error {
	cfg, x, err := o.index()
	if err != nil {
		return err
	}
	defer x.Close()
	c, err := kafka(cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	log, err := service.NewLogger(cfg.Log.Format, "warn")
	if err != nil {
		return usageError{err}
	}
	b.RetentionMonths = cfg.Index.RetentionMonths
	deps := backfill.Deps{Cluster: c, Writer: x, Migrating: x.Migrating, Log: log, Progress: progress(errOut)}
	if b.Reenrich {
		if deps.Enricher, err = enrich.NewEnricher(); err != nil {
			return err
		}
	}
	counts, err := backfill.Run(ctx, b, deps)
	fmt.Fprintf(out, "%d indexed, %d tombstones, %d superseded, %d retracted since, %d expired, %d of other sources, %d dead letters\n",
		counts.Indexed, counts.Tombstoned, counts.Superseded, counts.Retracted, counts.Expired, counts.Filtered, counts.Rejected)
	if counts.Left > 0 {
		err = errors.Join(err, fmt.Errorf("%d records are left; to go on: marsad backfill%s", counts.Left, again(b)))
	}
	return err
}

// again are the flags that go on with a job.
func again(b backfill.Config) string {
	s := fmt.Sprintf(" --from %s --to %s", b.From.UTC().Format(time.RFC3339Nano), b.To.UTC().Format(time.RFC3339Nano))
	for _, source := range b.Sources {
		s += fmt.Sprintf(" --source %q", source)
	}
	if b.Reenrich {
		s += " --reenrich"
	}
	return s
}

// progress writes a line every few seconds.
func progress(w io.Writer) func(backfill.Counts) {
	last := time.Now()
	return func(c backfill.Counts) {
		if time.Since(last) < 5*time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(w, "%s  %d indexed, %d superseded, %d left\n", last.UTC().Format(time.TimeOnly), c.Indexed, c.Superseded, c.Left)
	}
}
