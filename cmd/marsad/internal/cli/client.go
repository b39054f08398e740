package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/services/ingest"
)

// client talks to a running marsad over HTTP.
type client struct {
	base string
	http *http.Client
}

// connect finds the process: at addr (host:port or URL) where given, else the
// one that runs over the data folder.
func (o *options) connect(addr string) (*client, error) {
	if addr == "" {
		cfg, err := o.load()
		if err != nil {
			return nil, err
		}
		a, err := app.ReadAddress(cfg.Data)
		if err != nil {
			return nil, err
		}
		addr = a.HTTP
	}
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	return &client{base: strings.TrimSuffix(addr, "/"), http: newHTTP()}, nil
}

// push sends one body of articles. Retries are left to the caller: what was
// accepted is in the result, also after an error.
func (c *client) push(ctx context.Context, query, contentType string, body []byte) (ingest.PushResult, int, error) {
	var res ingest.PushResult
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/articles"+query, bytes.NewReader(body))
	if err != nil {
		return res, 0, err
	}
	req.Header.Set("Content-Type", contentType)
	answer, err := c.http.Do(req)
	if err != nil {
		return res, 0, fmt.Errorf("publishing: %w", err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return res, answer.StatusCode, fmt.Errorf("publishing: %w", err)
	}
	if err := json.Unmarshal(b, &res); err != nil {
		return res, answer.StatusCode, fmt.Errorf("publishing: %s: %.200q", answer.Status, b)
	}
	return res, answer.StatusCode, nil
}

// get asks for path and decodes the answer into v. An answer that is a problem
// (RFC 9457) becomes an error with its detail.
func (c *client) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 256<<20))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		var problem struct{ Title, Detail, Hint string }
		if json.Unmarshal(b, &problem) != nil || problem.Title == "" {
			return fmt.Errorf("%s: %.200q", answer.Status, b)
		}
		return fmt.Errorf("%s", strings.TrimSpace(strings.Join([]string{problem.Title + ":", problem.Detail, problem.Hint}, " ")))
	}
	return json.Unmarshal(b, v)
}

// newHTTP bounds every request: a push waits for durability, no longer.
func newHTTP() *http.Client { return &http.Client{Timeout: time.Minute} }
