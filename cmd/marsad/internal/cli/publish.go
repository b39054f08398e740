package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/spf13/cobra"
)

func newPublish(o *options) *cobra.Command {
	var addr, source, form string
	cmd := &cobra.Command{
		Use:   "publish FILE|-…",
		Short: "Push articles to a running marsad",
		Long: `Push the articles in the files, or in standard input with "-", to a running
marsad. Accepted are plain text (the first line is the title), JSON (an object
or an array), NDJSON (an object a line), IPTC ninjs and NewsML-G2, JSON-LD of
schema.org's NewsArticle, feeds (RSS, Atom, JSON Feed, news sitemaps) and mail;
the form is told from the file's name (.txt .json .ndjson .jsonl .ninjs .jsonld
.newsml .rss .atom .rdf .eml) or from its content. The command ends once
every article is durable or refused; it exits with 1 where any was refused.`,
		Example: `  marsad publish article.txt
  marsad publish --source my-agency articles.ndjson
  producer | marsad publish --form ndjson -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("publish takes at least one file, or \"-\" for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.connect(addr)
			if err != nil {
				return err
			}
			p := &publisher{client: c, out: cmd.OutOrStdout(), errOut: cmd.ErrOrStderr(), source: source}
			for _, name := range args {
				if err := p.file(cmd.Context(), name, form, cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return p.report()
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "", "address of marsad (default: the one over the data folder)")
	cmd.Flags().StringVar(&source, "source", "", "source id of articles that name none (default \"push\")")
	cmd.Flags().StringVar(&form, "form", "", formHelp+" (default: told from name and content)")
	return cmd
}

// formHelp names the values of --form.
const formHelp = "text, json, ndjson, ninjs, jsonld, newsml or eml"

// publishBytes is the size from which a push is sent.
const publishBytes = 4 << 20

// publisher sends articles in pushes of bounded size.
type publisher struct {
	client             *client
	out, errOut        io.Writer
	source             string
	accepted, rejected int
}

func (p *publisher) file(ctx context.Context, name, form string, stdin io.Reader) error {
	in, f, done, err := openInput(name, form, stdin)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // it was only read
	var body bytes.Buffer
	for raw, err := range article.Read(in, f) {
		if err != nil {
			var bad *article.InvalidError
			if !errors.As(err, &bad) {
				return fmt.Errorf("%s: %w", name, err)
			}
			p.rejected++
			fmt.Fprintf(p.errOut, "%s: %v\n", name, err)
			continue
		}
		line, err := article.Encode(&raw)
		if err != nil {
			return err
		}
		if body.Len() > 0 && body.Len()+len(line) > publishBytes {
			if err := p.send(ctx, name, &body); err != nil {
				return err
			}
		}
		body.Write(line)
		body.WriteByte('\n')
	}
	if body.Len() == 0 {
		return nil
	}
	return p.send(ctx, name, &body)
}

func (p *publisher) send(ctx context.Context, name string, body *bytes.Buffer) error {
	defer body.Reset()
	query := ""
	if p.source != "" {
		query = "?source=" + url.QueryEscape(p.source)
	}
	res, status, err := p.client.push(ctx, query, "application/x-ndjson", body.Bytes())
	p.accepted += res.Accepted
	p.rejected += res.Rejected
	for _, e := range res.Errors {
		fmt.Fprintf(p.errOut, "%s: %s\n", name, e.Error)
	}
	if err == nil && status >= 500 {
		err = fmt.Errorf("publishing %s: %s (%d accepted before)", name, res.Error, p.accepted)
	}
	return err
}

func (p *publisher) report() error {
	fmt.Fprintf(p.out, "%d accepted, %d refused\n", p.accepted, p.rejected)
	if p.rejected > 0 {
		return fmt.Errorf("%d articles were refused", p.rejected)
	}
	if p.accepted == 0 {
		return errors.New("there was no article in the input")
	}
	return nil
}

// openInput opens a file or standard input and tells its form.
func openInput(name, form string, stdin io.Reader) (io.Reader, article.Form, func() error, error) {
	in, done := stdin, func() error { return nil }
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, 0, nil, err
		}
		in, done = f, f.Close
	}
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, nil, errors.Join(fmt.Errorf("reading %s: %w", name, err), done())
	}
	in = io.MultiReader(bytes.NewReader(head[:n]), in)
	if form == "" {
		form = strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	}
	switch form {
	case "txt", "text":
		return in, article.Text, done, nil
	case "json":
		return in, article.JSON, done, nil
	case "ndjson", "jsonl":
		return in, article.NDJSON, done, nil
	case "ninjs":
		return in, article.Ninjs, done, nil
	case "jsonld":
		return in, article.JSONLD, done, nil
	case "newsml":
		return in, article.NewsML, done, nil
	case "rss", "atom", "rdf":
		return in, article.Feed, done, nil
	case "eml":
		return in, article.Mail, done, nil
	}
	return in, article.Sniff(head[:n]), done, nil
}
