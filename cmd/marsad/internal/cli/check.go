package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/cmd/marsad/internal/check"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/index"
	"github.com/marsad-news/marsad/services/ingest"
	"github.com/spf13/cobra"
)

func newCheck(o *options) *cobra.Command {
	var fix, asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look at Kafka and Elasticsearch, and say what to do",
		Long: `Compare the configuration, the Kafka cluster (brokers, topics, groups,
permissions) and Elasticsearch (nodes, template, indices, privileges) with what
Marsad needs, and write sample articles into an index that is removed again.
Every finding says what to do about it. Without kafka.brokers, the broker of the
marsad over the data folder is looked at; without elasticsearch.addresses, no
Elasticsearch is.

With --fix, what is missing is created: topics, the index template, aliases.
Settings of topics are corrected. No partition, topic or index is ever removed.

Exit status: 0 nothing fails, 1 something does, 2 wrong usage or configuration.`,
		Example: `  marsad check
  marsad check --fix --set kafka.brokers=[kafka:9092] --set elasticsearch.addresses=[http://search:9200]
  marsad check --json | jq 'select(.level == "fail")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load()
			if err != nil {
				return err
			}
			return o.check(cmd.Context(), cfg, fix, report{cmd.OutOrStdout(), asJSON})
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "create what is missing and correct settings, then check again")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON object a line")
	return cmd
}

func (o *options) check(ctx context.Context, cfg app.Config, fix bool, r report) error {
	c := connections{cfg: cfg, origin: o.origin(os.Environ())}
	c.cluster, c.clusterErr = kafka(cfg)
	if c.clusterErr == nil {
		defer c.cluster.Close()
	}
	if len(cfg.Elasticsearch.Addresses) > 0 {
		if c.index, c.indexErr = elasticsearch(cfg); c.indexErr == nil {
			defer c.index.Close()
		}
	}
	findings := c.findings(ctx)
	if fix {
		if done := check.Fix(ctx, findings); len(done) > 0 {
			if err := r.write(done); err != nil {
				return err
			}
			findings = c.findings(ctx)
		}
	}
	if err := r.write(findings); err != nil {
		return err
	}
	if n := check.Failed(findings); n > 0 {
		return fmt.Errorf("check: %d of %d findings fail", n, len(findings))
	}
	return nil
}

// connections is what is looked at, opened or with the reason why not.
type connections struct {
	cfg        app.Config
	origin     string
	cluster    *bus.Cluster
	clusterErr error
	index      *elastic.Index // nil without an error where none is configured
	indexErr   error
}

func (c *connections) findings(ctx context.Context) []check.Finding {
	out := []check.Finding{{Level: check.Info, Subject: "configuration", What: c.origin}}
	out = append(out, check.Config(c.cfg)...)
	if c.clusterErr != nil {
		out = append(out, check.Finding{Level: check.Fail, Subject: "Kafka", What: oneLine(c.clusterErr), Do: "correct the configuration, or start marsad"})
	} else {
		out = append(out, check.Kafka(ctx, c.cluster, len(c.cfg.Kafka.Brokers) == 0, groups(c.cfg))...)
	}
	switch {
	case c.indexErr != nil:
		out = append(out, check.Finding{Level: check.Fail, Subject: "Elasticsearch", What: oneLine(c.indexErr), Do: "correct the configuration"})
	case c.index != nil:
		out = append(out, check.Elasticsearch(ctx, c.index, c.cfg.Elasticsearch)...)
	default:
		out = append(out, check.Finding{Level: check.Info, Subject: "Elasticsearch", What: "none is named by elasticsearch.addresses, none is looked at"})
	}
	return out
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// groups are those of the services, with the topics that they read.
func groups(cfg app.Config) []check.Group {
	enriched := cfg.Index.Topic
	if enriched == "" {
		enriched = bus.TopicEnriched
	}
	return []check.Group{{Name: ingest.Group, Topic: bus.TopicRaw}, {Name: enrich.Group, Topic: bus.TopicClean}, {Name: index.Group, Topic: enriched}}
}

// origin says where the configuration comes from, without its values: there
// are passwords among them.
func (o *options) origin(environ []string) string {
	var from []string
	if o.config != "" {
		from = append(from, o.config)
	}
	for _, kv := range environ {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, service.EnvPrefix+"_") {
			from = append(from, name)
		}
	}
	slices.Sort(from)
	for _, kv := range o.sets {
		key, _, _ := strings.Cut(kv, "=")
		from = append(from, "--set "+key)
	}
	if len(from) == 0 {
		return "nothing is set, the defaults hold"
	}
	return "set by " + strings.Join(from, ", ")
}

// report writes findings.
type report struct {
	out    io.Writer
	asJSON bool
}

// write groups findings by subject, in the order in which the subjects come.
func (r report) write(findings []check.Finding) error {
	if r.asJSON {
		enc := json.NewEncoder(r.out)
		enc.SetEscapeHTML(false)
		for _, f := range findings {
			if err := enc.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
	subject := ""
	for _, f := range findings {
		if f.Subject != subject {
			subject = f.Subject
			fmt.Fprintln(r.out, subject)
		}
		fmt.Fprintf(r.out, "  %-4s  %s\n", f.Level, printable(f.What))
		if f.Do != "" {
			fmt.Fprintf(r.out, "        → %s\n", printable(f.Do))
		}
	}
	_, err := fmt.Fprintln(r.out)
	return err
}
