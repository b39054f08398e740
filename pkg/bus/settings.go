package bus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/marsad-news/marsad/pkg/internal/tlsconf"
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

	AllowCleartext bool `yaml:"allow_cleartext"` // PLAIN without TLS also to brokers that are not on this machine
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
	if host := s.exposed(); host != "" {
		return nil, fmt.Errorf("kafka.sasl.mechanism PLAIN would send the password readable to %s: "+
			"turn on kafka.tls.enabled, use a SCRAM mechanism, or set kafka.sasl.allow_cleartext", host)
	}
	return NewCluster(ClusterConfig{Brokers: s.Brokers, ClientID: clientID, TLS: t, SASL: login})
}

// exposed names a broker to which a readable password would go over a network.
func (s Settings) exposed() string {
	if s.SASL.Mechanism != "PLAIN" || s.SASL.AllowCleartext || s.TLS != (TLSSettings{}) {
		return ""
	}
	for _, b := range s.Brokers {
		host, _, err := net.SplitHostPort(b)
		if err != nil {
			host = b
		}
		if !tlsconf.Loopback(host) {
			return b
		}
	}
	return ""
}

// config is nil where TLS is off.
func (s TLSSettings) config() (*tls.Config, error) {
	if s == (TLSSettings{}) {
		return nil, nil
	}
	f := tlsconf.Files{CA: s.CAFile, Cert: s.CertFile, Key: s.KeyFile, ServerName: s.ServerName}
	return f.Config("kafka.tls")
}

// mechanism is nil where there is no login.
func (s SASLSettings) mechanism() (sasl.Mechanism, error) {
	const known = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
	if s.Mechanism == "" {
		if s.Username != "" || s.Password != "" {
			return nil, errors.New("kafka.sasl has a user or password but no mechanism: set kafka.sasl.mechanism to " + known)
		}
		return nil, nil
	}
	if s.Username == "" {
		return nil, errors.New("kafka.sasl.mechanism is set, but the user is not: set kafka.sasl.username")
	}
	if s.Password == "" {
		return nil, errors.New("kafka.sasl.username has no password: set kafka.sasl.password, best by MARSAD_KAFKA_SASL_PASSWORD")
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
		return nil, fmt.Errorf("kafka.sasl.mechanism is %q, must be %s", s.Mechanism, known)
	}
	m, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		return nil, errors.New("kafka.sasl.username or kafka.sasl.password has characters that SCRAM does not allow") // err would quote them
	}
	return m, nil
}
