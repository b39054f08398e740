package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Settings is the part of a service's configuration that says how to reach
// Kafka. With neither TLS nor SASL the connection is plain (PLAINTEXT).
type Settings struct {
	Brokers []string     `yaml:"brokers"` // host:port of at least one broker
	TLS     TLSSettings  `yaml:"tls"`
	SASL    SASLSettings `yaml:"sasl"`
}

// TLSSettings says how connections are encrypted, and with which certificate
// this side shows who it is. Any field that is set turns TLS on.
type TLSSettings struct {
	Enabled    bool   `yaml:"enabled"`     // TLS, even if no other field is set
	CAFile     string `yaml:"ca_file"`     // PEM; empty means the system's certificate authorities
	CertFile   string `yaml:"cert_file"`   // PEM, for mutual TLS; with KeyFile
	KeyFile    string `yaml:"key_file"`    // PEM
	ServerName string `yaml:"server_name"` // the name that certificates must have; empty means each broker's host
}

// SASLSettings says who logs in.
type SASLSettings struct {
	Mechanism string `yaml:"mechanism"` // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty means no login
	Username  string `yaml:"username"`
	Password  string `yaml:"password"` // better given by the environment than by a file
}

// Open makes a Cluster from settings. It reads the files of certificates and
// does no other I/O. clientID is shown in the broker's logs and quotas.
func Open(s Settings, clientID string) (*Cluster, error) {
	t, err := s.TLS.config()
	if err != nil {
		return nil, err
	}
	login, err := s.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	return NewCluster(ClusterConfig{Brokers: s.Brokers, ClientID: clientID, TLS: t, SASL: login})
}

// config is nil where TLS is off.
func (s TLSSettings) config() (*tls.Config, error) {
	if s == (TLSSettings{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.tls.ca_file: %s holds no certificate in PEM", s.CAFile)
		}
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		return nil, errors.New("kafka.tls: cert_file and key_file go together, one of them is missing")
	}
	if s.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.cert_file and key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// mechanism is nil where there is no login.
func (s SASLSettings) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism == "" {
		if s.Username != "" || s.Password != "" {
			return nil, errors.New("kafka.sasl has a user but no mechanism: set kafka.sasl.mechanism to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		}
		return nil, nil
	}
	if s.Username == "" {
		return nil, errors.New("kafka.sasl.mechanism is set, but kafka.sasl.username is not")
	}
	var algorithm scram.Algorithm
	switch s.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "SCRAM-SHA-256":
		algorithm = scram.SHA256
	case "SCRAM-SHA-512":
		algorithm = scram.SHA512
	default:
		return nil, fmt.Errorf("kafka.sasl.mechanism is %q, must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
	}
	m, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		return nil, fmt.Errorf("kafka.sasl: %w", err)
	}
	return m, nil
}
