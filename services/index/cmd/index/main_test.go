package main

import (
	"testing"

	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/pkg/service"
)

// Elasticsearch's secrets can be given by the environment, as they are.
func TestSecretsByEnvironment(t *testing.T) {
	var got struct {
		Elasticsearch elastic.Settings `yaml:"elasticsearch"`
	}
	const secret = "#: [p=a\"s'sé"
	err := service.Load(&got, "", service.EnvPrefix, []string{
		"MARSAD_ELASTICSEARCH_USERNAME=elastic", "MARSAD_ELASTICSEARCH_PASSWORD=" + secret, "MARSAD_ELASTICSEARCH_API_KEY=" + secret,
		"MARSAD_ELASTICSEARCH_CA_FILE=es.pem", "MARSAD_ELASTICSEARCH_CERT_FILE=c.pem", "MARSAD_ELASTICSEARCH_KEY_FILE=k.pem",
		"MARSAD_ELASTICSEARCH_SERVER_NAME=es", "MARSAD_ELASTICSEARCH_ALLOW_CLEARTEXT=true",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Elasticsearch
	if s.Username != "elastic" || s.Password != secret || s.APIKey != secret || s.CAFile != "es.pem" ||
		s.CertFile != "c.pem" || s.KeyFile != "k.pem" || s.ServerName != "es" || !s.AllowCleartext {
		t.Errorf("settings are %+v", s)
	}
}
