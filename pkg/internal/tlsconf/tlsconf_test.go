package tlsconf

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair writes a certificate that signs itself, for the DNS name "server", and
// its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server"}, DNSNames: []string{"server"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		file(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigErrors(t *testing.T) {
	cert, key := pair(t)
	_, otherKey := pair(t)
	missing := filepath.Join(t.TempDir(), "none.pem")
	for name, tt := range map[string]struct {
		files Files
		want  []string
	}{
		"no such authority": {Files{CA: missing}, []string{"kafka.tls.ca_file", missing}},
		"no certificate":    {Files{CA: key}, []string{"kafka.tls.ca_file", key, "holds no certificate in PEM"}},
		"cert without key":  {Files{Cert: cert}, []string{"kafka.tls.cert_file", "set kafka.tls.key_file"}},
		"key without cert":  {Files{Key: key}, []string{"kafka.tls.key_file", "set kafka.tls.cert_file"}},
		"another's key":     {Files{Cert: cert, Key: otherKey}, []string{"kafka.tls.cert_file", "kafka.tls.key_file", "private key does not match"}},
		"no such key":       {Files{Cert: cert, Key: missing}, []string{"kafka.tls.key_file", missing}},
	} {
		_, err := tt.files.Config("kafka.tls")
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want one with %q", name, err, want)
			}
		}
	}
}

// handshake has client and server shake hands and gives the client's error.
func handshake(t *testing.T, client, server *tls.Config) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if server == nil {
			conn.Write([]byte("220 hello\r\n"))
			return
		}
		tls.Server(conn, server).Write([]byte("x"))
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: client}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1)) // TLS 1.3 refuses a client's certificate only now
	return err
}

func TestHandshakes(t *testing.T) {
	cert, key := pair(t)
	server, err := Files{Cert: cert, Key: key}.Config("s")
	if err != nil {
		t.Fatal(err)
	}
	mutual := server.Clone()
	mutual.ClientAuth = tls.RequireAndVerifyClientCert
	mutual.ClientCAs = x509.NewCertPool()
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	mutual.ClientCAs.AppendCertsFromPEM(pem)
	for name, tt := range map[string]struct {
		files  Files
		server *tls.Config
		want   string // in the error; empty means none
	}{
		"trusted":               {Files{CA: cert, ServerName: "server"}, server, ""},
		"mutual":                {Files{CA: cert, Cert: cert, Key: key, ServerName: "server"}, mutual, ""},
		"unknown authority":     {Files{ServerName: "server"}, server, "set p.ca_file to the certificate of the authority"},
		"other name":            {Files{CA: cert}, server, "set p.server_name"},
		"no client certificate": {Files{CA: cert, ServerName: "server"}, mutual, "client certificate that it knows, p.cert_file and p.key_file"},
		"no TLS there":          {Files{CA: cert, ServerName: "server"}, nil, "does not speak TLS on this port"},
	} {
		c, err := tt.files.Config("p")
		if err != nil {
			t.Fatal(err)
		}
		err = Explain(handshake(t, c, tt.server), "p")
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error is %v, want %q", name, err, tt.want)
		}
	}
}

func TestExplainLeavesOthers(t *testing.T) {
	if got := Explain(errors.New("other"), "p"); got.Error() != "other" {
		t.Errorf("an error without advice became %q", got)
	}
	if Explain(nil, "p") != nil {
		t.Error("no error became one")
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "kafka": false, "10.0.0.1": false, "0.0.0.0": false, "localhost.example": false,
	} {
		if Loopback(host) != want {
			t.Errorf("Loopback(%q) is %v", host, !want)
		}
	}
}
