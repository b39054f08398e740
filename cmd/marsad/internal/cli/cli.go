// Package cli is the command line of marsad.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // something went wrong, or what was asked for is not there
	exitUsage  = 2 // the command line or the configuration is wrong
)

// usageError marks an error of the command line or configuration.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run runs one command line and gives the exit status.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "marsad: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(errOut, "marsad: %v\n", err)
	return exitFailed
}

// options are the flags that all commands share.
type options struct {
	config string
	sets   []string
	data   string
}

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "marsad",
		Short: "Watch the news as it is published",
		Long: `Marsad watches the news as it is published: it takes articles in, says what
they are about (language, entities, IPTC topics), indexes them, and streams
them live. This command runs all of it in one process, and talks to it.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration.`,
		Example: `  marsad demo                         # sample articles, a page to look at
  marsad up                           # run it; data in ./marsad-data
  marsad publish article.txt          # title in the first line
  marsad search 'title:Rabat AND (sécurité OR أمن)'
  marsad enrich article.txt | jq .topics`,
		SilenceErrors: true, SilenceUsage: true,
		Version: bus.Build(),
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&o.config, "config", "", "YAML file with the configuration")
	root.PersistentFlags().StringArrayVar(&o.sets, "set", nil, "one `key=value` of the configuration; may be repeated")
	root.PersistentFlags().StringVar(&o.data, "data", "", "folder of all data (default \"marsad-data\")")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see \"%s --help\")", err, cmd.CommandPath())
	})
	root.AddCommand(newUp(o), newDemo(o), newPublish(o), newEnrich(), newSearch(o), newDLQ(o), newCheck(o), newLedger(o), newIndex(o), newBackfill(o), newBench(o))
	return root
}

// noArgs and exactly are cobra's, with errors of usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument %q (see \"%s --help\")", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s, not %d arguments (see \"%s --help\")", cmd.CommandPath(), what, len(args), cmd.CommandPath())
		}
		return nil
	}
}

// load gives the configuration from file, environment and flags.
func (o *options) load() (app.Config, error) {
	cfg := app.Default()
	if err := service.Load(&cfg, o.config, service.EnvPrefix, os.Environ(), o.sets); err != nil {
		return cfg, usageError{err}
	}
	if o.data != "" {
		cfg.Data = o.data
	}
	return cfg, nil
}
