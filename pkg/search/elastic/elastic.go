// Package elastic is the search index on Elasticsearch 8. Each month of
// articles has an index of its own; readers go through an alias whose filter
// hides tombstones, writers through an alias per month:
//
//	Write ─► queue ─► articles-write-2026.10 ─► articles-2026.10-000001 ◄─┬─ articles     (usable only) ◄─ Search
//	                                            articles-2026.11-000001 ◄─┤
//	                                                                      └─ articles-all (everything)  ◄─ Get, Count
//
// Words are those of package text, folded before they are sent and split by
// the whitespace analyser, so that a query finds here what query.Match says.
// The folded fields are not kept in _source: they can be built again from it.
//
// Times are compared and sorted to the millisecond. Totals are exact; facets
// over more than one month are exact as long as a field has at most 10,000
// values in a month.
package elastic

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/search"
)

// Config says where the cluster is and how its indices are called.
type Config struct {
	Addresses []string // URLs; at least one
	Username  string   // with Password; empty means no basic authentication
	Password  string
	APIKey    string      // base64, instead of Username; empty means none
	TLS       *tls.Config // of https; nil means Go's defaults and the system's certificate authorities

	Prefix   string        // of indices, aliases and the template: lower-case letters, digits and _; empty means "articles"
	Refresh  time.Duration // how soon what was written is found; zero means 1 s
	Replicas int           // copies of each index beside the first
	Timeout  time.Duration // of one request; zero means 60 s

	MaxBulk     int           // bytes of a bulk request, unless one article alone has more; zero means 5 MiB
	Concurrency int           // bulk requests under way at once at most; zero means 4
	Linger      time.Duration // how long an article waits for others to share its request; zero means 10 ms
	Compress    bool          // bulk requests by gzip
}

// Index is an Elasticsearch index of articles. It is safe for concurrent use
// and holds nothing that needs closing but idle connections.
type Index struct {
	client *elastictransport.Client
	pool   *http.Transport
	config Config

	queue   *queue
	moving  moving
	buffers buffers
	gzips   gzips
}

var (
	_ search.Writer = (*Index)(nil)
	_ search.Reader = (*Index)(nil)
)

var goodPrefix = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// New checks c and makes a client; it does no I/O. Call Setup before the
// first Write.
func New(c Config) (*Index, error) {
	c.Prefix = cmp.Or(c.Prefix, "articles")
	switch {
	case len(c.Addresses) == 0:
		return nil, errors.New("Elasticsearch has no address: give at least one, such as http://127.0.0.1:9200")
	case !goodPrefix.MatchString(c.Prefix):
		return nil, fmt.Errorf("index prefix is %q, it must be lower-case letters, digits and _, a letter first", c.Prefix)
	case c.Refresh < 0 || c.Timeout < 0 || c.MaxBulk < 0 || c.Replicas < 0 || c.Concurrency < 0 || c.Linger < 0:
		return nil, errors.New("Elasticsearch's refresh, timeout, bulk size, replicas, concurrency and linger must not be negative")
	}
	c.Refresh = cmp.Or(c.Refresh, time.Second)
	c.Timeout = cmp.Or(c.Timeout, time.Minute)
	c.MaxBulk = cmp.Or(c.MaxBulk, 5<<20)
	c.Concurrency = cmp.Or(c.Concurrency, 4)
	c.Linger = cmp.Or(c.Linger, 10*time.Millisecond)
	pool := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
		TLSClientConfig:     c.TLS,
		ForceAttemptHTTP2:   true,
	}
	var urls []*url.URL
	for i, a := range c.Addresses {
		u, err := url.Parse(a)
		if strings.Contains(a, "@") { // before any error that would quote it
			return nil, fmt.Errorf("Elasticsearch's address %d holds a user name or password: give these by fields of their own", i+1)
		}
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("Elasticsearch's address is %q, must be a URL such as http://127.0.0.1:9200", a)
		}
		urls = append(urls, u)
	}
	// esapi over its own transport, not the whole client: that one compiles the
	// typed API, some minutes and 100 MB of it.
	opts := []elastictransport.Option{
		elastictransport.WithURLs(urls...),
		elastictransport.WithTransport(pool),
		elastictransport.WithDisableRetry(), // retries are the caller's, which knows the failure table
	}
	switch {
	case c.APIKey != "":
		opts = append(opts, elastictransport.WithAPIKey(c.APIKey))
	case c.Username != "":
		opts = append(opts, elastictransport.WithBasicAuth(c.Username, c.Password))
	}
	client, err := elastictransport.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("making an Elasticsearch client: %w", err)
	}
	x := &Index{client: client, pool: pool, config: c}
	x.queue = newQueue(c.MaxBulk, c.Concurrency, c.Linger, x.send)
	return x, nil
}

// Close closes idle connections.
func (x *Index) Close() { x.pool.CloseIdleConnections() }

// Refresh makes what was written visible to readers at once.
func (x *Index) Refresh(ctx context.Context) error {
	return x.do(ctx, esapi.IndicesRefreshRequest{Index: []string{x.everything()}, IgnoreUnavailable: yes()}, nil)
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 512 << 20

var errTooLong = fmt.Errorf("Elasticsearch's answer has more than %d bytes", maxAnswer)

// do sends a request and decodes a good answer into v, unless v is nil. An
// answer that is not good becomes a *reply.
func (x *Index) do(ctx context.Context, req esapi.Request, v any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, x.config.Timeout)
	defer cancel()
	resp, err := req.Do(ctx, x.client)
	if err != nil {
		if ctx.Err() != nil { // the client does not always say so
			err = errors.Join(ctx.Err(), err)
		}
		return explain(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("reading Elasticsearch's answer: %w", err)
	}
	if len(b) > maxAnswer {
		return errTooLong
	}
	if resp.IsError() {
		return newReply(resp.StatusCode, b)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decoding Elasticsearch's answer: %w", err)
	}
	return nil
}

// body encodes a request's body. The types given are all encodable.
func body(v any) (io.Reader, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding a request to Elasticsearch: %w", err)
	}
	return &b, nil
}

// object is a JSON object of a request.
type object = map[string]any

func yes() *bool { b := true; return &b }
