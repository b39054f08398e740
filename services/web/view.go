package web

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// searchView is what the page of results shows. All texts are plain.
type searchView struct {
	Text     string // the query as written
	Problem  *Problem
	Caret    *caretView
	Filters  []linkView // active ones, each with the page without it
	Hidden   []fieldView
	Sorts    []optionView
	Periods  []optionView
	Done     bool // a search was run
	Total    int
	Items    []itemView
	Facets   []facetView
	First    string // address of the first page, on others
	Next     string // address of the next page
	Stream   string // address of the live stream
	Position string // where the live column begins

	names *names
	link  links
}

// caretView shows where a query cannot be read.
type caretView struct{ Before, Wrong, After string }

func caretOf(text string, at *Range) *caretView {
	if at == nil {
		return nil
	}
	o := byteOffsets(text, []int{at.Start, max(at.Start, at.End)})
	return &caretView{shown(text[:o[0]]), shown(text[o[0]:o[1]]), shown(text[o[1]:])}
}

type linkView struct {
	Kind  string // what it is, for people
	Label string
	URL   string
	Count int
	On    bool
}

type fieldView struct{ Name, Value string }

type optionView struct {
	Value, Label string
	On           bool
}

type facetView struct {
	ID, Title string
	Values    []linkView
}

// itemView is an article in the list of results.
type itemView struct {
	ID, URL   string
	Lang, Dir string
	Title     []Part
	Snippets  []snippetView
	Source    linkView
	Published timeView
	Topics    []linkView
	Entities  []linkView
}

type snippetView struct {
	Dir   string
	Parts []Part
}

type timeView struct{ ISO, Text string }

func timeOf(t time.Time) timeView {
	return timeView{ISO: t.UTC().Format(time.RFC3339), Text: t.UTC().Format("2 Jan 2006, 15:04") + " UTC"}
}

// links makes addresses of the page with other filters.
type links struct{ params url.Values }

// toggle gives the address of the first page with value added to, or if it is
// there already, taken from the filter name.
func (l links) toggle(name, value string) string {
	v := l.clone()
	if i := slices.Index(v[name], value); i >= 0 {
		v[name] = slices.Delete(v[name], i, i+1)
	} else {
		v.Add(name, value)
	}
	return address("/", v)
}

// with gives the address of the first page with the parameter name set, or
// taken away by an empty value.
func (l links) with(name, value string) string {
	v := l.clone()
	if v.Del(name); value != "" {
		v.Set(name, value)
	}
	return address("/", v)
}

func (l links) stream() string {
	v := url.Values{}
	for _, name := range filterParams() {
		v[name] = l.params[name]
	}
	return address("/v1/stream", v)
}

func (l links) clone() url.Values {
	v := url.Values{}
	for name, values := range l.params {
		v[name] = slices.Clone(values)
	}
	return v
}

