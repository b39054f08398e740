package elastic

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"
)

// Settings is the part of a service's configuration that names the cluster.
type Settings struct {
	Addresses []string      `yaml:"addresses"` // URLs
	Username  string        `yaml:"username"`  // empty means no basic authentication
	Password  string        `yaml:"password"`  // better given by the environment than by a file
	APIKey    string        `yaml:"api_key"`   // base64, instead of a user name
	CAFile    string        `yaml:"ca_file"`   // PEM; empty means the system's certificate authorities
	Prefix    string        `yaml:"prefix"`    // of indices and aliases; empty means "articles"
	Refresh   time.Duration `yaml:"refresh"`   // zero means 1 s
	Replicas  int           `yaml:"replicas"`  // copies of each index beside the first

	BulkBytes   int           `yaml:"bulk_bytes"`  // of a bulk request, unless one article alone has more; zero means 5 MiB
	Concurrency int           `yaml:"concurrency"` // bulk requests at once at most, fewer while Elasticsearch is busy; zero means 4
	Linger      time.Duration `yaml:"linger"`      // how long an article waits for others to share its request; zero means 10 ms
	Compression string        `yaml:"compression"` // of bulk requests: gzip or none; empty means gzip unless all addresses are of this machine
	Timeout     time.Duration `yaml:"timeout"`     // of one request; zero means 60 s
}

// Open makes an Index from settings. It reads the file of authorities and does
// no other I/O.
func Open(s Settings) (*Index, error) {
	var ca []byte
	if s.CAFile != "" {
		var err error
		if ca, err = os.ReadFile(s.CAFile); err != nil {
			return nil, fmt.Errorf("elasticsearch.ca_file: %w", err)
		}
	}
	compress, err := s.compress()
	if err != nil {
		return nil, err
	}
	return New(Config{
		Addresses: s.Addresses, Username: s.Username, Password: s.Password, APIKey: s.APIKey, CACert: ca,
		Prefix: s.Prefix, Refresh: s.Refresh, Replicas: s.Replicas,
		MaxBulk: s.BulkBytes, Concurrency: s.Concurrency, Linger: s.Linger, Compress: compress, Timeout: s.Timeout,
	})
}

// compress decides on compression: it costs some 150 µs of processor time an
// article on either side, which pays where bytes have to go over a network.
func (s Settings) compress() (bool, error) {
	switch s.Compression {
	case "gzip":
		return true, nil
	case "none":
		return false, nil
	case "":
		return slices.ContainsFunc(s.Addresses, func(a string) bool { return !loopback(a) }), nil
	}
	return false, fmt.Errorf("elasticsearch.compression is %q, must be gzip or none", s.Compression)
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}
