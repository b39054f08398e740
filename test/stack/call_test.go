package stack_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// call sends a request to Elasticsearch as an operator would and gives the
// answer's body.
func call(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+elasticsearch.Addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		t.Errorf("%s %s answers %s: %s", method, path, resp.Status, b)
	}
	return string(b)
}
