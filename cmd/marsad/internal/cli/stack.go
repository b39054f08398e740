package cli

import (
	"errors"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// kafka connects to the cluster that the configuration names, else to the
// broker of the marsad that runs over the data folder. It does no I/O.
func kafka(cfg app.Config) (*bus.Cluster, error) {
	s := cfg.Kafka.Settings
	if len(s.Brokers) == 0 {
		a, err := app.ReadAddress(cfg.Data)
		if err != nil {
			return nil, errors.Join(err, errors.New("for a cluster, name its brokers: --set kafka.brokers=HOST:PORT or MARSAD_KAFKA_BROKERS"))
		}
		s = bus.Settings{Brokers: []string{a.Kafka}}
	}
	return bus.Open(s, "marsad-cli")
}

// elasticsearch connects to the cluster that the configuration names. It does
// no I/O.
func elasticsearch(cfg app.Config) (*elastic.Index, error) {
	if len(cfg.Elasticsearch.Addresses) == 0 {
		return nil, usagef("no Elasticsearch is named: --set elasticsearch.addresses=http://HOST:9200 or MARSAD_ELASTICSEARCH_ADDRESSES")
	}
	return elastic.Open(cfg.Elasticsearch)
}

// index reads the configuration and connects to the index that it names.
func (o *options) index() (app.Config, *elastic.Index, error) {
	cfg, err := o.load()
	if err != nil {
		return cfg, nil, err
	}
	x, err := elasticsearch(cfg)
	return cfg, x, err
}
