// Command stack starts real Kafka and Elasticsearch on free ports, prints
// their addresses and runs them until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/marsad-news/marsad/test/stack"
)

func main() {
	cache := flag.String("cache", "", "folder of the jars (default $XDG_CACHE_HOME/marsad-stack)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, stack.Options{Cache: *cache}); err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o stack.Options) error {
	elasticsearch, err := stack.StartElasticsearch(ctx, o)
	if err != nil {
		return err
	}
	defer stopServer(elasticsearch)
	kafka, err := stack.StartKafka(ctx, o)
	if err != nil {
		return err
	}
	defer stopServer(kafka)
	fmt.Printf("Elasticsearch http://%s (%v), output in %s\n", elasticsearch.Addr, elasticsearch.Took.Round(time.Millisecond), elasticsearch.Log)
	fmt.Printf("Kafka         %s (%v), output in %s\n", kafka.Addr, kafka.Took.Round(time.Millisecond), kafka.Log)
	fmt.Println("Ctrl-C ends both and removes their data.")
	select {
	case <-ctx.Done():
		return nil
	case <-elasticsearch.Done():
		return errors.New("the Elasticsearch server ended by itself")
	case <-kafka.Done():
		return errors.New("the Kafka server ended by itself")
	}
}

func stopServer(s *stack.Server) {
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
	}
}
