// Command web runs the web service alone, over Kafka and Elasticsearch.
package main

import (
	"os"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/medtop"
	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/web"
)

func main() {
	cfg := struct {
		service.Common `yaml:",inline"`
		Elasticsearch  elastic.Settings `yaml:"elasticsearch"`
		Web            web.Config       `yaml:"web"`
	}{
		Common:        service.DefaultCommon(),
		Elasticsearch: elastic.Settings{Addresses: []string{"http://127.0.0.1:9200"}},
	}
	os.Exit(service.Main("web", &cfg, &cfg.Common, func(p *service.Process) ([]service.Part, error) {
		index, err := elastic.Open(cfg.Elasticsearch)
		if err != nil {
			return nil, err
		}
		base, err := kb.Load()
		if err != nil {
			return nil, err
		}
		topics, err := medtop.Load()
		if err != nil {
			return nil, err
		}
		s, err := web.New(cfg.Web, web.Deps{
			Reader: index, Feed: bus.NewFeed(p.Cluster, bus.TopicEnriched), Labels: web.NewLabels(base, topics),
			Log: p.Log, Registry: p.Registry,
		})
		if err != nil {
			return nil, err
		}
		s.Register(p.Server.Mux)
		return []service.Part{{Run: s.Run, Ready: s.Ready}}, nil
	}))
}
