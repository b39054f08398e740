package stack_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// apiKey is what Elasticsearch calls encoded.
var apiKey = base64.StdEncoding.EncodeToString([]byte("id:" + password))

// gate stands before Elasticsearch, whose jars have no security, and asks by
// TLS for a password or an API key as Elasticsearch does.
func gate(t *testing.T, ca *authority, clients tls.ClientAuthType) *httptest.Server {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: elasticsearch.Addr})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, pass, _ := r.BasicAuth()
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !(name == user && pass == password) && !(strings.EqualFold(scheme, "ApiKey") && key == apiKey) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":{"type":"security_exception","reason":"unable to authenticate user [%s] for REST request [%s]"},"status":401}`, name, r.URL.Path)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, "elasticsearch").pair(t)}, ClientAuth: clients, ClientCAs: x509.NewCertPool(),
	}
	s.TLS.ClientCAs.AppendCertsFromPEM(ca.pem)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func openSettings(t *testing.T, s elastic.Settings) *elastic.Index {
	t.Helper()
	x, err := elastic.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// TestElasticsearchSecurity writes and finds an article in each way.
func TestElasticsearchSecurity(t *testing.T) {
	ca := newAuthority(t)
	client := ca.issue(t, "client")
	open, mutual := gate(t, ca, tls.NoClientCert).URL, gate(t, ca, tls.RequireAndVerifyClientCert).URL
	for name, s := range map[string]elastic.Settings{
		"password":   {Addresses: []string{open}, CAFile: ca.file, Username: user, Password: password},
		"API key":    {Addresses: []string{open}, CAFile: ca.file, APIKey: apiKey},
		"mutual TLS": {Addresses: []string{mutual}, CAFile: ca.file, CertFile: client.certFile, KeyFile: client.keyFile, APIKey: apiKey},
		"other name": {Addresses: []string{open}, CAFile: ca.file, ServerName: "elasticsearch", APIKey: apiKey},
	} {
		t.Run(name, func(t *testing.T) {
			s.Prefix = fmt.Sprintf("t%d", prefixes.Add(1))
			x := openSettings(t, s)
			if err := x.Setup(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { remove(t, s.Prefix) })
			outcomes, err := x.Write(t.Context(), []article.Article{full("a")})
			if err != nil || outcomes[0] != search.Indexed {
				t.Fatalf("Write gives %v, %v", outcomes, err)
			}
			if err := x.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			result, err := x.Search(t.Context(), search.Request{Query: query.Term{Form: "مديريه"}, Size: 1})
			if err != nil || result.Total != 1 || result.Hits[0].Article.ID != "a" {
				t.Errorf("found %d, error %v", result.Total, err)
			}
		})
	}
}

// TestElasticsearchRefusals: the caller learns why, and what to set. Refused
// credentials are an outage, so that no article is given up.
func TestElasticsearchRefusals(t *testing.T) {
	ca := newAuthority(t)
	open, mutual := gate(t, ca, tls.NoClientCert).URL, gate(t, ca, tls.RequireAndVerifyClientCert).URL
	stranger := newAuthority(t).issue(t, "stranger")
	for name, tt := range map[string]struct {
		settings elastic.Settings
		outage   bool
		want     string
	}{
		"wrong password":  {elastic.Settings{CAFile: ca.file, Username: user, Password: "x" + password}, true, "unable to authenticate user [marsad]"},
		"wrong API key":   {elastic.Settings{CAFile: ca.file, APIKey: apiKey + apiKey}, true, "security_exception"},
		"no credentials":  {elastic.Settings{CAFile: ca.file}, true, "security_exception"},
		"unknown CA":      {elastic.Settings{APIKey: apiKey}, false, "set elasticsearch.ca_file"},
		"other name":      {elastic.Settings{CAFile: ca.file, ServerName: "other.example", APIKey: apiKey}, false, "set elasticsearch.server_name"},
		"no certificate":  {elastic.Settings{Addresses: []string{mutual}, CAFile: ca.file, APIKey: apiKey}, false, "elasticsearch.cert_file and elasticsearch.key_file"},
		"unknown client":  {elastic.Settings{Addresses: []string{mutual}, CAFile: ca.file, CertFile: stranger.certFile, KeyFile: stranger.keyFile, APIKey: apiKey}, false, "elasticsearch.cert_file and elasticsearch.key_file"},
		"no TLS there":    {elastic.Settings{Addresses: []string{"https://" + elasticsearch.Addr}, CAFile: ca.file, APIKey: apiKey}, false, "does not speak TLS"},
		"password in log": {elastic.Settings{CAFile: ca.file, Username: user, Password: password + "%zz"}, true, "401"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.settings.Addresses == nil {
				tt.settings.Addresses = []string{open}
			}
			x := openSettings(t, tt.settings)
			_, written := x.Write(t.Context(), []article.Article{full("a")})
			_, searched := x.Search(t.Context(), search.Request{Size: 1})
			if errors.Is(written, search.ErrOutage) != tt.outage {
				t.Errorf("Write gives %v; an outage: want %v", written, tt.outage)
			}
			for what, err := range map[string]error{"Write": written, "Search": searched, "Setup": x.Setup(t.Context())} {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: error is %v, want one with %q", what, err, tt.want)
				}
				keepsSecret(t, fmt.Sprint(err))
				if strings.Contains(fmt.Sprint(err), apiKey) {
					t.Errorf("the API key is in %q", err)
				}
			}
		})
	}
}
