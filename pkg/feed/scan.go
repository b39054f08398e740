package feed

import (
	"html"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// tokenKind tells what a token is.
type tokenKind uint8

const (
	charData tokenKind = iota
	startTag
	endTag
)

// token is a piece of the document.
type token struct {
	kind  tokenKind
	name  string // of a tag, in lower case, with its prefix
	attrs string // source of the attributes
	raw   string // source of text; of CDATA, what is in it
	src   string // source of a tag
	cdata bool
	empty bool // the tag ends itself
}

// subset finds the end of a document type's declarations.
var subset = regexp.MustCompile(`\]\s*>`)

// maxTag bounds a tag in bytes; a longer one is text.
const maxTag = 64 << 10

// scanner cuts a document into tokens. It knows no errors: what is no markup is
// text. It is linear in the document's size.
type scanner struct {
	s        string
	pos      int
	entities map[string]string // declared by the document
	absent   map[string]bool   // what was looked for and does not come any more
}

// next gives the next token, false at the end.
func (z *scanner) next() (token, bool) {
	for z.pos < len(z.s) {
		rest := z.s[z.pos:]
		switch {
		case rest[0] != '<':
			return z.chars(rest, 0), true
		case strings.HasPrefix(rest, "<![CDATA["):
			return z.section(rest), true
		case strings.HasPrefix(rest, "<!--"):
			z.skip(rest, "-->", 4)
		case strings.HasPrefix(rest, "<?"):
			z.skip(rest, ">", 2)
		case strings.HasPrefix(rest, "<!"):
			z.declaration(rest)
		default:
			if t, ok := z.tag(rest); ok {
				return t, true
			}
			return z.chars(rest, 1), true
		}
	}
	return token{}, false
}

// find looks for what, once only where it does not come any more.
func (z *scanner) find(s, what string) int {
	if z.absent[what] {
		return -1
	}
	i := strings.Index(s, what)
	if i < 0 {
		if z.absent == nil {
			z.absent = map[string]bool{}
		}
		z.absent[what] = true
	}
	return i
}

// skip goes behind end, or over n bytes where there is none.
func (z *scanner) skip(rest, end string, n int) {
	if i := z.find(rest[n:], end); i >= 0 {
		n += i + len(end)
	}
	z.pos += n
}

func (z *scanner) chars(rest string, from int) token {
	end := len(rest)
	if i := strings.IndexByte(rest[from:], '<'); i >= 0 {
		end = from + i
	}
	z.pos += end
	return token{kind: charData, raw: strings.ReplaceAll(rest[:end], "]]>", "")}
}

// section reads CDATA; one that is not closed goes on to the end.
func (z *scanner) section(rest string) token {
	const open = len("<![CDATA[")
	end := z.find(rest, "]]>")
	if end < 0 {
		z.pos = len(z.s)
		return token{kind: charData, raw: rest[open:], cdata: true}
	}
	z.pos += end + len("]]>")
	return token{kind: charData, raw: rest[open:end], cdata: true}
}

// declaration goes over a document type and takes the plain entities in it:
// those whose value is text. No entity is ever expanded in another's value, and
// nothing outside the document is looked at.
func (z *scanner) declaration(rest string) {
	i := strings.IndexAny(rest[2:], "[<>")
	if i < 0 || rest[2+i] != '[' {
		z.skip(rest, ">", 2)
		return
	}
	end := z.subsetEnd(rest)
	if end < 0 {
		z.pos += 2
		return
	}
	z.pos += end
	const maxEntities, maxValue = 200, 200
	for _, part := range strings.SplitN(rest[:end], "<!ENTITY", maxEntities) {
		part, _, _ = strings.Cut(part, ">")
		name, value, ok := strings.Cut(strings.TrimSpace(part), " ")
		value = strings.TrimSpace(value)
		if !ok || len(value) < 2 || len(value) > maxValue || value[0] != '"' && value[0] != '\'' || value[len(value)-1] != value[0] {
			continue
		}
		value = value[1 : len(value)-1]
		if text := unescape(value, nil); !strings.ContainsAny(text, "&<%") {
			if z.entities == nil {
				z.entities = map[string]string{}
			}
			z.entities[name] = text
		}
	}
}

// subsetEnd is the end of a document type with declarations in it.
func (z *scanner) subsetEnd(rest string) int {
	if z.absent["]>"] {
		return -1
	}
	if m := subset.FindStringIndex(rest); m != nil {
		return m[1]
	}
	if z.absent == nil {
		z.absent = map[string]bool{}
	}
	z.absent["]>"] = true
	return -1
}

// tag reads a tag, false where it is none. An end tag may lack its >.
func (z *scanner) tag(rest string) (token, bool) {
	t, from := token{kind: startTag}, 1
	if len(rest) > 1 && rest[1] == '/' {
		t.kind, from = endTag, 2
	}
	end := from
	for end < len(rest) && nameByte(rest[end], end == from) {
		end++
	}
	if end == from {
		return t, false
	}
	t.name = strings.ToLower(rest[from:end])
	stop := closing(rest, end)
	switch {
	case stop >= 0:
		z.pos += stop + 1
		t.src = rest[:stop+1]
		t.attrs = rest[end:stop]
		t.empty = strings.HasSuffix(t.attrs, "/") && t.kind == startTag
		t.attrs = strings.TrimSuffix(t.attrs, "/")
		return t, true
	case t.kind == endTag && (end == len(rest) || rest[end] == '<'):
		z.pos += end
		t.src = rest[:end]
		return t, true
	}
	return t, false
}

// closing finds the > that ends the tag, -1 where another tag begins first.
func closing(rest string, from int) int {
	if from == len(rest) || !strings.ContainsRune(" \t\r\n/>", rune(rest[from])) {
		return -1
	}
	for i := from; i < min(len(rest), maxTag); i++ {
		switch c := rest[i]; c {
		case '>':
			return i
		case '<':
			return -1
		case '"', '\'':
			if !strings.HasSuffix(strings.TrimRight(rest[from:i][max(0, i-from-4):], " \t\r\n"), "=") {
				continue
			}
			n := strings.IndexByte(rest[i+1:min(len(rest), i+1+maxTag)], c)
			if n < 0 {
				return -1
			}
			i += n + 1
		}
	}
	return -1
}

func nameByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	case c >= '0' && c <= '9', c == ':', c == '-', c == '.':
		return !first
	}
	return false
}

