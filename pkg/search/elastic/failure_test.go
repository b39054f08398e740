package elastic

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// failures is the failure table.
func failures() map[string]struct {
	status       int
	kind, reason string
	want         verdict
} {
	type row = struct {
		status       int
		kind, reason string
		want         verdict
	}
	return map[string]row{
		"created":                {201, "", "", accepted},
		"replaced":               {200, "", "", accepted},
		"newer version":          {409, "version_conflict_engine_exception", "current version [5] is higher", superseded},
		"queue full":             {429, "es_rejected_execution_exception", "rejected execution", temporary},
		"memory":                 {429, "circuit_breaking_exception", "[parent] Data too large", temporary},
		"bad gateway":            {502, "", "", temporary},
		"no shard":               {503, "unavailable_shards_exception", "primary shard is not active", temporary},
		"gateway time-out":       {504, "", "", temporary},
		"unknown":                {500, "null_pointer_exception", "", unknown},
		"mapping":                {400, "strict_dynamic_mapping_exception", "[x] is not allowed", permanent},
		"parsing":                {400, "document_parsing_exception", "failed to parse field [published]", permanent},
		"immense term":           {400, "illegal_argument_exception", "Document contains at least one immense term", permanent},
		"too large":              {413, "", "", tooLarge},
		"bad credentials":        {401, "security_exception", "unable to authenticate", outage},
		"no privilege":           {403, "security_exception", "is unauthorized", outage},
		"no privilege, no body":  {403, "", "", outage},
		"full disk":              {429, "cluster_block_exception", "index blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark]", outage},
		"write block":            {403, "cluster_block_exception", "index blocked by: [FORBIDDEN/8/index write (api)]", outage},
		"no master":              {503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/2/no master]", outage},
		"no month":               {404, "index_not_found_exception", "no such index", noMonth},
		"alias on two indices":   {400, "illegal_argument_exception", "no write index is defined for alias [articles-write-2026.10]", outage},
		"something else missing": {404, "", "", unknown},
	}
}

func TestJudge(t *testing.T) {
	for name, r := range failures() {
		if got := judge(r.status, fault{Type: r.kind, Reason: r.reason}); got != r.want {
			t.Errorf("%s: verdict %d, want %d", name, got, r.want)
		}
	}
}

// TestItem has one of three articles meet each row of the table.
func TestItem(t *testing.T) {
	for name, r := range failures() {
		if r.want == noMonth {
			continue // see TestMonth
		}
		t.Run(name, func(t *testing.T) {
			x, _ := serve(t, func(sent) answer { return items(ok(), failed(r.status, r.kind, r.reason), ok()) })
			outcomes, err := x.Write(t.Context(), []article.Article{news("a"), news("b"), news("c")})
			var batch *search.BatchError
			switch r.want {
			case outage:
				if !errors.Is(err, search.ErrOutage) || errors.As(err, &batch) {
					t.Fatalf("error is %v, want an outage for the whole batch", err)
				}
				return
			case accepted, superseded:
				if err != nil {
					t.Fatal(err)
				}
			default:
				if !errors.As(err, &batch) || len(batch.Items) != 1 || batch.Items[0].Index != 1 {
					t.Fatalf("error is %v, want a BatchError on the second", err)
				}
				if got, want := batch.Items[0].Permanent, r.want == permanent || r.want == tooLarge; got != want {
					t.Errorf("permanent is %v, want %v", got, want)
				}
				if got, want := batch.Items[0].Doubtful, r.want == unknown; got != want {
					t.Errorf("doubtful is %v, want %v", got, want)
				}
				if !strings.Contains(err.Error(), r.reason) {
					t.Errorf("error %q lacks Elasticsearch's reason %q", err, r.reason)
				}
			}
			want := map[verdict]search.Outcome{accepted: search.Indexed, superseded: search.Superseded}[r.want]
			if outcomes[0] != search.Indexed || outcomes[1] != want || outcomes[2] != search.Indexed {
				t.Errorf("outcomes %v, want the second %v", outcomes, want)
			}
		})
	}
}

// TestWhole has the whole request meet each row of the table: then the error
// speaks for all articles, and none is dead-lettered.
func TestWhole(t *testing.T) {
	for name, r := range failures() {
		if r.want == accepted || r.want == tooLarge || r.want == noMonth {
			continue
		}
		t.Run(name, func(t *testing.T) {
			body := `{"error":{"type":"` + r.kind + `","reason":"` + r.reason + `"},"status":0}`
			if r.kind == "" {
				body = "<html>a proxy's page"
			}
			x, f := serve(t, func(sent) answer { return answer{r.status, body} })
			_, err := x.Write(t.Context(), []article.Article{news("a"), news("b")})
			var batch *search.BatchError
			if err == nil || errors.As(err, &batch) || errors.Is(err, search.ErrOutage) != (r.want == outage) {
				t.Errorf("error is %v", err)
			}
			if n := len(f.paths()); n != 1 {
				t.Errorf("%d requests, want 1: retries are the caller's", n)
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	for name, a := range map[string]answer{
		"nothing":         {200, ""},
		"no JSON":         {200, "hello"},
		"too few items":   items(ok()),
		"too many items":  items(ok(), ok(), ok()),
		"another action":  items(ok(), `{"delete":{"status":200}}`),
		"item of nothing": items(ok(), `{}`),
		"no status":       items(ok(), `{"index":{}}`),
		"status of text":  items(ok(), `{"index":{"status":"201"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := serve(t, func(sent) answer { return a })
			_, err := x.Write(t.Context(), []article.Article{news("a"), news("b")})
			var batch *search.BatchError
			if err == nil || errors.As(err, &batch) || errors.Is(err, search.ErrOutage) {
				t.Errorf("error is %v, want one for the whole batch that is no outage", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	x, err := New(Config{Addresses: []string{"http://" + l.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Write(t.Context(), []article.Article{news("a")})
	var batch *search.BatchError
	if err == nil || errors.As(err, &batch) || errors.Is(err, search.ErrOutage) {
		t.Errorf("error is %v, want a plain one", err)
	}
}

func TestSilent(t *testing.T) {
	wait, stop := context.WithCancel(context.Background())
	x, _ := serve(t, func(sent) answer { <-wait.Done(); return answer{http.StatusOK, ""} }, func(c *Config) { c.Timeout = 1 })
	defer stop()
	_, err := x.Write(t.Context(), []article.Article{news("a")})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, want DeadlineExceeded", err)
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"error":{"type":"a","reason":"b","caused_by":{"type":"c","reason":"d"}},"status":400}`))
	f.Add([]byte(`{"error":"text"}`))
	f.Add([]byte(`{"error":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := newReply(http.StatusBadRequest, b).Error(); len(s) > 4000 {
			t.Errorf("error has %d bytes", len(s))
		}
	})
}
