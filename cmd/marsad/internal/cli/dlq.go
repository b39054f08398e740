package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
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

	var asJSON, dryRun bool
	list := &cobra.Command{
		Use: "list", Short: "List dead letters, oldest first", Args: noArgs,
		Example: "  marsad dlq list --stage enrich\n  marsad dlq list --json | jq .reason",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.letters(cmd.Context(), f, nil, func(_ *bus.Cluster, letters []bus.Record) error {
				return listLetters(cmd.OutOrStdout(), letters, asJSON)
			})
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "write one JSON object a line")
	show := &cobra.Command{
		Use: "show PARTITION:OFFSET", Short: "Show one dead letter, whole", Args: exactly(1, "the place of one dead letter"),
		Example: "  marsad dlq show 0:17",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.letters(cmd.Context(), f, args, func(_ *bus.Cluster, letters []bus.Record) error {
				return showLetter(cmd.OutOrStdout(), letters[0])
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
			if len(args) == 0 && f.stage == "" && f.topic == "" && f.reason == "" && f.id == "" && f.since == 0 && f.until == 0 {
				return usagef("name the dead letters to replay, or give a filter (--stage, --topic, --reason, --id, --since, --until)")
			}
			return o.letters(cmd.Context(), f, args, func(c *bus.Cluster, letters []bus.Record) error {
				return replayLetters(cmd.Context(), c, cmd.OutOrStdout(), letters, dryRun)
			})
		},
	}
	replay.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.AddCommand(list, show, replay)
	return cmd
}

// letterFilter chooses dead letters. A field that is zero lets all through.
type letterFilter struct {
	brokers                  []string
	stage, topic, reason, id string
	since, until             time.Duration // ages: not older than since, not younger than until
}

func (f *letterFilter) match(r bus.Record, now time.Time) bool {
	failed, err := time.Parse(time.RFC3339Nano, r.Header(bus.DeadFailed))
	if err != nil {
		failed = r.Time
	}
	return (f.stage == "" || r.Header(bus.DeadStage) == f.stage) &&
		(f.topic == "" || r.Header(bus.DeadTopic) == f.topic) &&
		strings.Contains(r.Header(bus.DeadReason), f.reason) &&
		(f.id == "" || string(r.Key) == f.id) &&
		(f.until == 0 || now.Sub(failed) >= f.until) &&
		(f.since == 0 || now.Sub(failed) <= f.since)
}

