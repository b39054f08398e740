package elastic

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every refusal names the key and what to do, and never shows a secret.
func TestOpenRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	near, far, safe := []string{"http://127.0.0.1:9200"}, []string{"https://a:1", "http://es.example:9200"}, []string{"https://es.example:9200"}
	for name, tt := range map[string]struct {
		settings Settings
		want     []string
	}{
		"user without password": {Settings{Addresses: near, Username: "elastic"}, []string{"set elasticsearch.password", "MARSAD_ELASTICSEARCH_PASSWORD"}},
		"password without user": {Settings{Addresses: near, Password: "geheim"}, []string{"set elasticsearch.username"}},
		"key and user":          {Settings{Addresses: near, APIKey: "geheim", Username: "elastic", Password: "geheim"}, []string{"api_key", "username", "unset one"}},
		"id and key":            {Settings{Addresses: near, APIKey: "id:geheim"}, []string{"elasticsearch.api_key", "encoded", "base64"}},
		"readable password":     {Settings{Addresses: far, Username: "elastic", Password: "geheim"}, []string{"es.example:9200", "https://", "elasticsearch.allow_cleartext"}},
		"readable key":          {Settings{Addresses: far, APIKey: "geheim"}, []string{"es.example:9200", "https://", "elasticsearch.allow_cleartext"}},
		"password in address":   {Settings{Addresses: []string{"https://elastic:geheim@a:1"}}, []string{"address 1", "fields of their own"}},
		"broken address":        {Settings{Addresses: []string{"https://elastic:geheim@[a"}}, []string{"address 1"}},
		"no such authority":     {Settings{Addresses: safe, CAFile: empty + "x"}, []string{"elasticsearch.ca_file", empty + "x"}},
		"no certificate":        {Settings{Addresses: safe, CAFile: empty}, []string{"elasticsearch.ca_file", empty}},
		"half a pair":           {Settings{Addresses: safe, KeyFile: empty}, []string{"elasticsearch.key_file", "set elasticsearch.cert_file"}},
		"authority without TLS": {Settings{Addresses: near, CAFile: empty}, []string{"elasticsearch.addresses", "https://"}},
	} {
		_, err := Open(tt.settings)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want one with %q", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: error %q shows the secret", name, err)
		}
	}
}

func TestOpenTakes(t *testing.T) {
	for name, s := range map[string]Settings{
		"neither":                  {Addresses: []string{"http://es.example:9200"}},
		"password by TLS":          {Addresses: []string{"https://es.example:9200"}, Username: "u", Password: "p"},
		"password on this machine": {Addresses: []string{"http://localhost:9200", "http://[::1]:9200"}, Username: "u", Password: "p"},
		"key as told":              {Addresses: []string{"http://es.example:9200"}, APIKey: "a2V5", AllowCleartext: true},
	} {
		x, err := Open(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x.Close()
	}
}

// Elasticsearch 8 speaks TLS unless told otherwise, and says nothing to who
// does not.
func TestPlainToTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1<<10))
			conn.Close()
		}
	}()
	x, err := Open(Settings{Addresses: []string{"http://" + l.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := x.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "begin elasticsearch.addresses with https://") {
		t.Errorf("error is %v, want one with the advice", err)
	}
}
