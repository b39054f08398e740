package deploy

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/search/elastic"
)

var update = flag.Bool("update", false, "write deploy/kibana/articles.ndjson anew")

// names are what Kibana shows for the fields of an article. Every field of the
// mapping has one, but for those of internal.
var names = map[string]string{
	"bucket": "Month", "byline": "Byline", "title": "Title", "body": "Text", "url": "Link", "guid": "Publisher's id",
	"published": "Published", "first_published": "First published", "received": "Arrived", "enriched": "Enriched", "embargoed": "Embargoed until",
	"language": "Language", "id": "Article id", "revision": "Revision", "status": "Status", "generation": "Generation", "schema": "Schema",
	"source.id": "Source id", "source.name": "Source", "source.country": "Country of the source",
	"entities.id": "Entity ids", "entities.qid": "Wikidata ids", "entities.type": "Entity types", "entities.name": "Entities",
	"entities.count": "Mentions", "entities.salience": "Salience", "entities.location": "Places on the map", "entities.country": "Countries",
	"entities.by":     "Entities found by",
	"named.person":    "Persons",
	"named.place":     "Places",
	"named.event":     "Events",
	"named.work":      "Works",
	"named.product":   "Products",
	"topics.id":       "Topic ids",
	"topics.name":     "Topics",
	"topics.broader":  "Broader topics",
	"topics.score":    "Topic scores",
	"topics.evidence": "Words that gave the topics",
	"stemmed.ar":      "Text, any form of a word (Arabic)",
	"stemmed.fr":      "Text, any form of a word (French)",
	"stemmed.en":      "Text, any form of a word (English)",

	"named.organisation": "Organisations",
}

// internal are the objects whose fields are Marsad's own and shown to nobody.
var internal = []string{"folded"}

const viewID = "marsad-articles"

// object is JSON; its keys are encoded in order.
type object = map[string]any

// TestKibana holds deploy/kibana/articles.ndjson to the mapping that a new
// index gets.
func TestKibana(t *testing.T) {
	fields := mapped(t)
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	for _, o := range []object{dataView(t, fields), savedSearch(t, fields)} {
		if err := e.Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(root, "deploy/kibana/articles.ndjson")
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("the mapping or this test has changed: go test -run TestKibana . -update\n%s", diff)
	}
}

// mapped gives the type of each field, by path, that Setup puts into
// Elasticsearch, as somebody who listens there sees it.
func mapped(t *testing.T) map[string]string {
	t.Helper()
	type property struct {
		Type       string
		Enabled    *bool
		Properties map[string]json.RawMessage
	}
	var sent struct{ Template struct{ Mappings property } }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		if r.Method != http.MethodPut || !strings.HasPrefix(r.URL.Path, "/_index_template/") {
			if strings.HasPrefix(r.URL.Path, "/_index_template/") {
				w.WriteHeader(http.StatusNotFound) // there is none yet
			}
			_, _ = io.WriteString(w, "{}")
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"acknowledged":true}`)
	}))
	defer server.Close()
	index, err := elastic.New(elastic.Config{Addresses: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if err := index.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var walk func(path string, p property)
	walk = func(path string, p property) {
		if p.Properties == nil {
			if p.Enabled == nil || *p.Enabled { // else it is only kept, and no field
				out[strings.TrimPrefix(path, ".")] = p.Type
			}
			return
		}
		if p.Type == "nested" {
			t.Errorf("%s is nested: Kibana can hardly use it", path)
		}
		for name, raw := range p.Properties {
			var child property
			if err := json.Unmarshal(raw, &child); err != nil {
				t.Fatal(err)
			}
			walk(path+"."+name, child)
		}
	}
	walk("", sent.Template.Mappings)
	if len(out) == 0 {
		t.Fatal("Setup has sent no mapping")
	}
	return out
}

// dataView is the data view on the alias that hides what was retracted.
func dataView(t *testing.T, fields map[string]string) object {
	t.Helper()
	attrs := object{}
	for path := range fields {
		if top, _, _ := strings.Cut(path, "."); slices.Contains(internal, top) {
			continue
		}
		if names[path] == "" {
			t.Errorf("field %s has no name to show: add it to names", path)
		}
		attrs[path] = object{"customLabel": names[path]}
	}
	percent := object{"id": "percent", "params": object{"pattern": "0%"}}
	formats := object{"url": object{"id": "url"}, "entities.salience": percent, "topics.score": percent}
	known(t, fields, "published", "url", "entities.salience", "topics.score")
	var hidden []object
	for _, top := range internal {
		hidden = append(hidden, object{"value": top + ".*"})
	}
	return object{
		"type": "index-pattern", "id": viewID, "coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.0.0", "managed": false,
		"references": []object{},
		"attributes": object{
			"title": "articles", "name": "Articles", "timeFieldName": "published", "allowHidden": false, "allowNoIndex": true,
			"fields": "[]", "typeMeta": "{}", "runtimeFieldMap": "{}",
			"fieldAttrs": text(t, attrs), "fieldFormatMap": text(t, formats), "sourceFilters": text(t, hidden),
		},
	}
}

// savedSearch is the latest articles, with what they are about.
func savedSearch(t *testing.T, fields map[string]string) object {
	t.Helper()
	const index = "kibanaSavedObjectMeta.searchSourceJSON.index"
	columns := []string{"title", "language", "source.name", "topics.name", "named.person", "named.organisation", "named.place"}
	known(t, fields, columns...)
	source := object{"query": object{"query": "", "language": "kuery"}, "filter": []object{}, "indexRefName": index}
	return object{
		"type": "search", "id": "marsad-latest", "coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.0.0", "managed": false,
		"references": []object{{"type": "index-pattern", "id": viewID, "name": index}},
		"attributes": object{
			"title": "Latest articles", "description": "Articles by time of publication, with their topics and entities.",
			"columns": columns, "sort": [][]string{{"published", "desc"}}, "grid": object{}, "hideChart": false,
			"isTextBasedQuery": false, "timeRestore": false,
			"kibanaSavedObjectMeta": object{"searchSourceJSON": text(t, source)},
		},
	}
}

// known fails for a path that is no field.
func known(t *testing.T, fields map[string]string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if fields[p] == "" {
			t.Errorf("the mapping has no field %s", p)
		}
	}
}

// text is v in JSON: Kibana keeps some attributes as strings.
func text(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
