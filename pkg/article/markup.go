package article

import (
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// breaks tells whether an element of HTML or NITF stands on lines of its own.
func breaks(name string) bool {
	switch name {
	case "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote", "section", "article",
		"header", "footer", "aside", "main", "address", "figure", "figcaption", "table", "caption", "tr", "hr", "br", "body",
		"block", "hl2", "bq", "credit", "fn", "note", "media", "media-caption", "media-producer", "body.content":
		return true
	}
	return false
}

// hidden tells whether what is in an element is no text for readers.
func hidden(name string) bool {
	switch name {
	case "script", "style", "title", "head", "template", "noscript", "iframe", "svg", "math", "object", "select", "textarea", "xmp",
		"noembed", "noframes", "media", "body.head":
		return true
	}
	return false
}

// lines gathers text: white space becomes one space, and what stands apart
// gets a line of its own.
type lines struct {
	b     strings.Builder
	space bool // white space was left out before what comes next
}

// text adds running text.
func (l *lines) text(s string) {
	for i, word := range strings.FieldsFunc(s, asciiSpace) {
		if i > 0 || asciiSpace(rune(s[0])) {
			l.space = true
		}
		l.gap()
		l.b.WriteString(word)
	}
	if s != "" && asciiSpace(rune(s[len(s)-1])) {
		l.space = true
	}
}

// gap writes the space that was left out, except at the start of a line.
func (l *lines) gap() {
	if s := l.b.String(); l.space && s != "" && s[len(s)-1] != '\n' {
		l.b.WriteByte(' ')
	}
	l.space = false
}

// exact adds text that keeps its line breaks.
func (l *lines) exact(s string) { l.b.WriteString(s) }

// end ends a line that has something on it.
func (l *lines) end() {
	if s := l.b.String(); s != "" && s[len(s)-1] != '\n' {
		l.b.WriteByte('\n')
	}
	l.space = false
}

func (l *lines) String() string { return strings.TrimSpace(l.b.String()) }

func asciiSpace(c rune) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// textOfHTML gives what a reader of HTML or XHTML sees, paragraphs apart by a
// line break. Anything is taken: markup has no errors. It goes over s once and
// keeps no tree, so that nesting costs nothing.
func textOfHTML(s string) string {
	z := html.NewTokenizer(strings.NewReader(s))
	var out lines
	hide, depth, pre := "", 0, 0
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return out.String()
		case html.TextToken:
			switch {
			case hide != "":
			case pre > 0:
				out.exact(string(z.Text()))
			default:
				out.text(string(z.Text()))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			b, _ := z.TagName()
			name := string(b)
			if kind == html.SelfClosingTagToken {
				z.NextIsNotRawText() // XHTML's <script/> is empty
			}
			switch {
			case hide == "" && kind == html.StartTagToken && hidden(name):
				hide, depth = name, 1
			case hide == name && kind == html.StartTagToken:
				depth++
			case hide == name && kind == html.EndTagToken:
				if depth--; depth == 0 {
					hide = ""
				}
			case hide == "head" && name == "body": // an open head ends here
				hide = ""
			}
			if name == "pre" {
				pre = max(0, pre+map[html.TokenType]int{html.StartTagToken: 1, html.EndTagToken: -1}[kind])
			}
			if name == "td" || name == "th" {
				out.space = true
			}
			if hide == "" && breaks(name) {
				out.end()
			}
		}
	}
}

// looksLikeHTML tells whether s, of which nothing else is known, begins with a
// tag.
func looksLikeHTML(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) < 3 || s[0] != '<' {
		return false
	}
	z := html.NewTokenizer(strings.NewReader(s))
	kind := z.Next()
	return kind != html.TextToken && !(kind == html.ErrorToken && errors.Is(z.Err(), io.EOF))
}

// plain gives the text of s, by its media type where that is known.
func plain(s, contentType string) string {
	switch kind, _, _ := strings.Cut(strings.ToLower(contentType), ";"); strings.TrimSpace(kind) {
	case "":
		if !looksLikeHTML(s) {
			return strings.TrimSpace(s)
		}
	case "text/plain":
		return strings.TrimSpace(s)
	}
	return textOfHTML(s)
}

// parseTime reads a time as the news formats write it: RFC 3339, or ISO 8601
// without seconds, with a zone without a colon, or of a day alone. A time
// without a zone is taken as UTC. Empty is the zero time.
func parseTime(field, s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00",
		"2006-01-02T15:04Z0700", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", time.DateOnly, "2006-01-02Z07:00",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, invalid(field, "%.60q is no time: write RFC 3339, such as 2026-10-24T09:00:00Z", s)
}

// firstTime is the first of the times that is given; fields holds pairs of a
// name and a value.
func firstTime(fields ...string) (time.Time, error) {
	for i := 0; i < len(fields); i += 2 {
		if t, err := parseTime(fields[i], fields[i+1]); err != nil || !t.IsZero() {
			return t, err
		}
	}
	return time.Time{}, nil
}

// parseStatus reads a publication status of IPTC, also as a QCode (stat:usable)
// or an address of the vocabulary. Empty is usable.
func parseStatus(field, s string) (Status, error) {
	code := s[strings.LastIndexAny(s, ":/")+1:]
	switch status := Status(strings.ToLower(strings.TrimSpace(code))); status {
	case "":
		if s == "" {
			return Usable, nil
		}
	case "cancelled":
		return Canceled, nil
	case Usable, Withheld, Canceled:
		return status, nil
	}
	return "", invalid(field, "is %.60q, must be usable, withheld or canceled", s)
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
