// Command index runs the index service alone, over Kafka and Elasticsearch.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/index"
	"go.uber.org/zap"
)

func main() {
	cfg := struct {
		service.Common `yaml:",inline"`
		Elasticsearch  elastic.Settings `yaml:"elasticsearch"`
		Index          index.Config     `yaml:"index"`
	}{
		Common:        service.DefaultCommon(),
		Elasticsearch: elastic.Settings{Addresses: []string{"http://127.0.0.1:9200"}},
		// Requests are filled by the writer, from many small batches that wait in it together.
		Index: index.Config{FetchInterval: 40 * time.Millisecond, BatchAge: time.Millisecond, Concurrency: 32, MaxMemory: index.DefaultMaxMemory},
	}
	os.Exit(service.Main("index", &cfg, &cfg.Common, func(p *service.Process) ([]service.Part, error) {
		service.LimitMemory(cfg.Index.MaxMemory)
		store, err := elastic.Open(cfg.Elasticsearch)
		if err != nil {
			return nil, err
		}
		s, err := index.New(cfg.Index, index.Deps{Cluster: p.Cluster, Writer: store, Log: p.Log, Registry: p.Registry})
		if err != nil {
			return nil, err
		}
		part := &waiting{service: s, store: store, log: p.Log}
		part.unset.Store(&errStarting)
		return []service.Part{{Run: part.run, Ready: part.ready}}, nil
	}))
}

// waiting runs the service once its templates and aliases are in Elasticsearch.
type waiting struct {
	service *index.Service
	store   *elastic.Index
	log     *zap.Logger
	unset   atomic.Pointer[error] // why Elasticsearch is not set up; nil once it is
}

var errStarting = errors.New("it has not been asked yet")

func (w *waiting) ready() error {
	if why := w.unset.Load(); why != nil {
		return fmt.Errorf("index: Elasticsearch is not set up: %w", *why)
	}
	return w.service.Ready()
}

func (w *waiting) run(ctx context.Context) error {
	for {
		err := w.store.Setup(ctx)
		if err == nil {
			break
		}
		w.unset.Store(&err)
		w.log.Error("setting up Elasticsearch, trying again", zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
	w.unset.Store(nil)
	return w.service.Run(ctx)
}
