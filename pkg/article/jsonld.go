package article

import (
	"bytes"
	"encoding/json"
	"html"
	"strings"
)

// maxNesting bounds how deep Marsad looks into a document that nests.
const maxNesting = 64

// isJSONLD tells whether a JSON object speaks schema.org's vocabulary. It is
// cheap on other objects.
func isJSONLD(b []byte) bool {
	if !bytes.Contains(b, []byte(`"@context"`)) {
		return false
	}
	var probe struct {
		Context json.RawMessage `json:"@context"`
	}
	return json.Unmarshal(b, &probe) == nil && bytes.Contains(probe.Context, []byte("schema.org"))
}

// node is an object of JSON-LD.
type node = map[string]any

// graph is one document of JSON-LD with its nodes by id, so that an author or
// publisher given by reference is found.
type graph struct {
	articles []node
	byID     map[string]node
	deep     bool // something was too deep to be looked at
	left     int  // values of an article that may still be looked at: references can multiply
}

// decodeJSONLD reads the articles in a JSON-LD document: an object of
// schema.org's NewsArticle or another Article or BlogPosting, an array, or a
// @graph. Other nodes are ignored; a document without any article is an error.
func decodeJSONLD(b []byte, yield func(Raw, error) bool) bool {
	var doc any
	if err := unmarshal(b, &doc); err != nil {
		return yield(Raw{}, err)
	}
	g := graph{byID: map[string]node{}}
	g.gather(doc, 0)
	if g.deep {
		return yield(Raw{}, invalid("", "is nested deeper than %d", maxNesting))
	}
	if len(g.articles) == 0 {
		return yield(Raw{}, invalid("@type", "there is no NewsArticle, nor another article of schema.org"))
	}
	for _, n := range g.articles {
		g.left = 10_000
		if !yield(g.article(n)) {
			return false
		}
	}
	return true
}

// gather finds the articles at the top of the document and all nodes that have
// both an id and something to say.
func (g *graph) gather(v any, depth int) {
	if depth > maxNesting {
		g.deep = true
		return
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			g.gather(item, depth+1)
		}
	case node:
		if id, ok := v["@id"].(string); ok && len(v) > 1 && g.byID[id] == nil {
			g.byID[id] = v
		}
		if isArticle(v["@type"]) {
			g.articles = append(g.articles, v)
			return
		}
		g.gather(v["@graph"], depth+1)
		g.gather(v["mainEntity"], depth+1)
	}
}

// isArticle tells whether a @type is Article or below it, or a blog's post.
func isArticle(v any) bool {
	switch v := v.(type) {
	case string:
		name := v[strings.LastIndexAny(v, "/:#")+1:]
		return strings.HasSuffix(name, "Article") || strings.HasSuffix(name, "BlogPosting") || name == "Report"
	case []any:
		for _, t := range v {
			if s, ok := t.(string); ok && isArticle(s) {
				return true
			}
		}
	}
	return false
}

// article maps one node. Published is datePublished, else dateModified.
func (g *graph) article(n node) (Raw, error) {
	r := Raw{
		Schema:   SchemaVersion,
		GUID:     firstOf(g.text(n["identifier"], "value", "@id", "url"), named(n["@id"])),
		URL:      firstOf(g.text(n["url"], "@id", "url", "@value"), g.text(n["mainEntityOfPage"], "@id", "url")),
		Title:    oneLine(firstOf(g.text(n["headline"], "@value"), g.text(n["name"], "@value"))),
		Body:     plain(firstOf(g.text(n["articleBody"], "@value"), g.text(n["text"], "@value")), ""),
		Byline:   strings.Join(g.texts(n["author"], 0, "name", "alternateName"), ", "),
		Language: g.text(n["inLanguage"], "alternateName", "@value", "identifier", "name"),
	}
	for _, field := range []string{"publisher", "provider", "sourceOrganization"} {
		r.Source.Name = firstOf(r.Source.Name, g.text(n[field], "name", "legalName"))
	}
	var err error
	published, modified := g.text(n["datePublished"], "@value"), g.text(n["dateModified"], "@value")
	if r.Published, err = firstTime("datePublished", published, "dateModified", modified); err != nil {
		return Raw{}, err
	}
	if r.Title == "" && r.Body == "" {
		return Raw{}, invalid("headline", "and articleBody are both empty: give at least one")
	}
	return r, nil
}

// oneLine takes away HTML's entities and line breaks, which headlines often
// have.
func oneLine(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
}

// named is an @id unless it is that of a blank node.
func named(v any) string {
	if s, ok := v.(string); ok && !strings.HasPrefix(s, "_:") {
		return s
	}
	return ""
}

// text is the first of texts.
func (g *graph) text(v any, keys ...string) string {
	return firstOf(g.texts(v, 0, keys...)...)
}

// texts gives the strings that v stands for: itself, those of an array, or of
// an object, looked up by its @id where it is but a reference, the first of the
// keys that it has.
func (g *graph) texts(v any, depth int, keys ...string) []string {
	if g.left--; g.left < 0 || depth > 8 {
		return nil
	}
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" {
			return []string{s}
		}
	case json.Number:
		return []string{v.String()}
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, g.texts(item, depth+1, keys...)...)
		}
		return out
	case node:
		if id, _ := v["@id"].(string); len(v) == 1 && g.byID[id] != nil {
			v = g.byID[id]
		}
		for _, k := range keys {
			if out := g.texts(v[k], depth+1, keys...); len(out) > 0 {
				return out[:1]
			}
		}
	}
	return nil
}
