package feed

import "strings"

// key names an element by what its namespace means, whatever its prefix: "" for
// those of feeds themselves. Prefixes that are not declared, or for another
// address, mean what they usually do.
func (d *document) key(name, space string) string {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		local, prefix = prefix, ""
	} else {
		space = d.prefixes[prefix]
	}
	if short, ok := meaning(space); ok {
		prefix = short
	}
	switch prefix {
	case "", "atom", "atom10", "atom03", "a10", "rss":
		return local
	}
	return prefix + ":" + local
}

// local is a name without the prefix, where that means XHTML.
func (d *document) local(name string) string {
	prefix, local, ok := strings.Cut(name, ":")
	if short, _ := meaning(d.prefixes[prefix]); ok && (short == "xhtml" || prefix == "xhtml") {
		return local
	}
	return name
}

// meaning is the usual prefix of a namespace.
func meaning(space string) (string, bool) {
	const maxSpace = 300
	if space == "" || len(space) > maxSpace {
		return "", false
	}
	space = strings.ToLower(space)
	for _, m := range [...][2]string{
		{"w3.org/2005/atom", ""}, {"purl.org/atom/ns", ""},
		{"purl.org/rss/1.0/modules/content", "content"}, {"purl.org/rss/1.0/modules/", "-"}, {"purl.org/rss/1.0", ""},
		{"netscape.com/rdf/simple", ""}, {"backend.userland.com/rss", ""}, {"harvard.edu/tech/rss", ""},
		{"sitemaps.org/schemas/sitemap", ""}, {"google.com/schemas/sitemap-news", "news"}, {"google.com/schemas/sitemap/", ""},
		{"purl.org/dc/elements", "dc"}, {"purl.org/dc/terms", "dcterms"}, {"search.yahoo.com/mrss", "media"},
		{"rssnamespace.org/feedburner", "feedburner"}, {"itunes.com/dtds/podcast", "itunes"}, {"w3.org/1999/xhtml", "xhtml"},
		{"w3.org/1999/02/22-rdf-syntax-ns", "rdf"}, {"xmlns.com/foaf", "foaf"},
	} {
		if strings.Contains(space, m[0]) {
			return m[1], m[1] != "-"
		}
	}
	return "", false
}

// captured tells whether the element is a field of what it is in.
func captured(up place, key string) bool {
	switch up {
	case head, inItem, within:
		return fieldOf(key) != none
	case person:
		switch key {
		case "name", "foaf:name", "email", "uri", "url":
			return true
		}
	}
	return false
}

// fieldKind groups the elements that say the same.
type fieldKind uint8

const (
	none fieldKind = iota
	titleField
	linkField
	originField // the address behind a redirecting one
	idField
	contentField
	summaryField
	publishedField
	updatedField
	authorField
	languageField
	publicationField
	fieldKinds
)

func fieldOf(key string) fieldKind {
	switch key {
	case "title", "dc:title", "news:title", "media:title", "itunes:title":
		return titleField
	case "link", "loc":
		return linkField
	case "feedburner:origlink", "feedburner:originallink", "pheedo:origlink":
		return originField
	case "guid", "id", "dc:identifier":
		return idField
	case "content", "content:encoded", "xhtml:body", "xhtml:div", "body", "fullitem", "fulltext":
		return contentField
	case "description", "summary", "tagline", "subtitle", "dc:description", "itunes:summary", "media:description", "dcterms:abstract":
		return summaryField
	case "pubdate", "published", "issued", "created", "dcterms:issued", "dcterms:created", "news:publication_date", "dc:date", "dcterms:date", "date":
		return publishedField
	case "updated", "modified", "dcterms:modified", "lastmod", "lastbuilddate":
		return updatedField
	case "dc:author", "itunes:author", "media:credit":
		return authorField
	case "language", "dc:language", "news:language":
		return languageField
	case "news:name":
		return publicationField
	}
	return none
}
