package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func newUp(o *options) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run everything in this process until interrupted",
		Long: `Run ingest, enrich, index and web in this process, over an embedded Kafka
broker and an embedded index, both kept in the data folder. A second start over
the same folder goes on where the first ended, also after a kill.`,
		Example: `  marsad up
  marsad up --data /var/lib/marsad --listen 127.0.0.1:9000
  MARSAD_LOG_FORMAT=json marsad up --set index.batch_age=100ms`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load()
			if err != nil {
				return err
			}
			if listen != "" {
				cfg.Listen = listen
			}
			if len(cfg.Kafka.Brokers) > 0 || len(cfg.Elasticsearch.Addresses) > 0 {
				return usagef("up has its own broker and index: unset kafka.brokers and elasticsearch.addresses, or run the services by themselves (README, \"Beyond one machine\")")
			}
			return up(cmd.Context(), cfg, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "host:port of HTTP (default \"127.0.0.1:8080\")")
	return cmd
}

func up(ctx context.Context, cfg app.Config, out io.Writer) error {
	log, err := service.NewLogger(cfg.Log.Format, cfg.Log.Level)
	if err != nil {
		return usageError{err}
	}
	defer func() { _ = log.Sync() }() // standard error cannot always be synced
	return with(ctx, cfg, log, nil, func(ctx context.Context, a *app.App) error {
		fmt.Fprintf(out, "Marsad is ready: http://%s/  (data in %s, Kafka on %s; end with Ctrl-C)\n", a.Address.HTTP, cfg.Data, a.Address.Kafka)
		<-ctx.Done()
		return nil
	})
}

// with runs an app, calls do once it is ready, and ends the app when do has
// returned.
func with(ctx context.Context, cfg app.Config, log *zap.Logger, wrap func(search.Writer) search.Writer, do func(context.Context, *app.App) error) (err error) {
	a, err := app.Open(ctx, cfg, log, wrap)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- a.Run(running)
		stop()
	}()
	defer func() {
		stop()
		if rerr := <-ended; err == nil {
			err = rerr
		}
		if cerr := a.Close(); err == nil {
			err = cerr
		}
	}()
	if err := waitReady(running, a); err != nil {
		if ctx.Err() != nil {
			return nil // interrupted while starting
		}
		return err
	}
	return do(running, a)
}

// waitReady returns once all services process, or with what keeps them from it
// after half a minute.
func waitReady(ctx context.Context, a *app.App) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := a.Ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-tick.C:
		}
	}
}
