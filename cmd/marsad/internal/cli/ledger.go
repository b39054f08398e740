package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/ledger"
	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/spf13/cobra"
)

func newLedger(o *options) *cobra.Command {
	var wait time.Duration
	var asJSON bool
	var dropped string
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Prove that nothing was lost and nothing is there twice",
		Long: `Balance what came in against what became of it, from the topics and the index
alone: every record of articles.raw has one fate, every revision went all the
way or lies in articles.dlq, and Elasticsearch holds of each article the latest
revision, once. Nothing is written, no service is asked. The pipeline must be at
rest; with --wait it may still have to come to rest.

It reads all that the topics keep, and holds ids and versions in memory, some
400 bytes an article. The rules are those of this build: use the build that
the services run. index.retention_months must be what index runs with; where
"marsad index drop" deleted more, say so by --dropped-before.

It needs Kafka and Elasticsearch. The embedded index of "marsad up" belongs to
its process; "marsad demo --once" shows the ledger there.

Exit status: 0 balanced, 1 not balanced or not at rest, 2 wrong usage.`,
		Example: `  marsad ledger --set kafka.brokers=kafka:9092 --set elasticsearch.addresses=http://elastic:9200 --wait 60s`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dropped != "" && !article.ValidBucket(dropped) {
				return usagef("--dropped-before is %q, must be a month as YYYY-MM", dropped)
			}
			cfg, index, err := o.index()
			if err != nil {
				return err
			}
			defer index.Close()
			c, err := kafka(cfg)
			if err != nil {
				return err
			}
			defer c.Close()
			l, err := drawUp(cmd.Context(), c, index, ledger.Config{RetentionMonths: cfg.Index.RetentionMonths, DroppedBefore: dropped}, wait)
			if err != nil {
				return err
			}
			return printLedger(cmd.OutOrStdout(), &l, asJSON)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long the pipeline may take to come to rest")
	cmd.Flags().StringVar(&dropped, "dropped-before", "", "the first month, as YYYY-MM, that \"marsad index drop\" left")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the ledger as one JSON object")
	return cmd
}

// drawUp computes the ledger once the pipeline rests, which it may take wait
// to do.
func drawUp(ctx context.Context, c *bus.Cluster, index ledger.Index, cfg ledger.Config, wait time.Duration) (ledger.Ledger, error) {
	deadline := time.Now().Add(wait)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := ledger.Compute(ctx, c, index, cfg)
		var rest *ledger.RestError
		if !errors.As(err, &rest) || !time.Now().Before(deadline) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return l, err
		case <-tick.C:
		}
	}
}

// printLedger writes the ledger; its error is that of a ledger that does not
// balance.
func printLedger(out io.Writer, l *ledger.Ledger, asJSON bool) error {
	if asJSON {
		err := json.NewEncoder(out).Encode(struct {
			Balanced bool `json:"balanced"`
			*ledger.Ledger
		}{l.Balanced(), l})
		if err != nil {
			return err
		}
	} else {
		l.Print(out)
	}
	if !l.Balanced() {
		return errors.New("the ledger does not balance")
	}
	return nil
}
