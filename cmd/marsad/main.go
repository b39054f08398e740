// Command marsad is all of Marsad in one process, and the command line for it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/marsad-news/marsad/cmd/marsad/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
