package elastic

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/marsad-news/marsad/pkg/internal/tlsconf"
)

// Settings is the part of a service's configuration that names the cluster.
type Settings struct {
	Addresses []string `yaml:"addresses"` // URLs, without user name or password

	Username       string `yaml:"username"`        // empty means no basic authentication
	Password       string `yaml:"password"`        // better given by the environment than by a file
	APIKey         string `yaml:"api_key"`         // instead of a user name: what Elasticsearch calls "encoded", in base64
	AllowCleartext bool   `yaml:"allow_cleartext"` // password or key by http:// also to hosts that are not this machine

	CAFile     string `yaml:"ca_file"`     // PEM; empty means the system's certificate authorities
	CertFile   string `yaml:"cert_file"`   // PEM, for mutual TLS; with KeyFile
	KeyFile    string `yaml:"key_file"`    // PEM
	ServerName string `yaml:"server_name"` // the name that certificates must have; empty means each address's host

	Prefix   string        `yaml:"prefix"`   // of indices and aliases; empty means "articles"
	Refresh  time.Duration `yaml:"refresh"`  // zero means 1 s
	Replicas int           `yaml:"replicas"` // copies of each index beside the first

	BulkBytes   int           `yaml:"bulk_bytes"`  // of a bulk request, unless one article alone has more; zero means 5 MiB
	Concurrency int           `yaml:"concurrency"` // bulk requests at once at most, fewer while Elasticsearch is busy; zero means 4
	Linger      time.Duration `yaml:"linger"`      // how long an article waits for others to share its request; zero means 10 ms
	Compression string        `yaml:"compression"` // of bulk requests: gzip or none; empty means gzip unless all addresses are of this machine
	Timeout     time.Duration `yaml:"timeout"`     // of one request; zero means 60 s
}

// Open makes an Index from settings. It reads the files of certificates and
// does no other I/O.
func Open(s Settings) (*Index, error) {
	if err := s.credentials(); err != nil {
		return nil, err
	}
	t, err := s.tls()
	if err != nil {
		return nil, err
	}
	compress, err := s.compress()
	if err != nil {
		return nil, err
	}
	return New(Config{
		Addresses: s.Addresses, Username: s.Username, Password: s.Password, APIKey: s.APIKey, TLS: t,
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
	return tlsconf.Loopback(u.Hostname())
}

// credentials refuses what is incomplete, ambiguous or readable on the way.
func (s Settings) credentials() error {
	switch {
	case s.APIKey != "" && (s.Username != "" || s.Password != ""):
		return errors.New("elasticsearch.api_key and elasticsearch.username exclude each other: unset one of them")
	case s.Username != "" && s.Password == "":
		return errors.New("elasticsearch.username has no password: set elasticsearch.password, best by MARSAD_ELASTICSEARCH_PASSWORD")
	case s.Password != "" && s.Username == "":
		return errors.New("elasticsearch.password is set, but the user is not: set elasticsearch.username")
	case strings.Contains(s.APIKey, ":"):
		return errors.New(`elasticsearch.api_key is an id and a key: set it to what Elasticsearch calls "encoded", the base64 of both`)
	case s.APIKey == "" && s.Username == "" || s.AllowCleartext:
		return nil
	}
	for _, a := range s.Addresses {
		if u, err := url.Parse(a); err == nil && u.Scheme == "http" && !tlsconf.Loopback(u.Hostname()) {
			return fmt.Errorf("elasticsearch.addresses: the password or key would go readable to %s: use https://, or set elasticsearch.allow_cleartext", u.Host)
		}
	}
	return nil
}

// tls is nil where no file and no name is given.
func (s Settings) tls() (*tls.Config, error) {
	f := tlsconf.Files{CA: s.CAFile, Cert: s.CertFile, Key: s.KeyFile, ServerName: s.ServerName}
	if f == (tlsconf.Files{}) {
		return nil, nil
	}
	for _, a := range s.Addresses {
		if strings.HasPrefix(a, "http://") {
			return nil, errors.New("elasticsearch has files or a name for TLS, but an address does not use it: begin all of elasticsearch.addresses with https://")
		}
	}
	return f.Config("elasticsearch")
}

// explain adds to the error of a connection what to do about it, where that can
// be told. Elasticsearch closes the connection of who does not speak TLS to it,
// or shows no certificate: the reason may come too late to be read.
func explain(err error) error {
	for _, closed := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, closed) {
			return fmt.Errorf("%w (the server closed the connection: begin elasticsearch.addresses with https:// if it wants TLS, "+
				"set elasticsearch.cert_file and elasticsearch.key_file if it asks for a certificate)", err)
		}
	}
	return tlsconf.Explain(err, "elasticsearch")
}