func address(path string, v url.Values) string {
	maps.DeleteFunc(v, func(_ string, values []string) bool { return len(values) == 0 })
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// kinds are the filters: parameter, facet and name for people.
func kinds() []struct {
	param string
	facet search.FacetField
	title string
} {
	return []struct {
		param string
		facet search.FacetField
		title string
	}{
		{"lang", search.FacetLanguage, "Language"}, {"topic", search.FacetTopic, "Topic"},
		{"entity", search.FacetEntity, "Entity"}, {"country", search.FacetCountry, "Country"},
		{"source", search.FacetSource, "Source"},
	}
}

// newSearchView fills in all but what was found.
func newSearchView(p params, req searchRequest, n *names) *searchView {
	params := url.Values{}
	for name, values := range map[string][]string{
		"lang": req.languages, "topic": req.topics, "entity": req.entities,
		"country": req.countries, "source": req.sources,
	} {
		params[name] = values
	}
	for _, name := range []string{"q", "from", "to", "time", "sort", "size"} {
		if v, _ := p.one(name); v != "" {
			params[name] = []string{v}
		}
	}
	v := &searchView{Text: req.text, names: n, link: links{params}}
	if req.Cursor != "" {
		v.First = v.link.with("cursor", "")
	}
	for _, k := range kinds() {
		for _, value := range params[k.param] {
			v.Hidden = append(v.Hidden, fieldView{k.param, value})
		}
	}
	for _, name := range []string{"to", "time", "size"} {
		if params.Get(name) != "" {
			v.Hidden = append(v.Hidden, fieldView{name, params.Get(name)})
		}
	}
	v.Sorts = options(params.Get("sort"), optionView{Value: "", Label: "Newest first"},
		optionView{Value: "published", Label: "Last published"}, optionView{Value: "relevance", Label: "Best match"})
	v.Periods = options(params.Get("from"), optionView{Value: "", Label: "Any time"},
		optionView{Value: "now-1h", Label: "Last hour"}, optionView{Value: "now-1d", Label: "Last day"},
		optionView{Value: "now-7d", Label: "Last week"}, optionView{Value: "now-30d", Label: "Last 30 days"})
	v.filters()
	return v
}

// filters lists the active filters.
func (v *searchView) filters() {
	v.Filters = nil
	for _, k := range kinds() {
		for _, value := range v.link.params[k.param] {
			v.Filters = append(v.Filters, linkView{
				Kind: k.title, Label: shown(v.names.of(k.facet, value)), URL: v.link.toggle(k.param, value),
			})
		}
	}
	for _, o := range v.Periods {
		if o.On && o.Value != "" {
			v.Filters = append(v.Filters, linkView{Kind: "Period", Label: o.Label, URL: v.link.with("from", "")})
		}
	}
	if to := v.link.params.Get("to"); to != "" {
		v.Filters = append(v.Filters, linkView{Kind: "Until", Label: shown(to), URL: v.link.with("to", "")})
	}
}

func options(chosen string, all ...optionView) []optionView {
	known := false
	for i := range all {
		all[i].On = all[i].Value == chosen
		known = known || all[i].On
	}
	if !known {
		all = append(all, optionView{Value: chosen, Label: shown(chosen), On: true})
	}
	return all
}

// show fills in what was found.
func (v *searchView) show(res *SearchResult) {
	v.Done, v.Total = true, res.Total
	for i := range res.Hits {
		v.names.learn(&res.Hits[i].Article)
	}
	for i := range res.Hits {
		v.Items = append(v.Items, v.item(&res.Hits[i]))
	}
	if res.Next != "" {
		v.Next = v.link.with("cursor", res.Next)
	}
	for _, k := range kinds() {
		f := facetView{ID: "facet-" + k.param, Title: k.title}
		for _, b := range res.Facets[k.facet] {
			f.Values = append(f.Values, linkView{
				Label: shown(b.Label), Count: b.Count, URL: v.link.toggle(k.param, b.Value),
				On: slices.Contains(v.link.params[k.param], b.Value),
			})
		}
		if len(f.Values) > 0 {
			v.Facets = append(v.Facets, f)
		}
	}
	v.filters() // with the names learnt
}

// Bounds on what an item of the list shows.
const (
	maxTopicsShown   = 3
	maxEntitiesShown = 6
)

func (v *searchView) item(h *Hit) itemView {
	a := &h.Article
	it := itemView{
		ID: a.ID, URL: "/articles/" + url.PathEscape(a.ID), Lang: languageAttribute(a),
		Dir:       direction(a.Language, cmp.Or(a.Title, clip(h.Body, directionSample))),
		Source:    linkView{Label: shown(cmp.Or(a.Source.Name, a.Source.ID)), URL: v.link.toggle("source", a.Source.ID)},
		Published: timeOf(a.Published),
	}
	for _, s := range h.Snippets {
		if s.Field == "title" {
			it.Title = shownParts(s.Parts)
		} else {
			it.Snippets = append(it.Snippets, snippetView{direction(a.Language, textOf(s.Parts)), shownParts(s.Parts)})
		}
	}
	if it.Title == nil {
		it.Title = []Part{{Text: shown(titleOf(a))}}
	}
	for _, t := range a.Topics[:min(len(a.Topics), maxTopicsShown)] {
		it.Topics = append(it.Topics, linkView{Label: shown(v.names.of(search.FacetTopic, t.ID)), URL: v.link.toggle("topic", t.ID)})
	}
	for _, e := range mostSalient(a.Entities, maxEntitiesShown) {
		it.Entities = append(it.Entities, linkView{
			Kind: string(e.Type), Label: shown(v.names.of(search.FacetEntity, e.ID)), URL: v.link.toggle("entity", e.ID),
		})
	}
	return it
}

func titleOf(a *article.Article) string {
	return cmp.Or(clip(a.Title, maxTitleShown), "(no title)")
}

func mostSalient(es []article.Entity, n int) []article.Entity {
	es = slices.Clone(es)
	slices.SortStableFunc(es, func(a, b article.Entity) int { return cmp.Compare(b.Salience, a.Salience) })
	return es[:min(len(es), n)]
}

func shownParts(parts []Part) []Part {
	out := make([]Part, len(parts))
	for i, p := range parts {
		out[i] = Part{shown(p.Text), p.Mark}
	}
	return out
}

func textOf(parts []Part) string {
	s := ""
	for _, p := range parts {
		s += p.Text
	}
	return s
}
