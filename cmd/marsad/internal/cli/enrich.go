package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/ingest"
	"github.com/spf13/cobra"
)

func newEnrich() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use:   "enrich FILE|-",
		Short: "Say what articles are about, without any server",
		Long: `Read articles in any accepted form and write them enriched, as NDJSON, to
standard output: language, entities with their mentions, IPTC topics with their
evidence. No server is used and nothing is stored. Articles that cannot be read
are named on standard error, and the command then exits with 1.`,
		Example: `  marsad enrich article.txt | jq '.entities[].labels.en'
  marsad enrich - < articles.ndjson > enriched.ndjson`,
		Args: exactly(1, "one file, or \"-\" for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return enrichFile(cmd.Context(), args[0], form, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&form, "form", "", formHelp+" (default: told from name and content)")
	return cmd
}

func enrichFile(ctx context.Context, name, form string, stdin io.Reader, stdout, errOut io.Writer) error {
	in, f, done, err := openInput(name, form, stdin)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // it was only read
	recipe, err := enrich.NewEnricher()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(stdout)
	bad, good := 0, 0
	for raw, err := range article.Read(in, f) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var a article.Article
		if err == nil {
			a, err = ingest.Alone(raw, time.Now())
		}
		if err == nil && a.Status == article.Usable {
			err = recipe.Enrich(ctx, &a)
		}
		if err != nil {
			bad++
			fmt.Fprintf(errOut, "%s: %v\n", name, err)
			continue
		}
		good++
		a.Enriched = time.Now().UTC()
		line, err := article.Encode(&a)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if bad > 0 {
		return fmt.Errorf("%d articles could not be enriched", bad)
	}
	if good == 0 {
		return errors.New("there was no article in the input")
	}
	return nil
}