// attributes gives names, in lower case, and values.
func (z *scanner) attributes(src string, yield func(name, value string)) {
	for {
		src = strings.TrimLeft(src, " \t\r\n/")
		name, rest := cutName(src)
		if name == "" {
			return
		}
		rest = strings.TrimLeft(rest, " \t\r\n")
		if !strings.HasPrefix(rest, "=") {
			src = rest
			continue
		}
		var value string
		value, src = cutValue(strings.TrimLeft(rest[1:], " \t\r\n"))
		yield(strings.ToLower(name), unescape(value, z.entities))
	}
}

func cutName(s string) (name, rest string) {
	end := strings.IndexAny(s, "= \t\r\n")
	switch {
	case end < 0:
		return s, ""
	case end == 0:
		return s[:1], s[1:]
	}
	return s[:end], s[end:]
}

func cutValue(s string) (value, rest string) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		if i := strings.IndexByte(s[1:], s[0]); i >= 0 {
			return s[1 : 1+i], s[i+2:]
		}
	}
	if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// unescape replaces references that end with a semicolon: those of own, HTML's
// and numeric ones, of which the range 128–159 means windows-1252, as it does
// in HTML. All else stays, so that & in an address does.
func unescape(s string, own map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		const maxName = 40
		end := strings.IndexByte(s[:min(len(s), maxName)], ';')
		if end < 0 {
			b.WriteByte('&')
			s = s[1:]
			continue
		}
		text, ok := own[s[1:end]]
		if !ok {
			text = html.UnescapeString(s[:end+1])
			ok = text != s[:end+1] && (text == ";" || !strings.HasSuffix(text, ";")) // else only its beginning is one
		}
		if !ok {
			b.WriteByte('&')
			s = s[1:]
			continue
		}
		b.WriteString(strings.Map(visible, text))
		s = s[end+1:]
	}
	if b.Len() == 0 {
		return s
	}
	b.WriteString(s)
	return b.String()
}

// visible drops what no text has, and mends what stands for windows-1252.
func visible(c rune) rune {
	if c >= 0x80 && c < 0xA0 && c != 0x85 {
		return charmap.Windows1252.DecodeByte(byte(c))
	}
	if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7F || c >= 0xFFFE && c <= 0xFFFF {
		return -1
	}
	return c
}
