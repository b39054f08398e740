package elastic

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// routes answers by method and path; what is not in it is 400, as
// Elasticsearch answers a path without a handler.
type routes map[string]answer

func (r routes) reply(s sent) answer {
	if a, ok := r[s.method+" "+s.path]; ok {
		return a
	}
	return answer{http.StatusBadRequest, `{"error":"no handler found for uri [` + s.path + `]"}`}
}

func good(body string) answer { return answer{http.StatusOK, body} }

func TestVersion(t *testing.T) {
	for name, c := range map[string]struct {
		routes routes
		want   string
		status int
	}{
		"root":        {routes{"GET /": good(`{"version":{"number":"8.17.1"}}`)}, "8.17.1", 0},
		"no root":     {routes{"GET /": {405, ``}, "GET /_nodes/_local": good(`{"nodes":{"x":{"version":"8.19.21"}}}`)}, "8.19.21", 0},
		"not let in":  {routes{"GET /": {401, `{"error":{"type":"security_exception"}}`}}, "", 401},
		"not allowed": {routes{"GET /": {405, ``}, "GET /_nodes/_local": {403, ``}}, "", 403},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := serve(t, c.routes.reply)
			got, err := x.Version(t.Context())
			if got != c.want || Status(err) != c.status || (err == nil) != (c.status == 0) {
				t.Errorf("version is %q, error %v", got, err)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	x, _ := serve(t, routes{
		"GET /_cluster/health/articles-*": good(`{"status":"yellow","number_of_data_nodes":2,"unassigned_shards":3}`),
		"GET /_cluster/settings": good(`{"persistent":{"cluster.blocks.read_only":"true","cluster.blocks.create_index":"false"},
			"transient":{"cluster.blocks.read_only":"true"}}`),
		"GET /_cat/allocation": good(`[{"node":"a","disk.percent":"91"},{"node":"b","disk.percent":"7"},{"node":"UNASSIGNED","disk.percent":null}]`),
	}.reply)
	got, err := x.Health(t.Context())
	want := Health{Status: "yellow", Nodes: 2, Unassigned: 3, Blocks: []string{"cluster.blocks.read_only"}, Disks: []Disk{{"a", 91}, {"b", 7}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, health (-want +got):\n%s", err, diff)
	}
}

func TestPrivileges(t *testing.T) {
	const path = "POST /_security/user/_has_privileges"
	for name, c := range map[string]struct {
		routes routes
		denied []string
		known  bool
		status int
	}{
		"security off": {routes{}, nil, false, 0},
		"all":          {routes{path: good(`{"cluster":{"monitor":true},"index":{"articles":{"read":true}}}`)}, nil, true, 0},
		"some": {routes{path: good(`{"cluster":{"monitor":true,"manage_index_templates":false},
			"index":{"articles-*":{"write":false,"manage":false,"read":true},"articles":{"read":true}}}`)},
			[]string{"manage_index_templates on the cluster", "manage on articles-*", "write on articles-*"}, true, 0},
		"not let in": {routes{path: {401, ``}}, nil, false, 401},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := serve(t, c.routes.reply)
			denied, known, err := x.Privileges(t.Context())
			if diff := cmp.Diff(c.denied, denied); diff != "" || known != c.known || Status(err) != c.status {
				t.Errorf("known %v, error %v, denied (-want +got):\n%s", known, err, diff)
			}
		})
	}
}

// A template of a later version is told from ours; so is one of its mapping.
func TestTemplateNewer(t *testing.T) {
	for meta, want := range map[string]bool{
		`{"_meta":{"managed_by":"marsad","schema":1}}`:   false,
		`{"_meta":{"managed_by":"marsad","schema":999}}`: true,
		`{}`: false,
	} {
		x, _ := serve(t, routes{
			"GET /_index_template/articles":                                 good(`{"index_templates":[{"index_template":` + meta + `}]}`),
			"POST /_index_template/_simulate":                               good(`{"template":{"settings":{"index":{"codec":"a"}}}}`),
			"POST /_index_template/_simulate_index/articles-2000.01-000001": good(`{"template":{"settings":{"index":{"codec":"b"}},"aliases":{"x":{}}}}`),
		}.reply)
		got, err := x.Template(t.Context())
		if err != nil || got.Newer != want || got.Missing {
			t.Errorf("%s: %+v, error %v", meta, got, err)
		}
		if diff := cmp.Diff([]string{"index.codec is b, should be a", "alias.x should not be there"}, got.Differs); diff != "" {
			t.Errorf("differences (-want +got):\n%s", diff)
		}
	}
	x, _ := serve(t, routes{"GET /_index_template/articles": {404, `{"error":{"type":"resource_not_found_exception"}}`}}.reply)
	if got, err := x.Template(t.Context()); err != nil || !got.Missing {
		t.Errorf("without a template: %+v, error %v", got, err)
	}
}

// What a dry run made is removed when it fails and when its caller has given
// up; what cannot be removed is named.
func TestDryRunRemoves(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var index string
	reply := func(s sent) answer {
		switch {
		case s.method == http.MethodPost && s.path == "/_bulk":
			return items(slices.Repeat([]string{failed(404, "index_not_found_exception", "no such index")}, len(s.ids()))...)
		case s.method == http.MethodPut && strings.HasSuffix(s.path, "-000001"):
			index = strings.TrimPrefix(s.path, "/")
			cancel()
			return good(`{}`)
		case s.method == http.MethodGet:
			return good(`{"` + index + `":{}}`)
		case s.method == http.MethodDelete && strings.HasPrefix(s.path, "/_index_template/"):
			return answer{http.StatusForbidden, `{"error":{"type":"security_exception","reason":"not yours"}}`}
		}
		return good(`{}`)
	}
	x, f := serve(t, reply, func(c *Config) { c.Timeout = 5 * time.Second })
	_, err := x.DryRun(ctx)
	if err == nil || !strings.Contains(err.Error(), "articles_check_") || !strings.Contains(err.Error(), "not yours") {
		t.Errorf("error is %v, want one that says what is left", err)
	}
	if !strings.HasPrefix(index, "articles_check_") || !slices.Contains(f.paths(), "DELETE /"+index) {
		t.Errorf("index %q was not deleted: %q", index, f.paths())
	}
	if slices.ContainsFunc(f.paths(), func(p string) bool { return strings.Contains(p, "/articles/") || strings.Contains(p, "/articles-") }) {
		t.Errorf("a dry run touched what is ours: %q", f.paths())
	}
}
