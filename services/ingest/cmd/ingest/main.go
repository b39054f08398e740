// Command ingest runs the ingest service alone.
package main

import (
	"os"

	"github.com/marsad-news/marsad/pkg/service"
	"github.com/marsad-news/marsad/services/ingest"
)

func main() {
	cfg := struct {
		service.Common `yaml:",inline"`
		Ingest         ingest.Config `yaml:"ingest"`
	}{Common: service.DefaultCommon()}
	os.Exit(service.Main("ingest", &cfg, &cfg.Common, func(p *service.Process) ([]service.Part, error) {
		s, err := ingest.New(cfg.Ingest, ingest.Deps{Cluster: p.Cluster, Log: p.Log, Registry: p.Registry})
		if err != nil {
			return nil, err
		}
		s.Register(p.Server.Mux)
		return []service.Part{{Run: s.Run, Ready: s.Ready}}, nil
	}))
}
