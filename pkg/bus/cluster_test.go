package bus

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// kafka-go left connections open whose handshake failed, two a second while a
// broker's certificate was not known.
func TestFailedHandshakeClosesConnection(t *testing.T) {
	s := httptest.NewTLSServer(nil) // for its certificate, which nobody knows
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	end := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			end <- err
			return
		}
		defer conn.Close()
		_ = tls.Server(conn, &tls.Config{Certificates: s.TLS.Certificates}).Handshake()
		conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		for err == nil {
			_, err = conn.Read(make([]byte, 100))
		}
		end <- err
	}()
	c, err := Open(Settings{Brokers: []string{l.Addr().String()}, TLS: TLSSettings{Enabled: true}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := c.dialer().DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Fatal("an unknown certificate was accepted")
	}
	if errors.Is(<-end, os.ErrDeadlineExceeded) {
		t.Error("the connection was left open")
	}
}
