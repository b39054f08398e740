package cli

import (
	"context"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/spf13/cobra"
)

func newDLQ(o *options) *cobra.Command {
	f := &letterFilter{}
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look at and replay dead letters",
		Long: `Records that a stage could not process lie in the topic articles.dlq, whole and
with the reason. They can be listed, shown and, once the cause is gone, replayed
into the topic they came from. Replaying twice does no harm: articles keep
their id and revision.`,
		Example: `  marsad dlq list --stage ingest --since 24h
  marsad dlq show 0:17
  marsad dlq replay --reason 'mapping' --dry-run
  marsad dlq replay 0:17`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringSliceVar(&f.brokers, "brokers", nil, "host:port of Kafka (default: kafka.brokers, else the broker of the marsad over the data folder)")
	flags.StringVar(&f.stage, "stage", "", "only those of this stage")
	flags.StringVar(&f.topic, "topic", "", "only those that came from this topic")
	flags.StringVar(&f.reason, "reason", "", "only those whose reason contains this")
	flags.DurationVar(&f.since, "since", 0, "only those that failed within this time, such as 24h")
	flags.DurationVar(&f.until, "until", 0, "only those that failed at least this long ago, such as 1h")
	flags.StringVar(&f.id, "id", "", "only those with this key: the article's id, or in articles.raw the raw record's key")

	flags.StringVar(&f.source, "source", "", "only those of articles of this source, by its id")
	flags.IntVar(&f.limit, "limit", 0, "at most so many, the oldest (default: all)")

	var asJSON, dryRun bool
	var perSecond int
	list := &cobra.Command{
		Use: "list", Short: "List dead letters, oldest first", Args: noArgs,
		Example: "  marsad dlq list --stage enrich\n  marsad dlq list --json | jq .reason",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.letters(cmd.Context(), f, nil, func(_ *bus.Cluster, letters []letter) error {
				return listLetters(cmd.OutOrStdout(), letters, asJSON)
			})
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "write one JSON object a line")
	show := &cobra.Command{
		Use: "show PARTITION:OFFSET", Short: "Show one dead letter, whole", Args: exactly(1, "the place of one dead letter"),
		Example: "  marsad dlq show 0:17",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.letters(cmd.Context(), f, args, func(c *bus.Cluster, letters []letter) error {
				r, err := letters[0].open(cmd.Context(), c)
				if err != nil {
					return err
				}
				return showLetter(cmd.OutOrStdout(), r)
			})
		},
	}
	replay := &cobra.Command{
		Use: "replay [PARTITION:OFFSET…]", Short: "Write dead letters back into the topics they came from",
		Long: `Write the dead letters named, or all that the filters let through, back into the
topics they came from. Letters of articles that were retracted since are left
alone.`,
		Example: "  marsad dlq replay --stage index --dry-run\n  marsad dlq replay 0:17 0:18",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !f.chooses() {
				return usagef("name the dead letters to replay, or give a filter (--stage, --topic, --reason, --id, --source, --since, --until, --limit)")
			}
			if perSecond <= 0 {
				return usagef("--rate is %d, must be positive", perSecond)
			}
			return o.letters(cmd.Context(), f, args, func(c *bus.Cluster, letters []letter) error {
				return replayLetters(cmd.Context(), c, cmd.OutOrStdout(), letters, perSecond, dryRun)
			})
		},
	}
	replay.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and do nothing")
	replay.Flags().IntVar(&perSecond, "rate", 100, "dead letters written a second, at most")
	cmd.AddCommand(list, show, replay)
	return cmd
}

// letters finds the dead letters named by places, or all that f lets through,
// and gives them to do.
func (o *options) letters(ctx context.Context, f *letterFilter, places []string, do func(*bus.Cluster, []letter) error) error {
	if f.limit < 0 {
		return usagef("--limit is %d, must not be negative", f.limit)
	}
	cfg, err := o.load()
	if err != nil {
		return err
	}
	if f.brokers != nil {
		cfg.Kafka.Brokers = f.brokers
	}
	c, err := kafka(cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	found, err := findLetters(ctx, c, f, places)
	if err != nil {
		return err
	}
	return do(c, found)
}
