// Command enrich runs the enrich service alone.
package main

import (
	"os"

	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/enrich"
)

func main() {
	cfg := struct {
		service.Common `yaml:",inline"`
		Enrich         enrich.Config `yaml:"enrich"`
	}{Common: service.DefaultCommon()}
	os.Exit(service.Main("enrich", &cfg, &cfg.Common, func(p *service.Process) ([]service.Part, error) {
		e, err := enrich.NewEnricher()
		if err != nil {
			return nil, err
		}
		s, err := enrich.New(cfg.Enrich, enrich.Deps{Cluster: p.Cluster, Enricher: e, Log: p.Log, Registry: p.Registry})
		if err != nil {
			return nil, err
		}
		return []service.Part{{Run: s.Run, Ready: s.Ready}}, nil
	}))
}
