package elastic

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// TemplateState is the index template as the cluster has it.
type TemplateState struct {
	Missing  bool
	Newer    bool // written by a later Marsad: leave it
	Shadowed bool // another template with a higher priority takes our months
	// Differs lists how a month made now would differ from what this Marsad
	// expects, at most maxDiffers of them.
	Differs []string
}

const maxDiffers = 20

// simulated is what an index would be made with.
type simulated struct {
	Template struct {
		Settings map[string]any `json:"settings"`
		Mappings map[string]any `json:"mappings"`
		Aliases  map[string]any `json:"aliases"`
	} `json:"template"`
	Overlapping []struct {
		Name string `json:"name"`
	} `json:"overlapping"`
}

// Template compares our template with what the next month would be made with.
func (x *Index) Template(ctx context.Context) (TemplateState, error) {
	var s TemplateState
	var live struct {
		Templates []struct {
			Template json.RawMessage `json:"index_template"`
		} `json:"index_templates"`
	}
	err := x.do(ctx, esapi.IndicesGetIndexTemplateRequest{Name: x.config.Prefix, MasterTimeout: masterWait}, &live)
	if Status(err) == http.StatusNotFound || err == nil && len(live.Templates) == 0 {
		return TemplateState{Missing: true}, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading index template %q: %w", x.config.Prefix, err)
	}
	if s.Newer, err = newer(live.Templates[0].Template, x.template()); err != nil {
		return s, err
	}
	want, err := x.wanted(ctx)
	if err != nil {
		return s, err
	}
	var got simulated
	err = x.do(ctx, esapi.IndicesSimulateIndexTemplateRequest{Name: x.index("2000.01", 1), MasterTimeout: masterWait}, &got)
	if err != nil {
		return s, fmt.Errorf("asking what a month would be made with: %w", err)
	}
	for _, other := range got.Overlapping {
		s.Shadowed = s.Shadowed || other.Name == x.config.Prefix
	}
	s.Differs = differences("", want.Template.Settings, got.Template.Settings)
	s.Differs = append(s.Differs, differences("mapping", want.Template.Mappings, got.Template.Mappings)...)
	s.Differs = append(s.Differs, differences("alias", want.Template.Aliases, got.Template.Aliases)...)
	for _, name := range slices.Sorted(maps.Keys(got.Template.Aliases)) {
		if _, ok := want.Template.Aliases[name]; !ok {
			s.Differs = append(s.Differs, fmt.Sprintf("alias.%s should not be there", name))
		}
	}
	s.Differs = s.Differs[:min(len(s.Differs), maxDiffers)]
	return s, nil
}

// wanted has Elasticsearch say in its own words what our template means, so
// that it can be compared with what else Elasticsearch says. Nothing is
// written.
func (x *Index) wanted(ctx context.Context) (simulated, error) {
	t := maps.Clone(x.template())
	t["index_patterns"] = []string{x.trialPrefix() + "-*"} // in conflict with no template
	b, err := body(t)
	if err != nil {
		return simulated{}, err
	}
	var s simulated
	if err := x.do(ctx, esapi.IndicesSimulateTemplateRequest{Body: b, MasterTimeout: masterWait}, &s); err != nil {
		return s, fmt.Errorf("asking what our template means: %w", err)
	}
	return s, nil
}

// newer compares the numbers in _meta, of the template and of its mapping.
func newer(live json.RawMessage, ours object) (bool, error) {
	type meta struct {
		Meta     map[string]any `json:"_meta"`
		Template struct {
			Mappings struct {
				Meta map[string]any `json:"_meta"`
			} `json:"mappings"`
		} `json:"template"`
	}
	b, err := json.Marshal(ours)
	if err != nil {
		return false, fmt.Errorf("encoding our template: %w", err)
	}
	var have, want meta
	if err := json.Unmarshal(b, &want); err != nil {
		return false, fmt.Errorf("reading our template: %w", err)
	}
	if err := json.Unmarshal(live, &have); err != nil {
		return false, fmt.Errorf("reading Elasticsearch's template: %w", err)
	}
	higher := func(have, want map[string]any) bool {
		for key, w := range want {
			w, ok := w.(float64)
			if h, is := have[key].(float64); ok && is && h > w {
				return true
			}
		}
		return false
	}
	return higher(have.Meta, want.Meta) || higher(have.Template.Mappings.Meta, want.Template.Mappings.Meta), nil
}

// differences says what of want is missing from got or is otherwise there. What
// got has beyond want does not count, nor does _meta.
func differences(path string, want, got map[string]any) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if key == "_meta" {
			continue
		}
		at := path
		if key != "properties" { // fields are known by their names alone
			at = join(path, key)
		}
		g, ok := got[key]
		w, nested := want[key].(map[string]any)
		deeper, both := g.(map[string]any)
		switch {
		case !ok:
			out = append(out, at+" is missing")
		case nested && both:
			out = append(out, differences(at, w, deeper)...)
		case fmt.Sprint(g) != fmt.Sprint(want[key]): // numbers may come as strings
			out = append(out, fmt.Sprintf("%s is %v, should be %v", at, g, want[key]))
		}
	}
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
