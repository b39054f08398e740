package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	"github.com/segmentio/kafka-go"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// group is the index service's consumer group.
const group = "marsad-index"

// throughput measures pairs of the index service and the BulkIndexer.
func (b *bench) throughput(ctx context.Context) error {
	c, err := newCorpus(b.o.bytes)
	if err != nil {
		return err
	}
	articles, err := c.enriched(ctx, b.o.articles)
	if err != nil {
		return err
	}
	documents := make([][]byte, len(articles))
	size := 0
	for i := range articles {
		if documents[i], err = elastic.AppendDocument(nil, &articles[i]); err != nil {
			return err
		}
		size += len(documents[i])
	}
	record, err := b.fill(ctx, articles)
	if err != nil {
		return err
	}
	fmt.Printf("Kafka to Elasticsearch: %d articles of about %d bytes of text; records of %d, documents of %d bytes on average\n",
		len(articles), b.o.bytes, record, size/len(documents))
	fmt.Printf("  %4s %12s %12s %7s %12s %10s\n", "pair", "service", "BulkIndexer", "ratio", "service CPU", "peak RSS")
	if _, err := b.baseline(ctx, articles, documents); err != nil { // Java's first minute is slower
		return err
	}
	var services, baselines, ratios, cpus []float64
	for pair := range b.o.pairs {
		var s measured
		var base time.Duration
		sides := []func() error{
			func() (err error) { s, err = b.service(ctx, articles); return err },
			func() (err error) { base, err = b.baseline(ctx, articles, documents); return err },
		}
		if pair%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			if err := side(); err != nil {
				return err
			}
		}
		ratio := s.wall.Seconds() / base.Seconds()
		fmt.Printf("  %4d %10.2f s %10.2f s %7.3f %10.2f s %6.0f MiB\n", pair+1, s.wall.Seconds(), base.Seconds(), ratio, s.cpu.Seconds(), float64(s.memory)/(1<<20))
		services, baselines = append(services, s.wall.Seconds()), append(baselines, base.Seconds())
		ratios, cpus = append(ratios, ratio), append(cpus, s.cpu.Seconds())
	}
	fmt.Printf("  %4s %10.2f s %10.2f s %7.3f %10.2f s\n", "med.", median(services), median(baselines), median(ratios), median(cpus))
	fmt.Println("  service: from ready to all durable in Elasticsearch; its CPU from the start of its process to its end")
	fmt.Println()
	return nil
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// fill writes the articles into articles.enriched and gives their mean size.
func (b *bench) fill(ctx context.Context, articles []article.Article) (mean int, err error) {
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{b.kafka.Addr}})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.CreateTopics(ctx, bus.Topics(), 0); err != nil {
		return 0, err
	}
	p := bus.NewProducer(c, bus.TopicEnriched)
	msgs := make([]bus.Message, len(articles))
	for i := range articles {
		value, err := article.Encode(&articles[i])
		if err != nil {
			return 0, err
		}
		mean += len(value)
		msgs[i] = bus.Message{Key: []byte(articles[i].ID), Value: value,
			Headers: bus.EventHeaders(articles[i].ID+"/1", bus.TypeEnriched, "/marsad/bench", "", time.Now())}
	}
	for part := range slices.Chunk(msgs, 1000) {
		if err := p.Write(ctx, part...); err != nil {
			return 0, err
		}
	}
	return mean / len(articles), p.Close()
}

// empty gives an index like new: template, the month's index, nothing in it
// but one article that both sides write again.
func (b *bench) empty(ctx context.Context, first article.Article) error {
	x, err := elastic.New(elastic.Config{Addresses: []string{"http://" + b.es.Addr}})
	if err != nil {
		return err
	}
	defer x.Close()
	if err := b.ask(ctx, http.MethodDelete, "/articles-"+strings.Replace(first.Bucket, "-", ".", 1)+"-000001?ignore_unavailable=true"); err != nil {
		return err
	}
	if err := x.Setup(ctx); err != nil {
		return err
	}
	_, err = x.Write(ctx, []article.Article{first})
	return err
}

func (b *bench) ask(ctx context.Context, method, path string) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.es.Addr+path, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s answers %s", method, path, resp.Status)
	}
	return nil
}

// measured is what a run of the service took.
type measured struct {
	wall, cpu time.Duration
	memory    int64
}

// service runs the index service over all of the topic.
func (b *bench) service(ctx context.Context, articles []article.Article) (m measured, err error) {
	if err := b.empty(ctx, articles[0]); err != nil {
		return m, err
	}
	client := &kafka.Client{Addr: kafka.TCP(b.kafka.Addr)}
	if _, err := client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}}); err != nil {
		return m, err
	}
	p, err := b.start(ctx, "index", "MARSAD_ELASTICSEARCH_ADDRESSES=[http://"+b.es.Addr+"]",
		fmt.Sprintf("MARSAD_ELASTICSEARCH_BULK_BYTES=%d", b.o.flush), fmt.Sprintf("MARSAD_ELASTICSEARCH_CONCURRENCY=%d", b.o.concurrency))
	if err != nil {
		return m, err
	}
	began := time.Now()
	for {
		n, err := metric(ctx, p.addr, `marsad_index_articles_total{outcome="indexed"}`)
		if err != nil {
			return m, errors.Join(err, p.stop())
		}
		if int(n) >= len(articles) {
			break
		}
		if time.Since(began) > 5*time.Minute {
			return m, errors.Join(fmt.Errorf("only %v of %d articles were indexed after five minutes", n, len(articles)), p.stop())
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.wall = time.Since(began)
	m.memory, err = p.memory()
	if err = errors.Join(err, p.stop()); err != nil {
		return m, err
	}
	m.cpu = p.cpu()
	return m, nil
}

// baseline sends the documents straight from memory.
func (b *bench) baseline(ctx context.Context, articles []article.Article, documents [][]byte) (time.Duration, error) {
	if err := b.empty(ctx, articles[0]); err != nil {
		return 0, err
	}
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{"http://" + b.es.Addr}})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, NumWorkers: b.o.concurrency, FlushBytes: b.o.flush})
	if err != nil {
		return 0, err
	}
	var failed atomic.Int64
	for i := range documents {
		version := articles[i].Version()
		err := indexer.Add(ctx, esutil.BulkIndexerItem{
			Action: "index", Index: "articles-write-" + strings.Replace(articles[i].Bucket, "-", ".", 1), RequireAlias: true,
			DocumentID: articles[i].ID, Version: &version, VersionType: "external_gte", Body: bytes.NewReader(documents[i]),
			OnFailure: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem, error) { failed.Add(1) },
		})
		if err != nil {
			return 0, err
		}
	}
	if err := indexer.Close(ctx); err != nil {
		return 0, err
	}
	if n := failed.Load(); n > 0 {
		return 0, fmt.Errorf("the BulkIndexer failed on %d articles", n)
	}
	return time.Since(began), nil
}
