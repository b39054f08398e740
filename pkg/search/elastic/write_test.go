package elastic

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

func TestBulkLines(t *testing.T) {
	x, f := serve(t, func(s sent) answer { return all(s, ok()) })
	canceled := news("ب\n")
	canceled.Status, canceled.Revision = article.Canceled, 2
	outcomes, err := x.Write(t.Context(), []article.Article{news("a"), canceled})
	if err != nil || !slices.Equal(outcomes, []search.Outcome{search.Indexed, search.Tombstoned}) {
		t.Fatalf("outcomes %v, error %v", outcomes, err)
	}
	lines := strings.Split(string(f.got[0].body), "\n")
	if len(lines) != 5 || lines[4] != "" {
		t.Fatalf("body has %d lines, want 4 and an end", len(lines))
	}
	var want, got any
	for i, l := range map[int]string{
		0: `{"index":{"_index":"articles-write-2026.10","_id":"a","require_alias":true,"version":1048576,"version_type":"external_gte"}}`,
		3: `{"schema":1,"id":"ب\n","revision":2,"generation":0,"bucket":"2026-10","status":"canceled"}`,
	} {
		if json.Unmarshal([]byte(l), &want) != nil || json.Unmarshal([]byte(lines[i]), &got) != nil {
			t.Fatal(lines[i])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("line %d (-want +got):\n%s", i, diff)
		}
	}
	if !strings.Contains(lines[1], `"folded":{"title":"le conseil","body":"rabat le texte","lead":"le texte"`) {
		t.Errorf("document is %s", lines[1])
	}
}

func TestRefused(t *testing.T) {
	x, f := serve(t, func(s sent) answer { return all(s, ok()) })
	change := func(f func(*article.Article)) article.Article { a := news("x"); f(&a); return a }
	articles := []article.Article{
		change(func(a *article.Article) { a.ID = "" }),
		change(func(a *article.Article) { a.ID = "\xff" }),
		change(func(a *article.Article) { a.ID = strings.Repeat("x", maxID+1) }),
		change(func(a *article.Article) { a.Revision = -1 }),
		change(func(a *article.Article) { a.Revision = 1 << 60 }),
		change(func(a *article.Article) { a.Bucket = "" }),
		change(func(a *article.Article) { a.Bucket = "2026-13" }),
		change(func(a *article.Article) { a.Bucket = "*-10" }),
		news("fine"),
	}
	outcomes, err := x.Write(t.Context(), articles)
	var batch *search.BatchError
	if !errors.As(err, &batch) || len(batch.Items) != len(articles)-1 {
		t.Fatalf("error is %v, want a BatchError on all but the last", err)
	}
	for i, it := range batch.Items {
		if it.Index != i || !it.Permanent || outcomes[i] != search.Failed {
			t.Errorf("item %+v, outcome %v", it, outcomes[i])
		}
	}
	if !slices.Equal(f.got[0].ids(), []string{"fine"}) {
		t.Errorf("sent %q", f.got[0].ids())
	}
}

