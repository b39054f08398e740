package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// server is an Elasticsearch that answers by method and path, and 400 to what
// it has no answer for, as the real one does.
type server struct {
	mu      sync.Mutex
	answers map[string]string
	status  map[string]int // of a path; 200 if missing
	got     []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Method + " " + r.URL.Path
	s.got = append(s.got, key)
	body, ok := s.answers[key]
	status := s.status[key]
	switch {
	case status != 0:
	case ok:
		status = http.StatusOK
	default:
		status, body = http.StatusBadRequest, `{"error":"no handler found"}`
	}
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

const liveTemplate = "GET /_index_template/articles"

func healthy() *server {
	const simulated = `{"template":{"settings":{"index":{"codec":"a"}},"mappings":{"dynamic":"strict"}}}`
	return &server{status: map[string]int{}, answers: map[string]string{
		"GET /":                           `{"version":{"number":"8.19.21"}}`,
		"GET /_cluster/health/articles-*": `{"status":"green","number_of_data_nodes":1}`,
		"GET /_cluster/settings":          `{}`,
		"GET /_cat/allocation":            `[{"node":"a","disk.percent":"10"}]`,
		liveTemplate:                      `{"index_templates":[{"index_template":{}}]}`,
		"POST /_index_template/_simulate": simulated,
		"POST /_index_template/_simulate_index/articles-2000.01-000001": simulated,
		"PUT /_index_template/articles":                                 `{}`,
		"GET /articles-*":                                               `{}`,
		"POST /_aliases":                                                `{}`,
		"GET /articles-all,articles-next-*/_mapping":                    `{}`,
	}}
}

func run(t *testing.T, s *server, more ...string) (*elastic.Index, []Finding) {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	settings := elastic.Settings{Addresses: append([]string{h.URL}, more...)}
	x, err := elastic.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return x, Elasticsearch(ctx, x, settings)
}

// Each flaw of the cluster is found and says what to do. The dry run fails on
// this server, which cannot take articles.
func TestElasticsearch(t *testing.T) {
	const index = `"articles-2026.10-000001"`
	filtered := `"articles":{"filter":{"term":{"status":"usable"}}}`
	month := func(aliases, settings string) string {
		return `{` + index + `:{"aliases":{` + aliases + `},"mappings":{"dynamic":"strict"},"settings":{` + settings + `}}}`
	}
	whole := filtered + `,"articles-all":{},"articles-write-2026.10":{}`
	for name, c := range map[string]struct {
		key, answer string
		status      int
		level       Level
		what, do    string
	}{
		"sound":         {"GET /articles-*", month(whole, ""), 0, OK, "2026.10 to 2026.10", ""},
		"no month":      {"GET /articles-*", `{}`, 0, Info, "no month yet", ""},
		"old":           {"GET /", `{"version":{"number":"7.17.0"}}`, 0, Fail, "version 7.17.0", "upgrade it"},
		"untested":      {"GET /", `{"version":{"number":"9.1.0"}}`, 0, Warn, "version 9.1.0", "tested with version 8"},
		"not let in":    {"GET /", `{}`, 401, Fail, "401", "elasticsearch.api_key"},
		"a proxy":       {"GET /", `<html>`, 502, Fail, "502", "proxy"},
		"red":           {"GET /_cluster/health/articles-*", `{"status":"red"}`, 0, Fail, "no copy that works", "allocation/explain"},
		"yellow":        {"GET /_cluster/health/articles-*", `{"status":"yellow","unassigned_shards":2}`, 0, Warn, "2 copies", "elasticsearch.replicas"},
		"read only":     {"GET /_cluster/settings", `{"persistent":{"cluster.blocks.read_only":"true"}}`, 0, Fail, "cluster.blocks.read_only", "PUT /_cluster/settings"},
		"full":          {"GET /_cat/allocation", `[{"node":"a","disk.percent":"93"}]`, 0, Warn, "node a is 93 %", "make room"},
		"no monitor":    {"GET /_cluster/settings", `{}`, 403, Warn, "403", "monitor"},
		"no template":   {liveTemplate, `{}`, 404, Fail, "template is missing", "--fix"},
		"newer":         {liveTemplate, `{"index_templates":[{"index_template":{"_meta":{"schema":99}}}]}`, 0, Warn, "later Marsad", "upgrade"},
		"other mapping": {"POST /_index_template/_simulate_index/articles-2000.01-000001", `{"template":{"mappings":{"dynamic":"true"}}}`, 0, Fail, "mapping.dynamic is true, should be strict", "--fix"},
		"shadowed": {"POST /_index_template/_simulate_index/articles-2000.01-000001", `{"template":{},"overlapping":[{"name":"articles"}]}`, 0,
			Fail, "higher priority", "below ours"},
		"write block":   {"GET /articles-*", month(whole, `"index.blocks.write":"true"`), 0, Fail, "has index.blocks.write", `{"index.blocks.write":null}`},
		"disk block":    {"GET /articles-*", month(whole, `"index.blocks.read_only_allow_delete":"true"`), 0, Fail, "read_only_allow_delete", "make room"},
		"no alias":      {"GET /articles-*", month(filtered, ""), 0, Fail, "behind the alias articles-all, articles-write-2026.10", "--fix"},
		"no filter":     {"GET /articles-*", month(`"articles":{},"articles-all":{},"articles-write-2026.10":{}`, ""), 0, Fail, "has no filter", "--fix"},
		"other index":   {"GET /articles-*", strings.Replace(month(whole, ""), `"strict"`, `"false"`, 1), 0, Fail, "dynamic is false, should be strict", "index migrate"},
		"twice":         {"GET /articles-*", strings.TrimSuffix(month(whole, ""), "}") + "," + strings.TrimPrefix(strings.Replace(month(whole, ""), "-000001", "-000002", 1), "{"), 0, Fail, "found twice", "remove"},
		"security off":  {"POST /_security/user/_has_privileges", ``, 400, Info, "security is off", ""},
		"no privileges": {"POST /_security/user/_has_privileges", `{"index":{"articles-*":{"write":false}}}`, 0, Fail, "lacks write on articles-*", "grant"},
		"dry run":       {"PUT /nothing", ``, 0, Fail, "no handler found", "Elasticsearch's own"},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			s.answers[c.key] = c.answer
			if c.status != 0 {
				s.status[c.key] = c.status
			}
			if _, got := run(t, s); !has(got, c.level, c.what, c.do) {
				t.Errorf("not found in\n%s", list(got))
			}
		})
	}
}

