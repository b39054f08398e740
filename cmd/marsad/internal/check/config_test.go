package check

import (
	"testing"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

func TestConfig(t *testing.T) {
	for name, c := range map[string]struct {
		set      func(*app.Config)
		level    Level
		what, do string
	}{
		"default":      {func(*app.Config) {}, OK, "nothing contradicts", ""},
		"TLS, no CA":   {func(c *app.Config) { c.Kafka.Brokers, c.Kafka.TLS.Enabled = []string{"kafka.internal:9093"}, true }, OK, "nothing contradicts", ""},
		"broker a URL": {func(c *app.Config) { c.Kafka.Brokers = []string{"http://kafka:9092"} }, Fail, "is a URL", "without a scheme"},
		"no port":      {func(c *app.Config) { c.Kafka.Brokers = []string{"kafka"} }, Fail, "not host:port", "9092"},
		"no broker": {func(c *app.Config) { c.Kafka.SASL = bus.SASLSettings{Mechanism: "PLAIN", Username: "u"} },
			Fail, "but no broker", "kafka.brokers"},
		"password in clear": {func(c *app.Config) {
			c.Kafka.Brokers, c.Kafka.SASL = []string{"kafka:9092"}, bus.SASLSettings{Mechanism: "PLAIN", Username: "u"}
		}, Warn, "PLAIN without TLS", "kafka.tls.enabled"},
		"password on loopback": {func(c *app.Config) {
			c.Kafka.Brokers, c.Kafka.SASL = []string{"127.0.0.1:9092"}, bus.SASLSettings{Mechanism: "PLAIN", Username: "u"}
		}, OK, "nothing contradicts", ""},
		"no URL": {func(c *app.Config) { c.Elasticsearch.Addresses = []string{"search:9200"} }, Fail, "not a URL", "https://"},
		"user in URL": {func(c *app.Config) { c.Elasticsearch.Addresses = []string{"https://u:p@search:9200"} },
			Fail, "user in a URL", "elasticsearch.username"},
		"both credentials": {func(c *app.Config) { c.Elasticsearch = elastic.Settings{APIKey: "k", Username: "u", Password: "p"} },
			Fail, "both set", "unset one"},
		"no password": {func(c *app.Config) { c.Elasticsearch.Username = "u" }, Fail, "no password", "MARSAD_ELASTICSEARCH_PASSWORD"},
		"no user":     {func(c *app.Config) { c.Elasticsearch.Password = "p" }, Fail, "no user name", "elasticsearch.username"},
		"key in clear": {func(c *app.Config) {
			c.Elasticsearch = elastic.Settings{Addresses: []string{"http://search:9200"}, APIKey: "k"}
		}, Warn, "not https", "ca_file"},
	} {
		cfg := app.Default()
		c.set(&cfg)
		if got := Config(cfg); len(got) != 1 || !has(got, c.level, c.what, c.do) {
			t.Errorf("%s:\n%s", name, list(got))
		}
	}
}