// TestMonth has the months missing at first, and others creating them too.
func TestMonth(t *testing.T) {
	there := 0
	x, f := serve(t, func(s sent) answer {
		switch {
		case s.path == "/articles-2026.11-000001":
			return answer{400, `{"error":{"type":"resource_already_exists_exception","reason":"exists"}}`}
		case s.path == "/_aliases":
			there++
			return answer{200, `{}`}
		case s.path != "/_bulk":
			return answer{200, `{}`}
		}
		if there == 2 {
			return all(s, ok())
		}
		return all(s, failed(404, "index_not_found_exception", "no such index"))
	})
	november := news("b")
	november.Bucket = "2026-11"
	outcomes, err := x.Write(t.Context(), []article.Article{news("a"), november, news("c")})
	if err != nil || !slices.Equal(outcomes, []search.Outcome{search.Indexed, search.Indexed, search.Indexed}) {
		t.Errorf("outcomes %v, error %v", outcomes, err)
	}
	want := []string{
		"POST /_bulk", "PUT /articles-2026.10-000001", "GET /_cluster/health/articles-2026.10-000001", "POST /_aliases",
		"PUT /articles-2026.11-000001", "GET /_cluster/health/articles-2026.11-000001", "POST /_aliases", "POST /_bulk",
	}
	if diff := cmp.Diff(want, f.paths()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestMonthCannotBeCreated(t *testing.T) {
	for name, c := range map[string]struct {
		a      answer
		outage bool
	}{
		"too many shards": {answer{400, `{"error":{"type":"validation_exception","reason":"maximum normal shards open"}}`}, true},
		"no privilege":    {answer{403, `{"error":{"type":"security_exception","reason":"unauthorized"}}`}, true},
		"busy":            {answer{503, ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := serve(t, func(s sent) answer {
				if s.method == http.MethodPut {
					return c.a
				}
				return all(s, failed(404, "index_not_found_exception", "no such index"))
			})
			_, err := x.Write(t.Context(), []article.Article{news("a")})
			var batch *search.BatchError
			if err == nil || errors.As(err, &batch) || errors.Is(err, search.ErrOutage) != c.outage {
				t.Errorf("error is %v, outage should be %v", err, c.outage)
			}
		})
	}
	x, f := serve(t, func(s sent) answer {
		if s.path != "/_bulk" {
			return answer{200, `{}`}
		}
		return all(s, failed(404, "index_not_found_exception", "no such index"))
	})
	_, err := x.Write(t.Context(), []article.Article{news("a")})
	var batch *search.BatchError
	if !errors.As(err, &batch) || batch.Items[0].Permanent || !strings.Contains(err.Error(), "articles-write-2026.10") {
		t.Errorf("error is %v, want a temporary one that names the alias", err)
	}
	if n := len(f.paths()); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
}

// TestSplit has a server that takes two articles at a time, and never "big".
func TestSplit(t *testing.T) {
	x, f := serve(t, func(s sent) answer {
		if ids := s.ids(); len(ids) > 2 || slices.Contains(ids, "big") {
			return answer{413, ""}
		}
		return all(s, ok())
	})
	outcomes, err := x.Write(t.Context(), []article.Article{news("a"), news("b"), news("big"), news("c"), news("d")})
	var batch *search.BatchError
	if !errors.As(err, &batch) || len(batch.Items) != 1 || batch.Items[0].Index != 2 || !batch.Items[0].Permanent {
		t.Fatalf("error is %v, want the third alone, permanent", err)
	}
	for i, o := range outcomes {
		if (o == search.Indexed) != (i != 2) {
			t.Errorf("outcomes %v", outcomes)
		}
	}
	if n := len(f.paths()); n > 9 {
		t.Errorf("%d requests for 5 articles", n)
	}
}

func TestMaxBulk(t *testing.T) {
	x, f := serve(t, func(s sent) answer { return all(s, ok()) }, func(c *Config) { c.MaxBulk, c.Concurrency = 2000, 1 })
	large := news("b")
	large.Body = strings.Repeat("mot ", 2000)
	if _, err := x.Write(t.Context(), []article.Article{news("a"), large, news("c"), news("d")}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range f.got {
		if n := len(s.ids()); n > 1 && len(s.body) > 2000 {
			t.Errorf("a request of %d articles has %d bytes", n, len(s.body))
		}
		got = append(got, s.ids()...)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestNew(t *testing.T) {
	for name, c := range map[string]Config{
		"no address":      {},
		"prefix":          {Addresses: []string{"http://a:1"}, Prefix: "Articles-*"},
		"negative":        {Addresses: []string{"http://a:1"}, Timeout: -1},
		"broken address":  {Addresses: []string{"http://[::1"}},
		"password in URL": {Addresses: []string{"https://u:secret@a:1"}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
