package stack_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// template gives the state of the template, which must not fail.
func template(t *testing.T, x backend) elastic.TemplateState {
	t.Helper()
	s, err := x.Template(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTemplateState compares what Elasticsearch itself says of templates.
func TestTemplateState(t *testing.T) {
	x := open(t)
	if diff := cmp.Diff(elastic.TemplateState{}, template(t, x)); diff != "" {
		t.Errorf("after Setup (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		path        string // in the template, dots between
		value, want string // nothing to set means delete
	}{
		{"settings.index.refresh_interval", "30s", "index.refresh_interval is 30s, should be 1000ms"},
		{"mappings.dynamic", "true", "mapping.dynamic is true, should be strict"},
		{"mappings.properties.status", "", "mapping.status is missing"},
	} {
		var live struct {
			Templates []struct {
				Template map[string]any `json:"index_template"`
			} `json:"index_templates"`
		}
		if err := json.Unmarshal([]byte(call(t, http.MethodGet, "/_index_template/"+x.prefix, "")), &live); err != nil {
			t.Fatal(err)
		}
		keys := strings.Split("template."+c.path, ".")
		at, last := live.Templates[0].Template, keys[len(keys)-1]
		for _, key := range keys[:len(keys)-1] {
			at = at[key].(map[string]any)
		}
		at[last] = c.value
		if c.value == "" {
			delete(at, last)
		}
		changed, err := json.Marshal(live.Templates[0].Template)
		if err != nil {
			t.Fatal(err)
		}
		call(t, http.MethodPut, "/_index_template/"+x.prefix, string(changed))
		if got := template(t, x).Differs; !slices.Contains(got, c.want) {
			t.Errorf("differences are %q, want %q among them", got, c.want)
		}
		if err := x.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	call(t, http.MethodPut, "/_index_template/"+x.prefix+"_other",
		`{"index_patterns":["`+x.prefix+`-*"],"priority":900,"template":{"settings":{"number_of_replicas":3}}}`)
	if got := template(t, x); !got.Shadowed || len(got.Differs) == 0 {
		t.Errorf("behind another template: %+v", got)
	}
	call(t, http.MethodDelete, "/_index_template/"+x.prefix+"_other", "")
	call(t, http.MethodDelete, "/_index_template/"+x.prefix, "")
	if got := template(t, x); !got.Missing {
		t.Errorf("without a template: %+v", got)
	}
	if err := x.Setup(t.Context()); err != nil { // for the cleanup
		t.Fatal(err)
	}
}

// TestMonthsState breaks a month's index in each way that is looked for.
func TestMonthsState(t *testing.T) {
	x := open(t)
	months := func() []elastic.MonthState {
		t.Helper()
		m, err := x.Months(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := months(); m != nil {
		t.Errorf("an empty cluster has months %+v", m)
	}
	if _, err := x.Write(t.Context(), []article.Article{full("a")}); err != nil {
		t.Fatal(err)
	}
	index := x.prefix + "-2026.10-000001"
	sound := []elastic.MonthState{{Month: "2026.10", Indices: []elastic.IndexState{{Name: index}}}}
	if diff := cmp.Diff(sound, months()); diff != "" {
		t.Errorf("after a write (-want +got):\n%s", diff)
	}
	action := func(a string) { call(t, http.MethodPost, "/_aliases", `{"actions":[`+a+`]}`) }
	action(`{"remove":{"index":"` + index + `","alias":"` + x.prefix + `"}}`)
	action(`{"remove":{"index":"` + index + `","alias":"` + x.prefix + `-write-2026.10"}}`)
	call(t, http.MethodPut, "/"+index+"/_settings", `{"index.blocks.write":true}`)
	broken := months()[0]
	if diff := cmp.Diff([]string{x.prefix, x.prefix + "-write-2026.10"}, broken.Missing); diff != "" {
		t.Errorf("missing aliases (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"index.blocks.write"}, broken.Indices[0].Blocks); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	action(`{"add":{"index":"` + index + `","alias":"` + x.prefix + `"}}`)
	if !months()[0].Unfiltered {
		t.Error("an alias without its filter is not seen")
	}
	call(t, http.MethodPut, "/"+index+"/_settings", `{"index.blocks.write":null}`)
	if err := x.AddAliases(t.Context(), index, "2026.10"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sound, months()); diff != "" {
		t.Errorf("after AddAliases (-want +got):\n%s", diff)
	}
	other := x.prefix + "-2026.10-000002"
	call(t, http.MethodPut, "/"+other, `{"aliases":{"`+x.prefix+`-all":{}},"mappings":{"properties":{"extra":{"type":"long"}}}}`)
	if m := months()[0]; !slices.Contains(m.Doubled, x.prefix+"-all") || len(m.Indices) != 2 {
		t.Errorf("with two indices: %+v", m)
	}
}

// TestDryRun leaves nothing behind, also when Elasticsearch refuses.
func TestDryRun(t *testing.T) {
	x := open(t)
	left := func() string {
		return strings.TrimSpace(call(t, http.MethodGet, "/_cat/indices/"+x.prefix+"_check*?h=index", "")) +
			strings.TrimSpace(call(t, http.MethodGet, "/_cat/templates/"+x.prefix+"_check*?h=name", ""))
	}
	if n, err := x.DryRun(t.Context()); err != nil || n != 3 {
		t.Errorf("%d articles, error %v", n, err)
	}
	if l := left(); l != "" {
		t.Errorf("left behind: %s", l)
	}
	call(t, http.MethodPut, "/_index_template/"+x.prefix+"_spoiler", // our template leaves this to others
		`{"index_patterns":["`+x.prefix+`_check*"],"priority":900,"template":{"mappings":{"dynamic":"strict","properties":{"id":{"type":"keyword"}}}}}`)
	_, err := x.DryRun(t.Context())
	call(t, http.MethodDelete, "/_index_template/"+x.prefix+"_spoiler", "")
	if err == nil || !strings.Contains(err.Error(), "strict_dynamic_mapping_exception") {
		t.Errorf("error is %v, want Elasticsearch's reason", err)
	}
	if l := left(); l != "" {
		t.Errorf("left behind: %s", l)
	}
}

// TestHealthState is of a sound server without security.
func TestHealthState(t *testing.T) {
	x := open(t)
	version, err := x.Version(t.Context())
	if err != nil || !strings.HasPrefix(version, "8.") {
		t.Errorf("version is %q, error %v", version, err)
	}
	h, err := x.Health(t.Context())
	if err != nil || h.Status != "green" || h.Nodes != 1 || h.Unassigned != 0 || len(h.Blocks) > 0 || len(h.Disks) != 1 || h.Disks[0].Used == 0 {
		t.Errorf("health is %+v, error %v", h, err)
	}
	if denied, known, err := x.Privileges(t.Context()); denied != nil || known || err != nil {
		t.Errorf("privileges are %q, known %v, error %v", denied, known, err)
	}
}
