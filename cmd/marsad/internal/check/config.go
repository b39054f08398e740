package check

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// Config looks at the configuration for what is accepted but cannot be meant.
// It does no I/O.
func Config(cfg app.Config) []Finding {
	out := append(brokerAddresses(cfg.Kafka.Settings), elasticSettings(cfg.Elasticsearch)...)
	if len(out) == 0 {
		return []Finding{{Level: OK, Subject: subjectConfig, What: "nothing contradicts itself"}}
	}
	return out
}

func brokerAddresses(s bus.Settings) []Finding {
	var out []Finding
	fail := func(what, do string) {
		out = append(out, Finding{Level: Fail, Subject: subjectConfig, What: what, Do: do})
	}
	for _, b := range s.Brokers {
		host, port, err := net.SplitHostPort(b)
		switch {
		case strings.Contains(b, "://"):
			fail(fmt.Sprintf("kafka.brokers has %q, which is a URL", b), "write host:port, without a scheme; TLS is kafka.tls")
		case err != nil || host == "" || port == "":
			fail(fmt.Sprintf("kafka.brokers has %q, which is not host:port", b), "write it as kafka.example.org:9092")
		}
	}
	if s.SASL.Mechanism == "PLAIN" && s.TLS == (bus.TLSSettings{}) && !allLoopback(s.Brokers) {
		out = append(out, Finding{
			Level: Warn, Subject: subjectConfig, What: "kafka.sasl.mechanism is PLAIN without TLS: the password goes over the network as it is",
			Do: "set kafka.tls.enabled=true and use the broker's TLS listener, or use SCRAM-SHA-512",
		})
	}
	if len(s.Brokers) == 0 && (s.SASL != (bus.SASLSettings{}) || s.TLS != (bus.TLSSettings{})) {
		fail("kafka.tls or kafka.sasl is set, but no broker", "set kafka.brokers to host:port, or unset the others")
	}
	return out
}

func elasticSettings(s elastic.Settings) []Finding {
	var out []Finding
	fail := func(what, do string) {
		out = append(out, Finding{Level: Fail, Subject: subjectConfig, What: what, Do: do})
	}
	if s.APIKey != "" && s.Username != "" {
		fail("elasticsearch.api_key and elasticsearch.username are both set: the user name is not used", "unset one of them")
	}
	if s.Username == "" && s.Password != "" {
		fail("elasticsearch.password is set, but no user name", "set elasticsearch.username, or unset the password")
	}
	if s.Username != "" && s.Password == "" {
		fail("elasticsearch.username is set, but no password", "set it by MARSAD_ELASTICSEARCH_PASSWORD")
	}
	for _, a := range s.Addresses {
		u, err := url.Parse(a)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			fail(fmt.Sprintf("elasticsearch.addresses has %q, which is not a URL", a), "write it as https://search.example.org:9200")
		case u.User != nil:
			fail("elasticsearch.addresses has a user in a URL, which logs would show", "set elasticsearch.username and the password's variable instead")
		case u.Scheme == "http" && (s.APIKey != "" || s.Username != "") && !loopback(u.Hostname()):
			out = append(out, Finding{
				Level: Warn, Subject: subjectConfig, What: fmt.Sprintf("%s is not https: the credentials go over the network as they are", a),
				Do: "turn on TLS in Elasticsearch and write https, with elasticsearch.ca_file for an authority of your own",
			})
		}
	}
	return out
}

func allLoopback(addresses []string) bool {
	for _, a := range addresses {
		host, _, err := net.SplitHostPort(a)
		if err != nil || !loopback(host) {
			return false
		}
	}
	return true
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
