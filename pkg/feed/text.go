package feed

import (
	"encoding/base64"
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// value is a field as it was read.
type value struct {
	text  string
	kind  string // type of Atom: text, html, xhtml or a media type
	mode  string // of Atom 0.3: escaped, xml or base64
	base  string
	lang  string
	attrs map[string]string
}

// decoded is the text, which Atom has in base64 where its type is no text.
func (v value) decoded() string {
	if v.mode != "base64" && (v.isText() || v.isHTML() || !strings.Contains(v.kind, "/") || strings.HasPrefix(v.kind, "text/") || strings.HasSuffix(v.kind, "xml")) {
		return v.text
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.text), ""))
	if err != nil || !utf8.Valid(b) {
		return ""
	}
	return clean(string(b))
}

// isText and isHTML tell what the value says of itself; RSS says nothing.
func (v value) isText() bool { return v.kind == "text" || v.kind == "text/plain" }
func (v value) isHTML() bool { return strings.Contains(strings.ToLower(v.kind), "html") }

// line gives a title: text on one line. Where it is not told what it is, the
// tags of HTML that it has are taken away and references are read once more,
// since publishers escape twice.
func (v value) line() string {
	s := v.decoded()
	if !v.isText() {
		s = untagged(s, v.isHTML())
		if !v.isHTML() {
			s = unescape(s, nil)
		}
	}
	return oneLine(s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// untagged takes the tags out of s: all, or those of known names.
func untagged(s string, all bool) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	z, skip := scanner{s: s}, ""
	for {
		t, ok := z.next()
		switch {
		case !ok:
			return b.String()
		case skip != "":
			if t.kind == endTag && t.name == skip {
				skip = ""
			}
		case t.kind == charData && t.cdata:
			b.WriteString(t.raw)
		case t.kind == charData:
			b.WriteString(unescape(t.raw, nil))
		case (t.name == "script" || t.name == "style") && t.kind == startTag && !t.empty:
			skip = t.name
		case stands(t.name):
			b.WriteByte(' ')
		case !all && !inline(t.name):
			b.WriteString(t.src)
		}
	}
}

// stands tells whether an element of HTML parts words.
func stands(name string) bool {
	switch name {
	case "br", "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "td", "th", "tr", "table", "blockquote", "img", "iframe", "center":
		return true
	}
	return false
}

// inline tells whether an element of HTML stands in running text.
func inline(name string) bool {
	switch name {
	case "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "blink", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "nobr",
		"q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr", "script", "style", "object", "embed":
		return true
	}
	return false
}

// markup gives a body in HTML; empty where it is a picture or the like.
func (v value) markup() string {
	s := strings.TrimSpace(v.decoded())
	switch {
	case v.isHTML():
		return s
	case v.isText():
		return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>\n")
	case !tagged(s):
		return strings.ReplaceAll(s, "\n", "<br>\n")
	}
	return s
}

// tagged tells whether s has a tag.
func tagged(s string) bool {
	z := scanner{s: s}
	for {
		switch t, ok := z.next(); {
		case !ok:
			return false
		case t.kind != charData:
			return true
		}
	}
}

// nameOf reads a person as RSS writes it: an address with the name in brackets,
// or either alone.
func nameOf(s string) string {
	s = strings.TrimPrefix(oneLine(s), "mailto:")
	if before, inside, ok := strings.Cut(s, "("); ok {
		inside, _, _ = strings.Cut(inside, ")")
		switch {
		case strings.Contains(before, "@") && strings.TrimSpace(inside) != "":
			return value{text: inside}.line()
		case strings.Contains(inside, "@") && strings.TrimSpace(before) != "":
			return value{text: before}.line()
		}
	}
	if before, inside, ok := strings.Cut(s, "<"); ok && strings.Contains(inside, "@") && strings.TrimSpace(before) != "" {
		s = strings.Trim(strings.TrimSpace(before), `"`)
	}
	return value{text: s}.line()
}

// tidyAddress mends what is usually wrong with an address.
func tidyAddress(s string) string {
	s = strings.TrimSpace(s)
	s = strings.NewReplacer("\n", "", "\r", "", "\t", "", "&amp;", "&", " ", "%20").Replace(s)
	switch {
	case strings.HasPrefix(strings.ToLower(s), "www."):
		return "http://" + s
	case strings.HasPrefix(s, "feed://"):
		return "http" + s[len("feed"):]
	}
	return s
}

// absolute tells whether s is an address of the web.
func absolute(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	return ok && rest != "" && rest[0] != '/' && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// address is s seen from the element's base and the feed's; empty where that is
// no address of the web.
func address(s, elementBase string, base *url.URL) string {
	if s = tidyAddress(s); s == "" || absolute(s) {
		return s
	}
	s = join(elementBase, s)
	if u, err := url.Parse(s); err == nil && base != nil {
		s = base.ResolveReference(u).String()
	}
	if strings.HasPrefix(s, "//") {
		s = "https:" + s
	}
	if !absolute(s) {
		return ""
	}
	return s
}

// join is ref seen from base, either of which may be relative.
func join(base, ref string) string {
	const maxBase = 8 << 10 // so that relative ones do not grow with each other
	if base == "" || len(base)+len(ref) > maxBase {
		return ref
	}
	b, err := url.Parse(tidyAddress(base))
	if err != nil {
		return ref
	}
	r, err := url.Parse(tidyAddress(ref))
	if err != nil {
		return base
	}
	return b.ResolveReference(r).String()
}

// firstOf is the first of the strings that is not blank.
func firstOf(ss ...string) string {
	for _, s := range ss {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}
