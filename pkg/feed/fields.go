package feed

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// fields is what an item, or the feed, says of itself.
type fields struct {
	values  [fieldKinds][]ranked
	links   []value
	authors []string
	about   string // of RDF
	lang    string
}

// ranked is a value by how well its element fits.
type ranked struct {
	rank int
	value
}

// Bounds on what is kept of a field that is repeated.
const (
	maxValues  = 8
	maxLinks   = 50
	maxAuthors = 50
)

// rank tells how well an element fits among those that say the same: the lower
// the better.
func rank(key string) int {
	prefix, _, ok := strings.Cut(key, ":")
	switch {
	case !ok && key != "created":
		return 0
	case prefix == "media":
		return 3
	case prefix == "itunes", prefix == "dcterms":
		return 2
	}
	return 1
}

// set takes a field.
func (f *fields) set(key string, v value) {
	kind := fieldOf(key)
	switch {
	case kind == linkField:
		f.addLink(v)
	case kind == authorField:
		f.addAuthor(nameOf(v.text))
	case kind == contentField && v.attrs["src"] != "" && strings.TrimSpace(v.text) == "":
		f.addLink(value{attrs: map[string]string{"href": v.attrs["src"], "rel": "content"}, base: v.base})
	case kind != none && strings.TrimSpace(v.text) != "":
		add := ranked{rank(key), v}
		at, _ := slices.BinarySearchFunc(f.values[kind], add.rank+1, func(r ranked, n int) int { return r.rank - n })
		if f.values[kind] = slices.Insert(f.values[kind], at, add); len(f.values[kind]) > maxValues {
			f.values[kind] = f.values[kind][:maxValues]
		}
	}
}

func (f *fields) addLink(v value) {
	if len(f.links) < maxLinks && (strings.TrimSpace(v.text) != "" || v.attrs["href"] != "") {
		f.links = append(f.links, v)
	}
}

func (f *fields) addAuthor(name string) {
	if name != "" && len(f.authors) < maxAuthors && !slices.Contains(f.authors, name) {
		f.authors = append(f.authors, name)
	}
}

// first is the best value of a kind, empty where there is none.
func (f *fields) first(kind fieldKind) value {
	if vs := f.values[kind]; len(vs) > 0 {
		return vs[0].value
	}
	return value{}
}

// best is the best value that get makes something of.
func (f *fields) best(kind fieldKind, get func(value) string) string {
	for _, v := range f.values[kind] {
		if s := get(v.value); s != "" {
			return s
		}
	}
	return ""
}

// time is the best date that can be read.
func (f *fields) time(kind fieldKind) time.Time {
	for _, v := range f.values[kind] {
		if t, ok := parseDate(v.text); ok {
			return t
		}
	}
	return time.Time{}
}

// link is the address with the relation: of alternate, which is also the one
// that RSS has as text, the last of those, and a page before other media.
func (f *fields) link(rel string, base *url.URL) string {
	found, html := "", false
	for _, l := range f.links {
		if relation(l.attrs["rel"]) != rel {
			continue
		}
		kind := l.attrs["type"]
		isHTML := kind == "" || strings.Contains(kind, "html")
		plain := l.attrs["href"] == ""
		s := address(firstOf(l.attrs["href"], l.text), l.base, base)
		if s != "" && (found == "" || plain || isHTML && !html) {
			found, html = s, isHTML
		}
	}
	return found
}

// relation is a link's relation by its short name.
func relation(rel string) string {
	rel = strings.ToLower(strings.TrimSpace(rel))
	if rel == "" {
		return "alternate"
	}
	return rel[strings.LastIndexByte(rel, '/')+1:]
}

// permalink is the address that the identifier is, if it is one.
func (f *fields) permalink(base *url.URL) string {
	id := f.first(idField)
	s := strings.TrimSpace(id.text)
	if strings.EqualFold(strings.TrimSpace(id.attrs["ispermalink"]), "false") {
		return ""
	}
	if strings.EqualFold(id.attrs["ispermalink"], "true") {
		return address(s, id.base, base)
	}
	if absolute(s) {
		return tidyAddress(s)
	}
	return ""
}

// langOf is the first language as it was given, with hyphens.
func langOf(ss ...string) string { return strings.ReplaceAll(firstOf(ss...), "_", "-") }

// publish makes the feed of what was read.
func (d *document) publish(o Options) {
	f, h := d.feed, &d.head
	f.Self = h.link("self", o.URL)
	f.Link = h.link("alternate", f.base(o))
	f.Hub, f.Next = h.link("hub", f.base(o)), h.link("next", f.base(o))
	f.Title = h.best(titleField, value.line)
	f.Language = langOf(h.first(languageField).text, h.lang)
	base := f.base(o)
	for i := range d.items {
		item := d.items[i].item(base)
		d.items[i] = fields{} // its memory is not needed any more
		if f.Kind == SitemapIndex {
			if item.URL != "" {
				f.Sitemaps = append(f.Sitemaps, item.URL)
			}
			continue
		}
		item.Language = langOf(item.Language, f.Language)
		if item.Author == "" && f.Kind == Atom {
			item.Author = strings.Join(h.authors, ", ")
		}
		f.Items = append(f.Items, item)
	}
}

// item makes an item of its fields.
func (f *fields) item(base *url.URL) Item {
	title, content := f.first(titleField), f.first(contentField)
	it := Item{
		GUID:        firstOf(f.first(idField).text, f.about),
		Title:       f.best(titleField, value.line),
		Content:     f.best(contentField, value.markup),
		Summary:     f.best(summaryField, value.markup),
		Author:      strings.Join(f.authors, ", "),
		Language:    langOf(f.first(languageField).text, title.lang, content.lang),
		Publication: f.first(publicationField).line(),
		Published:   f.time(publishedField),
		Updated:     f.time(updatedField),
	}
	it.URL = firstOf(address(f.first(originField).text, "", base), f.link("alternate", base), f.permalink(base),
		address(f.about, "", base), f.link("content", base))
	return it
}
