// Package tlsconf makes TLS configurations from files and says what to do
// about handshakes that fail, in terms of a service's configuration.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// Files says whom to trust, and how to show who this side is.
type Files struct {
	CA         string // PEM; empty means the system's certificate authorities
	Cert       string // PEM, for mutual TLS; with Key
	Key        string // PEM
	ServerName string // the name that certificates must have; empty means the host connected to
}

// Config reads the files. Its errors name keys of the configuration, which
// begin with prefix ("kafka.tls").
func (f Files) Config(prefix string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("%s.ca_file: %w", prefix, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s.ca_file: %s holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", prefix, f.CA)
		}
	}
	switch {
	case f.Cert == "" && f.Key == "":
		return c, nil
	case f.Key == "":
		return nil, fmt.Errorf("%s.cert_file is set without its key: set %[1]s.key_file too", prefix)
	case f.Cert == "":
		return nil, fmt.Errorf("%s.key_file is set without its certificate: set %[1]s.cert_file too", prefix)
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("%s.cert_file (%s) and %s.key_file (%s): %w", prefix, f.Cert, prefix, f.Key, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// Explain adds to the error of a connection what to set under prefix, where
// that can be told; any other error, nil too, comes back as it is.
func Explain(err error, prefix string) error {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		notTLS  tls.RecordHeaderError
		remote  *net.OpError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w (set %s.ca_file to the certificate of the authority that signed the server's)", err, prefix)
	case errors.As(err, &name):
		return fmt.Errorf("%w (connect by a name that the certificate has, or set %s.server_name to one)", err, prefix)
	case errors.As(err, &notTLS):
		return fmt.Errorf("%w (the server does not speak TLS on this port)", err)
	case errors.As(err, &remote) && remote.Op == "remote error": // so crypto/tls calls an alert
		return fmt.Errorf("%w (the server refuses the handshake: it may ask for a client certificate that it knows, %s.cert_file and %[2]s.key_file)", err, prefix)
	}
	return err
}

// Loopback says whether host (a name or an address) is this machine by its
// form alone, so that what is sent to it crosses no network.
func Loopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
