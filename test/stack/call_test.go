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
	status, answer := try(t, method, path, body)
	if status >= http.StatusBadRequest {
		t.Errorf("%s %s answers %d: %s", method, path, status, answer)
	}
	return answer
}

// try sends a request that may be refused, and gives status and body of the
// answer.
func try(t *testing.T, method, path, body string) (status int, answer string) {
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
	return resp.StatusCode, string(b)
}