// letters reads the dead letters named by places, or all that f lets through,
// and gives them to do.
func (o *options) letters(ctx context.Context, f *letterFilter, places []string, do func(*bus.Cluster, []bus.Record) error) error {
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
	first, _, err := c.Offsets(ctx, bus.TopicDead)
	if err != nil {
		return err
	}
	now, wanted := time.Now(), map[string]bool{}
	for _, p := range places {
		wanted[p] = true
	}
	var found []bus.Record
	for p := range first {
		_, err := c.ReadAll(ctx, bus.TopicDead, p, func(r bus.Record) error {
			if len(places) > 0 && wanted[place(r)] || len(places) == 0 && f.match(r, now) {
				found = append(found, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, r := range found {
		delete(wanted, place(r))
	}
	for p := range wanted {
		return fmt.Errorf("there is no dead letter at %q: write PARTITION:OFFSET as in \"marsad dlq list\"", p)
	}
	slices.SortFunc(found, func(a, b bus.Record) int { return a.Time.Compare(b.Time) })
	return do(c, found)
}

func place(r bus.Record) string { return fmt.Sprintf("%d:%d", r.Partition, r.Offset) }

// letter is a dead letter as it is listed.
type letter struct {
	Place    string `json:"place"`
	Failed   string `json:"failed"`
	Stage    string `json:"stage"`
	Topic    string `json:"topic"`
	Offset   string `json:"offset"` // partition:offset in Topic
	Attempts string `json:"attempts"`
	Reason   string `json:"reason"`
	Trace    string `json:"trace_id,omitempty"`
	Bytes    int    `json:"bytes"`
}

func describe(r bus.Record) letter {
	return letter{
		Place: place(r), Failed: r.Header(bus.DeadFailed), Stage: r.Header(bus.DeadStage), Topic: r.Header(bus.DeadTopic),
		Offset:   r.Header(bus.DeadPartition) + ":" + r.Header(bus.DeadOffset),
		Attempts: r.Header(bus.DeadAttempts), Reason: r.Header(bus.DeadReason),
		Trace: bus.TraceID(r.Header(bus.HeaderTraceParent)), Bytes: len(r.Value),
	}
}

func listLetters(out io.Writer, letters []bus.Record, asJSON bool) error {
	enc := json.NewEncoder(out)
	for _, r := range letters {
		l := describe(r)
		if asJSON {
			if err := enc.Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(out, "%-8s %s  %-7s %s@%s  %s\n", l.Place, l.Failed, l.Stage, l.Topic, l.Offset, printable(l.Reason))
	}
	if !asJSON {
		fmt.Fprintf(out, "%d dead letters\n", len(letters))
	}
	return nil
}

func showLetter(out io.Writer, r bus.Record) error {
	for _, h := range r.Headers {
		fmt.Fprintf(out, "%s: %s\n", printable(h.Key), printable(string(h.Value)))
	}
	fmt.Fprintf(out, "key: %s\n\n%s\n", printable(string(r.Key)), strings.Map(keepLines, string(r.Value)))
	return nil
}

func keepLines(c rune) rune {
	if c == '\n' || c == '\t' {
		return c
	}
	return []rune(printable(string(c)))[0]
}

func replayLetters(ctx context.Context, c *bus.Cluster, out io.Writer, letters []bus.Record, dryRun bool) error {
	gone, err := retractedIDs(ctx, c)
	if err != nil {
		return err
	}
	producers := map[string]*bus.Producer{}
	defer func() {
		for _, p := range producers {
			p.Close()
		}
	}()
	replayed := 0
	for _, r := range letters {
		m, topic, ok := bus.Revive(r)
		switch {
		case !ok || !slices.ContainsFunc(bus.Topics(), func(t bus.Topic) bool { return t.Name == topic && t.Name != bus.TopicDead }):
			fmt.Fprintf(out, "%s left alone: it names no topic of Marsad\n", place(r))
			continue
		case topic != bus.TopicRaw && gone[string(r.Key)]:
			fmt.Fprintf(out, "%s left alone: article %s was retracted\n", place(r), printable(string(r.Key)))
			continue
		}
		replayed++
		fmt.Fprintf(out, "%s → %s\n", place(r), topic)
		if dryRun {
			continue
		}
		if producers[topic] == nil {
			producers[topic] = bus.NewProducer(c, topic)
		}
		if err := producers[topic].Write(ctx, m); err != nil {
			return errors.Join(fmt.Errorf("%d replayed before: ", replayed-1), err)
		}
	}
	verb := "replayed"
	if dryRun {
		verb = "would be replayed"
	}
	fmt.Fprintf(out, "%d of %d dead letters %s\n", replayed, len(letters), verb)
	return nil
}

// retractedIDs are the ids of articles that were retracted.
func retractedIDs(ctx context.Context, c *bus.Cluster) (map[string]bool, error) {
	first, _, err := c.Offsets(ctx, bus.TopicSeen)
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for p := range first {
		_, err := c.ReadAll(ctx, bus.TopicSeen, p, func(r bus.Record) error {
			var e struct {
				ID     string         `json:"id"`
				Status article.Status `json:"status"`
			}
			if err := json.Unmarshal(r.Value, &e); err != nil {
				return err
			}
			gone[e.ID] = e.Status == article.Canceled
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading which articles were retracted: %w", err)
		}
	}
	return gone, nil
}
