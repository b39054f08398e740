package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/spf13/cobra"
)

func newIndex(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "index", Short: "Look after the indices in Elasticsearch", Args: noArgs,
		Example: "  marsad index migrate",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newIndexMigrate(o), newIndexDrop(o))
	return cmd
}

func newIndexDrop(o *options) *cobra.Command {
	var before string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "drop --before YYYY-MM", Short: "Delete the indices of old months", Args: noArgs,
		Long: `Delete the indices of the months before the one named: articles first published
before it. The index service does the same by itself with index.retention_months;
without that, an article of such a month that comes again makes its index again.`,
		Example: "  marsad index drop --before 2026-01 --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !article.ValidBucket(before) {
				return usagef("--before is %q, must be a month as YYYY-MM", before)
			}
			_, x, err := o.index()
			if err != nil {
				return err
			}
			defer x.Close()
			drop, verb := x.DropBefore, "deleted"
			if dryRun {
				drop, verb = x.Expired, "would be deleted"
			}
			names, err := drop(cmd.Context(), before)
			for _, name := range names {
				fmt.Fprintln(cmd.OutOrStdout(), name, verb)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&before, "before", "", "the first month that stays")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be deleted, and delete nothing")
	return cmd
}

func newIndexMigrate(o *options) *cobra.Command {
	var m elastic.MigrateOptions
	var abort bool
	cmd := &cobra.Command{
		Use: "migrate", Short: "Copy the months into new indices with the mapping of today", Args: noArgs,
		Long: `Copy each month whose mapping is of an older version into a new index with the
mapping of today, and put that behind the aliases, while the services write and
readers read. Versions and tombstones are kept; every article is compared before
the old index is deleted. It can be interrupted and run again at any point.`,
		Example: `  marsad index migrate
  marsad index migrate --all --keep    # also months that are up to date; the old indices stay
  marsad index migrate --abort         # give up a migration before its indices are in use`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if abort && (m.All || m.Keep) {
				return usagef("--abort goes with no other flag of migrate")
			}
			_, x, err := o.index()
			if err != nil {
				return err
			}
			defer x.Close()
			if abort {
				return abortMigration(cmd.Context(), x, cmd.OutOrStdout())
			}
			out := cmd.OutOrStdout()
			m.Step = func(format string, args ...any) {
				fmt.Fprintf(out, "%s  %s\n", time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, args...))
			}
			return x.Migrate(cmd.Context(), m)
		},
	}
	cmd.Flags().BoolVar(&m.All, "all", false, "migrate also months that have the mapping of today")
	cmd.Flags().BoolVar(&m.Keep, "keep", false, "keep the old indices, blocked and behind no alias")
	cmd.Flags().BoolVar(&abort, "abort", false, "remove the new indices of a migration that was not finished")
	return cmd
}

func abortMigration(ctx context.Context, x *elastic.Index, out io.Writer) error {
	removed, err := x.AbortMigration(ctx)
	for _, name := range removed {
		fmt.Fprintln(out, "removed", name)
	}
	if err == nil && len(removed) == 0 {
		fmt.Fprintln(out, "no month is being migrated")
	}
	return err
}
