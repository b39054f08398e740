package feed

import "strings"

// place tells what an element is to its children.
type place uint8

const (
	other  place = iota // nothing of theirs counts
	head                // the root or the channel: they speak of the feed
	inItem              // an item
	within              // a group within an item: they count as the item's
	person              // an author
)

// element is one that is open.
type element struct {
	name  string
	place place
	space string // default namespace
	base  string // of addresses, as far as the document says
	lang  string
}

// document is a feed in XML while it is read.
type document struct {
	z        scanner
	feed     *Feed
	stack    []element
	prefixes map[string]string // namespaces, the last declaration of each
	head     fields
	items    []fields
	open     bool     // the last of items is not ended
	field    *capture // the field that is being read
	author   []string // the author that is being read: text, name, address
	bases    int      // xml:base seen
	strays   int      // tags before the feed
	err      error
}

// Bounds on what a hostile document could make dear.
const (
	maxAuthor = 4 << 10 // bytes
	maxBases  = 10_000  // xml:base
	maxStrays = 20      // tags before the feed
	maxAttrs  = 100     // of a tag
)

// capture is a field while it is read.
type capture struct {
	name, key string
	value     value
	depth     int // elements of the same name within
	text, raw strings.Builder
	markup    bool // has elements within
}

// parseXML reads a document whatever its mistakes.
func parseXML(s string, o Options) (*Feed, error) {
	d := document{z: scanner{s: s}, feed: &Feed{}, prefixes: map[string]string{}}
	for d.err == nil {
		t, ok := d.z.next()
		if !ok {
			break
		}
		switch t.kind {
		case charData:
			d.chars(t)
		case startTag:
			d.start(t)
		case endTag:
			d.end(t.name)
		}
	}
	if d.feed.Kind == "" {
		return nil, ErrNotFeed
	}
	if d.err == nil && len(d.stack) > 0 {
		d.err = ErrTruncated
		d.cut()
	}
	d.finish()
	d.endItem()
	d.publish(o)
	return d.feed, d.err
}

// cut drops the field that the document ends in, and the item with it if that
// has no title yet.
func (d *document) cut() {
	d.field, d.author = nil, nil
	if n := len(d.items) - 1; d.open && len(d.items[n].values[titleField]) == 0 {
		d.items, d.open = d.items[:n], false
	}
}

func (d *document) chars(t token) {
	s := t.raw
	if !t.cdata {
		s = unescape(s, d.z.entities)
	}
	switch {
	case d.field != nil:
		d.field.text.WriteString(s)
		d.field.raw.WriteString(t.raw)
	case d.author != nil && len(d.author[0]) < maxAuthor:
		d.author[0] += s
	}
}

// top is the innermost open element.
func (d *document) top() element {
	if len(d.stack) == 0 {
		return element{}
	}
	return d.stack[len(d.stack)-1]
}

func (d *document) start(t token) {
	if d.field != nil {
		if !d.ends(d.key(t.name, d.top().space)) {
			if strings.Contains(t.attrs, "xmlns:") {
				d.opened(t) // notes the prefixes
			}
			d.field.inner(t, d.local(t.name))
			return
		}
		d.finish()
	}
	e, attrs := d.opened(t)
	key := d.key(t.name, e.space)
	if d.feed.Kind == "" && !d.root(t.name) {
		return
	}
	e.place = d.placeOf(key)
	switch {
	case e.place == inItem:
		d.startItem(attrs)
	case e.place == person:
		d.author = make([]string, 3)
	case e.place == head && len(d.stack) <= 2:
		d.head.lang = firstOf(d.head.lang, e.lang)
	case e.place == other && captured(d.top().place, key):
		d.field = &capture{name: t.name, key: key, value: value{attrs: attrs, base: e.base, lang: e.lang, kind: attrs["type"], mode: attrs["mode"]}}
		if t.empty {
			d.finish()
		}
		return
	}
	if d.stack = append(d.stack, e); len(d.stack) > maxDepth {
		d.err = ErrTooDeep
	}
	if t.empty {
		d.end(t.name)
	}
}

// root takes the outermost element, false where that is not yet it.
func (d *document) root(name string) bool {
	d.feed.Kind = rootKind(name)
	if d.strays++; d.feed.Kind == "" && (d.strays > maxStrays || name == "html") {
		d.err = ErrNotFeed
	}
	return d.feed.Kind != ""
}

