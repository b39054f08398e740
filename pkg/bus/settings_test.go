package bus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const secret = "geheim\u0007" // SCRAM does not allow U+0007

// Every refusal names the key and what to do, and never shows the password.
func TestOpenRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	far, near := []string{"127.0.0.1:9092", "kafka.example:9092"}, []string{"127.0.0.1:9092"}
	login := SASLSettings{Mechanism: "PLAIN", Username: "marsad", Password: secret}
	with := func(change func(*SASLSettings)) SASLSettings { s := login; change(&s); return s }
	for name, tt := range map[string]struct {
		settings Settings
		want     []string
	}{
		"no broker":      {Settings{}, []string{"kafka.brokers", "host:port"}},
		"no certificate": {Settings{Brokers: near, TLS: TLSSettings{CAFile: empty}}, []string{"kafka.tls.ca_file", empty}},
		"half a pair":    {Settings{Brokers: near, TLS: TLSSettings{CertFile: empty}}, []string{"kafka.tls.cert_file", "set kafka.tls.key_file"}},
		"no mechanism": {Settings{Brokers: near, SASL: with(func(s *SASLSettings) { s.Mechanism = "" })},
			[]string{"set kafka.sasl.mechanism to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"}},
		"unknown mechanism": {Settings{Brokers: near, SASL: with(func(s *SASLSettings) { s.Mechanism = "GSSAPI" })},
			[]string{`kafka.sasl.mechanism is "GSSAPI"`, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"}},
		"no user":     {Settings{Brokers: near, SASL: with(func(s *SASLSettings) { s.Username = "" })}, []string{"set kafka.sasl.username"}},
		"no password": {Settings{Brokers: near, SASL: with(func(s *SASLSettings) { s.Password = "" })}, []string{"set kafka.sasl.password", "MARSAD_KAFKA_SASL_PASSWORD"}},
		"not for SCRAM": {Settings{Brokers: near, SASL: with(func(s *SASLSettings) { s.Mechanism = "SCRAM-SHA-256" })},
			[]string{"kafka.sasl.password", "characters that SCRAM does not allow"}},
		"readable": {Settings{Brokers: far, SASL: login}, []string{"kafka.example:9092", "kafka.tls.enabled", "SCRAM", "kafka.sasl.allow_cleartext"}},
	} {
		_, err := Open(tt.settings, "")
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want one with %q", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: error %q shows the password", name, err)
		}
	}
}

func TestOpenTakes(t *testing.T) {
	far, near := []string{"kafka.example:9092"}, []string{"localhost:9092", "[::1]:9092"}
	plain := SASLSettings{Mechanism: "PLAIN", Username: "marsad", Password: "geheim"}
	allowed, scram := plain, plain
	allowed.AllowCleartext, scram.Mechanism = true, "SCRAM-SHA-512"
	for name, tt := range map[string]struct {
		settings Settings
		tls      bool
		login    string
	}{
		"neither":               {Settings{Brokers: far}, false, ""},
		"TLS":                   {Settings{Brokers: far, TLS: TLSSettings{Enabled: true}}, true, ""},
		"TLS by another field":  {Settings{Brokers: far, TLS: TLSSettings{ServerName: "kafka"}}, true, ""},
		"PLAIN by TLS":          {Settings{Brokers: far, TLS: TLSSettings{Enabled: true}, SASL: plain}, true, "PLAIN"},
		"PLAIN on this machine": {Settings{Brokers: near, SASL: plain}, false, "PLAIN"},
		"PLAIN as told":         {Settings{Brokers: far, SASL: allowed}, false, "PLAIN"},
		"SCRAM":                 {Settings{Brokers: far, SASL: scram}, false, "SCRAM-SHA-512"},
	} {
		c, err := Open(tt.settings, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		login := ""
		if c.cfg.SASL != nil {
			login = c.cfg.SASL.Name()
		}
		if (c.cfg.TLS != nil) != tt.tls || login != tt.login {
			t.Errorf("%s: TLS is %v, login %q", name, c.cfg.TLS != nil, login)
		}
	}
}

func TestExplain(t *testing.T) {
	for want, err := range map[string]error{
		"check kafka.sasl.username":           fmt.Errorf("dialing: %w", kafka.SASLAuthenticationFailed),
		"set kafka.sasl.mechanism":            kafka.UnsupportedSASLMechanism,
		"unset kafka.sasl":                    kafka.IllegalSASLState,
		"give this user the permission":       kafka.GroupAuthorizationFailed,
		"this user may not describe it":       kafka.UnknownTopicOrPartition,
		"or this user may not describe it":    protocol.NewErrNoTopic("t"),
		"kafka.tls and kafka.sasl do not fit": io.ErrUnexpectedEOF,
	} {
		got := explain(err)
		if !strings.Contains(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("%v is explained by %q, want %q", err, got, want)
		}
	}
	other := errors.New("other")
	if got := explain(other); got.Error() != "other" {
		t.Errorf("an error without advice became %q", got)
	}
	if explain(nil) != nil {
		t.Error("no error became one")
	}
}
