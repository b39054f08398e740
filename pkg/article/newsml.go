package article

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// newsNamespace is that of all NewsML-G2 items.
const newsNamespace = "http://iptc.org/std/nar/2006-10-01/"

// newsItem holds what Marsad takes of a NewsML-G2 newsItem.
type newsItem struct {
	GUID string `xml:"guid,attr"`
	Lang string `xml:"lang,attr"`
	Meta struct {
		Class          qcode     `xml:"itemClass"`
		Provider       party     `xml:"provider"`
		VersionCreated string    `xml:"versionCreated"`
		FirstCreated   string    `xml:"firstCreated"`
		Embargoed      *string   `xml:"embargoed"`
		PubStatus      qcode     `xml:"pubStatus"`
		Title          []running `xml:"title"`
	} `xml:"itemMeta"`
	Content struct {
		Created   string    `xml:"contentCreated"`
		Headlines []running `xml:"headline"`
		Bylines   []running `xml:"by"`
		Byline    []running `xml:"byline"`
		Creators  []party   `xml:"creator"`
		Sources   []party   `xml:"infoSource"`
		Languages []struct {
			Tag string `xml:"tag,attr"`
		} `xml:"language"`
	} `xml:"contentMeta"`
	Set struct {
		XML  []inline `xml:"inlineXML"`
		Data []struct {
			ContentType string `xml:"contenttype,attr"`
			Encoding    string `xml:"encoding,attr"`
			Value       string `xml:",chardata"`
		} `xml:"inlineData"`
	} `xml:"contentSet"`
}

// qcode is a property by code or by address.
type qcode struct {
	QCode string `xml:"qcode,attr"`
	URI   string `xml:"uri,attr"`
}

func (q qcode) String() string { return firstOf(q.QCode, q.URI) }

// code is what follows the scheme.
func (q qcode) code() string { s := q.String(); return s[strings.LastIndexAny(s, ":/")+1:] }

// party is a person or organisation.
type party struct {
	qcode
	Literal string    `xml:"literal,attr"`
	Names   []running `xml:"name"`
}

func (p party) name() string {
	for _, n := range p.Names {
		if n.text != "" {
			return n.text
		}
	}
	return firstOf(p.Literal, p.code())
}

// running is the text of an element whatever inline markup it holds, on one
// line.
type running struct {
	role, text string
}

// UnmarshalXML gathers the text.
func (t *running) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	for _, a := range start.Attr {
		if a.Name.Local == "role" {
			t.role = a.Value
		}
	}
	var in inline
	err := in.UnmarshalXML(d, start)
	t.text = strings.Join(strings.Fields(in.body.String()), " ")
	return err
}

// inline is a body in XHTML or NITF.
type inline struct {
	body             lines
	headline, byline lines // of NITF
}

// UnmarshalXML gathers the text of the element: paragraphs on lines of their
// own, without what readers do not see.
func (in *inline) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) error {
	var open []string
	into, hide := &in.body, 0 // hide counts hidden elements around
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.CharData:
			if hide == 0 || into != &in.body {
				into.text(string(t))
			}
		case xml.StartElement:
			name := strings.ToLower(t.Name.Local)
			open = append(open, name)
			switch {
			case hidden(name):
				hide++
			case name == "hl1":
				into = &in.headline
			case name == "byline":
				into = &in.byline
			}
			in.edge(name, hide)
		case xml.EndElement:
			if len(open) == 0 {
				return nil
			}
			name := open[len(open)-1]
			open = open[:len(open)-1]
			if hidden(name) {
				hide--
			}
			if name == "hl1" || name == "byline" {
				into = &in.body
			}
			in.edge(name, hide)
		}
	}
}

// edge is called where an element begins or ends.
func (in *inline) edge(name string, hide int) {
	if hide == 0 && breaks(name) {
		in.body.end()
	}
	if name == "td" || name == "th" {
		in.body.space = true
	}
}

// raw maps the item. Errors name the element.
func (n *newsItem) raw() (Raw, error) {
	if class := n.Meta.Class; class.String() != "" && class.code() != "text" && class.code() != "composite" {
		return Raw{}, invalid("itemClass", "is %.80q: only text is taken", class.String())
	}
	r := Raw{Schema: SchemaVersion, GUID: n.GUID, Language: n.Lang}
	if len(n.Content.Languages) > 0 {
		r.Language = firstOf(n.Content.Languages[0].Tag, n.Lang)
	}
	n.text(&r)
	for _, p := range append([]party{n.Meta.Provider}, n.Content.Sources...) {
		r.Source.Name = firstOf(r.Source.Name, p.name())
	}
	var err error
	if r.Status, err = parseStatus("pubStatus", n.Meta.PubStatus.String()); err != nil {
		return Raw{}, err
	}
	if r.Published, err = firstTime("versionCreated", n.Meta.VersionCreated, "contentCreated", n.Content.Created, "firstCreated", n.Meta.FirstCreated); err != nil {
		return Raw{}, err
	}
	if e := n.Meta.Embargoed; e != nil {
		if r.Embargoed, err = parseTime("embargoed", *e); err != nil {
			return Raw{}, err
		}
		if r.Embargoed.IsZero() { // no end: showing it would be the worse mistake
			return Raw{}, invalid("embargoed", "has no time: give one, or send pubStatus stat:withheld")
		}
	}
	switch {
	case r.GUID == "":
		return Raw{}, invalid("guid", "missing: a newsItem requires it")
	case r.Title == "" && r.Body == "" && r.Status == Usable:
		return Raw{}, invalid("headline", "and contentSet are both empty: give at least one")
	}
	return r, nil
}

