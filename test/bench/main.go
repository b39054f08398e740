// Command bench measures Marsad's services as processes of their own over real
// Kafka and Elasticsearch, and prints what it measured:
//
//   - throughput: the index service from Kafka to Elasticsearch, against the
//     same documents sent straight from memory by go-elasticsearch's
//     BulkIndexer, in alternating pairs;
//   - latency: from the push of an article to its event in the live stream and
//     to its being found by a search, at steady rates.
//
// It needs a JDK 17 and Maven; it starts its servers on free loopback ports.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/marsad-news/marsad/test/stack"
)

// options are the flags.
type options struct {
	articles    int
	bytes       int
	pairs       int
	rates       []int
	span        time.Duration
	flush       int
	concurrency int
}

func main() {
	var o options
	rates := flag.String("rates", "100,300,500", "articles a second of the latency measurement, none to leave it out")
	flag.IntVar(&o.articles, "articles", 20_000, "articles of the throughput measurement")
	flag.IntVar(&o.bytes, "bytes", 3_500, "bytes of title and body of an article; with entities and topics its record has about twice that")
	flag.IntVar(&o.pairs, "pairs", 5, "pairs of the throughput measurement")
	flag.DurationVar(&o.span, "for", 30*time.Second, "length of each latency measurement")
	flag.IntVar(&o.flush, "flush", 5<<20, "bytes of a bulk request, of both sides")
	flag.IntVar(&o.concurrency, "workers", 2, "bulk requests at once, of both sides")
	flag.Parse()
	for f := range strings.SplitSeq(*rates, ",") {
		if n, err := strconv.Atoi(f); err == nil && n > 0 {
			o.rates = append(o.rates, n)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what the measurements share.
type bench struct {
	o     options
	dir   string // of binaries and logs
	kafka *stack.Server
	es    *stack.Server
}

func run(ctx context.Context, o options) (err error) {
	b := &bench{o: o}
	if b.dir, err = os.MkdirTemp("", "marsad-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.build(ctx); err != nil {
		return err
	}
	if b.es, err = stack.StartElasticsearch(ctx, stack.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.es.Stop()) }()
	if b.kafka, err = stack.StartKafka(ctx, stack.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.kafka.Stop()) }()
	fmt.Printf("%s, %d processors; Elasticsearch %s, Kafka 4.1.1 on this machine\n\n", runtime.Version(), runtime.GOMAXPROCS(0), stack.ElasticsearchVersion)
	if o.pairs > 0 {
		if err := b.throughput(ctx); err != nil {
			return err
		}
	}
	for _, rate := range o.rates {
		if err := b.latency(ctx, rate); err != nil {
			return err
		}
	}
	return nil
}

// build makes the services' binaries.
func (b *bench) build(ctx context.Context) error {
	for _, name := range []string{"ingest", "enrich", "index", "web"} {
		if err := goBuild(ctx, filepath.Join("..", "..", "services", name), "./cmd/"+name, filepath.Join(b.dir, name)); err != nil {
			return err
		}
	}
	return nil
}