// opened reads the attributes of t that count for what is within.
func (d *document) opened(t token) (element, map[string]string) {
	up := d.top()
	e := element{name: t.name, space: up.space, base: up.base, lang: up.lang}
	attrs := map[string]string{}
	d.z.attributes(t.attrs, func(name, value string) {
		switch {
		case name == "xmlns":
			e.space = value
		case strings.HasPrefix(name, "xmlns:"):
			d.prefixes[name[len("xmlns:"):]] = value
		case name == "xml:base":
			if d.bases++; d.bases <= maxBases {
				e.base = join(up.base, value)
			}
		case name == "xml:lang":
			e.lang = value
		case strings.HasSuffix(name, ":about"): // RDF's
			attrs["about"] = value
		case len(attrs) < maxAttrs:
			attrs[name] = value
		}
	})
	return e, attrs
}

// placeOf tells what an element is by its key and what it is in.
func (d *document) placeOf(key string) place {
	up := d.top().place
	switch key {
	case "rss", "rdf:rdf", "rdf", "channel", "feed", "urlset", "sitemapindex":
		if up == head || len(d.stack) == 0 {
			return head
		}
	case "item", "entry":
		if up == head || up == inItem || len(d.stack) < 4 {
			return inItem
		}
	case "url", "sitemap":
		if up == head && (d.feed.Kind == Sitemap || d.feed.Kind == SitemapIndex) {
			return inItem
		}
	case "news:news", "news:publication", "media:group", "media:content":
		if up == inItem || up == within {
			return within
		}
	case "author", "dc:creator":
		if up == head || up == inItem {
			return person
		}
	}
	return other
}

// startItem starts an item; one that is not ended ends.
func (d *document) startItem(attrs map[string]string) {
	for i, e := range d.stack {
		if e.place == inItem {
			d.stack = d.stack[:i]
			break
		}
	}
	d.endItem()
	if len(d.items) >= MaxItems {
		d.err = ErrTooMany
		return
	}
	d.open = true
	d.items = append(d.items, fields{about: attrs["about"]})
}

func (d *document) endItem() {
	if d.open {
		d.endAuthor()
		d.open = false
	}
}

// current is what a field belongs to.
func (d *document) current() *fields {
	if d.open {
		return &d.items[len(d.items)-1]
	}
	return &d.head
}

func (d *document) end(name string) {
	if f := d.field; f != nil {
		switch {
		case name == f.name && f.depth == 0:
			d.finish()
			return
		case name == f.name:
			f.depth--
			f.close(d.local(name))
			return
		case !d.encloses(name):
			f.close(d.local(name))
			return
		}
		d.finish()
	}
	for i := len(d.stack) - 1; i >= 0; i-- {
		if d.stack[i].name != name {
			continue
		}
		for _, e := range d.stack[i:] {
			switch e.place {
			case inItem:
				d.endItem()
			case person:
				d.endAuthor()
			}
		}
		d.stack = d.stack[:i]
		return
	}
}

// encloses tells whether name is an item or the feed, around the field.
func (d *document) encloses(name string) bool {
	for _, e := range d.stack {
		if e.name == name && e.place != other {
			return true
		}
	}
	return false
}

// finish ends the field that is being read.
func (d *document) finish() {
	f := d.field
	if f == nil {
		return
	}
	d.field = nil
	f.value.text = f.text.String()
	if f.markup {
		f.value.text, f.value.kind, f.value.mode = f.raw.String(), "xhtml", ""
	}
	if d.author != nil {
		d.authorPart(f.key, strings.TrimSpace(f.value.text))
		return
	}
	d.current().set(f.key, f.value)
}

// authorPart takes a part of an author.
func (d *document) authorPart(key, s string) {
	switch key {
	case "name", "foaf:name":
		d.author[1] = firstOf(d.author[1], s)
	case "email", "uri", "url":
		d.author[2] = firstOf(d.author[2], s)
	}
}

func (d *document) endAuthor() {
	if d.author == nil {
		return
	}
	a := d.author
	d.author = nil
	d.current().addAuthor(firstOf(a[1], nameOf(a[0]), a[2]))
}

// inner adds a start tag within the field to its markup.
func (c *capture) inner(t token, local string) {
	c.markup = true
	if t.name == c.name && !t.empty {
		c.depth++
	}
	c.raw.WriteString("<" + local + t.attrs)
	if t.empty {
		c.raw.WriteString("/")
	}
	c.raw.WriteString(">")
}

func (c *capture) close(local string) {
	if c.markup {
		c.raw.WriteString("</" + local + ">")
	}
}

// ends tells whether an element cannot be within the field: the field's end tag
// is missing.
func (d *document) ends(key string) bool {
	switch key {
	case "item", "entry", "guid", "pubdate", "content:encoded", "dc:date", "dc:creator", "updated", "published", "media:content":
		return true
	case "link", "description", "summary", "content", "id", "author":
		return d.field.key == "title" || d.field.key == "link" || d.field.key == "guid" || d.field.key == "id"
	case "title":
		return d.field.key == "link" || d.field.key == "guid" || d.field.key == "id"
	}
	return false
}