// text fills title, body and byline.
func (n *newsItem) text(r *Raw) {
	main, first := "", ""
	for _, h := range n.Content.Headlines {
		if role := h.role[strings.LastIndexAny(h.role, ":/")+1:]; main == "" && role == "main" {
			main = h.text
		}
		first = firstOf(first, h.text)
	}
	nitf, nitfBy := "", ""
	for i := range n.Set.XML {
		x := &n.Set.XML[i]
		r.Body = firstOf(r.Body, x.body.String())
		nitf, nitfBy = firstOf(nitf, x.headline.String()), firstOf(nitfBy, x.byline.String())
	}
	for _, d := range n.Set.Data {
		if d.Encoding == "" {
			r.Body = firstOf(r.Body, plain(d.Value, firstOf(d.ContentType, "text/plain")))
		}
	}
	r.Title = firstOf(main, first, nitf)
	for _, t := range n.Meta.Title {
		r.Title = firstOf(r.Title, t.text)
	}
	by := ""
	for _, t := range append(n.Content.Bylines, n.Content.Byline...) {
		by = firstOf(by, t.text)
	}
	var names []string
	for _, c := range n.Content.Creators {
		if len(c.Names) > 0 && c.name() != "" {
			names = append(names, c.name())
		}
	}
	r.Byline = firstOf(by, nitfBy, strings.Join(names, ", "))
}

// errLarge ends the reading of an item over MaxItem.
var errLarge = errors.New("item too large")

// allowance is a reader that ends with errLarge after a number of bytes.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errLarge
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// errDeep ends the reading of XML nested deeper than maxNesting.
var errDeep = errors.New("too deep")

// errMany ends the reading of an item with more than maxValues elements.
var errMany = errors.New("too many elements")

// shallow gives the tokens of XML up to a depth and a number of elements.
type shallow struct {
	*xml.Decoder
	depth, left int
}

func (s *shallow) Token() (xml.Token, error) {
	token, err := s.Decoder.Token()
	switch token.(type) {
	case xml.StartElement:
		if s.depth++; s.depth > maxNesting {
			return nil, errDeep
		}
		if s.left--; s.left < 0 {
			return nil, errMany
		}
	case xml.EndElement:
		s.depth--
	}
	return token, err
}

// readNewsML yields the newsItems of a NewsML-G2 document: a newsItem, or a
// newsMessage with any number of them. Items of other kinds, such as packages,
// are passed over; a document with nothing but these is an error. inUTF8 says
// that the text is in UTF-8 whatever its declaration says. External entities
// are never resolved, an item is at most MaxItem bytes.
func readNewsML(r io.Reader, inUTF8 bool) func(yield func(Raw, error) bool) {
	return func(yield func(Raw, error) bool) {
		in := &allowance{r: transform.NewReader(r, unicode.BOMOverride(transform.Nop)), left: MaxItem}
		raw := xml.NewDecoder(in)
		raw.Entity = xml.HTMLEntity // NITF and XHTML use them; their DTDs are not read
		raw.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
			if inUTF8 || strings.HasPrefix(strings.ToLower(label), "utf-16") { // its byte order mark was followed
				return r, nil
			}
			return charset.NewReaderLabel(label, r)
		}
		bounded := &shallow{Decoder: raw}
		dec := xml.NewTokenDecoder(bounded)
		for n := 0; ; {
			in.left, bounded.left = MaxItem, maxValues
			token, err := dec.Token()
			if errors.Is(err, io.EOF) && n > 0 {
				return
			}
			if err != nil {
				yield(Raw{}, xmlError(raw, err))
				return
			}
			start, ok := token.(xml.StartElement)
			if !ok || start.Name.Local != "newsItem" || start.Name.Space != newsNamespace {
				continue
			}
			n++
			var item newsItem
			if err := dec.DecodeElement(&item, &start); err != nil {
				yield(Raw{}, xmlError(raw, err))
				return
			}
			if !yield(item.raw()) {
				return
			}
		}
	}
}

// xmlError says what is wrong in words for whoever sent it. What the reader
// below said, such as that the request is too large, stays as it is.
func xmlError(d *xml.Decoder, err error) error {
	line, _ := d.InputPos()
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errLarge):
		return invalid("", "item before line %d is over %d bytes", line, MaxItem)
	case errors.Is(err, errMany):
		return invalid("", "item before line %d has more than %d elements", line, maxValues)
	case errors.Is(err, errDeep):
		return invalid("", "line %d is nested deeper than %d", line, maxNesting)
	case errors.Is(err, io.EOF):
		return invalid("", "no newsItem of NewsML-G2 (namespace %s) in it", newsNamespace)
	case errors.As(err, &syntax):
		return invalid("", "not XML at line %d: %.200s", syntax.Line, syntax.Msg)
	case strings.HasPrefix(err.Error(), "xml: "):
		return invalid("", "not XML at line %d: %.200s", line, err)
	}
	return fmt.Errorf("reading XML: %w", err)
}

// isNewsML tells whether head is XML of NewsML-G2.
func isNewsML(head []byte) bool {
	return len(head) > 0 && head[0] == '<' && bytes.Contains(head, []byte(newsNamespace))
}