// Of two addresses, the one that does not answer is named; the rest is looked
// at all the same.
func TestElasticsearchOneNodeDown(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	_, got := run(t, healthy(), down.URL)
	if !has(got, Fail, down.URL+": dial", "firewall") || !has(got, OK, "months are made with our mapping", "") {
		t.Error(list(got))
	}
}

// Fix writes a template that is missing or not ours, never over a later one,
// and puts an index behind its aliases.
func TestElasticsearchFix(t *testing.T) {
	const write, alias = "PUT /_index_template/articles", "POST /_aliases"
	for name, c := range map[string]struct {
		key, answer string
		status      int
		want        string // the request that mends it; empty means none
	}{
		"missing": {liveTemplate, `{}`, 404, write},
		"newer":   {liveTemplate, `{"index_templates":[{"index_template":{"_meta":{"schema":99}}}]}`, 200, ""},
		"differs": {"POST /_index_template/_simulate_index/articles-2000.01-000001", `{"template":{}}`, 200, write},
		"alias":   {"GET /articles-*", `{"articles-2026.10-000001":{"mappings":{"dynamic":"strict"}}}`, 200, alias},
		"two of a month": {"GET /articles-*", `{"articles-2026.10-000001":{"mappings":{"dynamic":"strict"}},"articles-2026.10-000002":{"mappings":{"dynamic":"strict"}}}`,
			200, ""},
	} {
		s := healthy()
		s.answers[c.key], s.status[c.key] = c.answer, c.status
		_, findings := run(t, s)
		done := Fix(t.Context(), findings)
		mended := slices.Contains(s.got, write) || slices.Contains(s.got, alias)
		if mended != (c.want != "") || c.want != "" && !slices.Contains(s.got, c.want) || Failed(done) > 0 {
			t.Errorf("%s: done %s, requests %q", name, list(done), s.got)
		}
	}
}

// What cannot be repaired is said, with what to do by hand.
func TestFixFails(t *testing.T) {
	done := Fix(t.Context(), []Finding{
		{Level: Fail, Subject: "a", What: "broken", Do: "by hand", Repair: &Repair{"mends it", func(context.Context) error { return errors.New("not allowed") }}},
		{Level: Fail, Subject: "b", What: "beyond repair"},
	})
	if len(done) != 1 || !has(done, Fail, "mends it: not allowed", "by hand") {
		t.Error(list(done))
	}
}
