package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// found is what of the search API's answer is printed.
type found struct {
	Total int               `json:"total"`
	Hits  []json.RawMessage `json:"hits"`
}

type foundHit struct {
	ID        string    `json:"id"`
	Language  string    `json:"language"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	URL       string    `json:"url"`
	Published time.Time `json:"published"`
	Source    struct {
		ID string `json:"id"`
	} `json:"source"`
}

func newSearch(o *options) *cobra.Command {
	var (
		addr, sort string
		size       int
		asJSON     bool
	)
	cmd := &cobra.Command{
		Use:   "search 'QUERY'",
		Short: "Search the articles of a running marsad",
		Long: `Search with Marsad's query language: words, "phrases", AND OR NOT ( ), prefix*,
and fields: title: body: lead: lang: source: source.country: country: entity:
topic:. Words match without regard to case, accents and Arabic spelling
variants, also behind Arabic particles. An empty query finds all.`,
		Example: `  marsad search 'تظاهرات رياضية'
  marsad search '"coupe du monde" AND lang:fr'
  marsad search 'entity:Q1028 NOT topic:medtop:15000000' --json | jq .title`,
		Args: exactly(1, "one query: put it in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.connect(addr)
			if err != nil {
				return err
			}
			q := url.Values{"q": {args[0]}, "size": {strconv.Itoa(size)}, "sort": {sort}}
			var res found
			if err := c.get(cmd.Context(), "/v1/search?"+q.Encode(), &res); err != nil {
				return err
			}
			return printFound(cmd.OutOrStdout(), res, asJSON)
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "", "address of marsad (default: the one over the data folder)")
	cmd.Flags().StringVar(&sort, "sort", "received", "received, published or relevance")
	cmd.Flags().IntVar(&size, "size", 10, "articles at most, up to 200")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the articles as NDJSON")
	return cmd
}

func printFound(out io.Writer, res found, asJSON bool) error {
	for _, h := range res.Hits {
		if asJSON {
			fmt.Fprintf(out, "%s\n", h)
			continue
		}
		var a foundHit
		if err := json.Unmarshal(h, &a); err != nil {
			return fmt.Errorf("reading answer: %w", err)
		}
		title := a.Title
		if title == "" {
			title, _, _ = strings.Cut(a.Body, "\n")
		}
		fmt.Fprintf(out, "%s  %-3s %-14s %s\n    %s  %s\n", a.Published.UTC().Format("2006-01-02 15:04"),
			a.Language, printable(a.Source.ID), printable(title), a.ID, printable(a.URL))
	}
	if !asJSON {
		fmt.Fprintf(out, "%d found\n", res.Total)
	}
	return nil
}

// printable takes control characters out of text from outside, so that it
// cannot command the terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7F && c < 0xA0 {
			return ' '
		}
		return c
	}, s)
}
