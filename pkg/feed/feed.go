// Package feed reads what publishers announce their articles in: RSS 0.9x, 1.0
// and 2.0, Atom 0.3 and 1.0, JSON Feed, sitemaps and news sitemaps. It is made
// for what is met in the wild: a document that is not well-formed gives the
// items that a reader would see in it.
package feed

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Bounds on a document.
const (
	MaxSize  = 16 << 20 // bytes
	MaxItems = 50_000   // also sitemaps.org's bound
	maxDepth = 100      // elements, but for those within text
)

// Errors that tell what a document is or lacks. All but ErrNotFeed come with
// what was read up to there.
var (
	ErrNotFeed   = errors.New("no feed: the document is not RSS, Atom, JSON Feed or a sitemap")
	ErrTruncated = errors.New("the feed is cut off")
	ErrTooLarge  = fmt.Errorf("the feed is over %d bytes", MaxSize)
	ErrTooMany   = fmt.Errorf("the feed has over %d items", MaxItems)
	ErrTooDeep   = fmt.Errorf("the feed is nested deeper than %d elements", maxDepth)
)

// Kind is a family of feeds.
type Kind string

// The kinds of feeds.
const (
	RSS          Kind = "rss" // also RDF
	Atom         Kind = "atom"
	JSON         Kind = "json"
	Sitemap      Kind = "sitemap" // also news sitemaps
	SitemapIndex Kind = "sitemap index"
)

// Feed is a document with its items in the document's order. Titles are text on
// one line. Addresses are absolute wherever the document or its address tell a
// base; others are empty.
type Feed struct {
	Kind     Kind
	Title    string
	Link     string   // of the site
	Self     string   // of the feed, by its own word
	Hub      string   // of WebSub
	Next     string   // the next page (RFC 5005, JSON Feed)
	Language string   // as it was given
	Sitemaps []string // what a sitemap index names
	Items    []Item
}

// Item is an entry of a feed.
type Item struct {
	GUID        string
	URL         string
	Title       string
	Content     string    // the whole text in HTML, where the feed has it
	Summary     string    // in HTML
	Author      string    // names, apart by commas
	Language    string    // as it was given, of the item or else of the feed
	Publication string    // the publisher's name in a news sitemap
	Published   time.Time // zero means unknown
	Updated     time.Time // zero means unknown
}

// Options is what is known of a document beside its text. The zero value is
// usable.
type Options struct {
	ContentType string   // for its charset; whatever else it says does not count
	URL         *url.URL // where the document was found, the base of its addresses
}

// Read reads a feed. With an error other than [ErrNotFeed] and those of r comes
// what was read before it.
func Read(r io.Reader, o Options) (*Feed, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading feed: %w", err)
	}
	return Parse(b, o)
}

// Parse is [Read] of a document in memory. It keeps nothing of b.
func Parse(b []byte, o Options) (*Feed, error) {
	long := len(b) > MaxSize
	s := decode(b[:min(len(b), MaxSize)], o.ContentType)
	trimmed := strings.TrimLeft(s, " \t\r\n")
	var f *Feed
	var err error
	if strings.HasPrefix(trimmed, "{") {
		f, err = parseJSON(trimmed, o)
	} else {
		f, err = parseXML(s, o)
	}
	if long && f != nil {
		return f, ErrTooLarge
	}
	return f, err
}

// Sniff tells the kind of the feed that begins with head, empty where it is
// none. A JSON Feed is told by its version.
func Sniff(head []byte) Kind {
	s := decode(head, "")
	if trimmed := strings.TrimLeft(s, " \t\r\n"); strings.HasPrefix(trimmed, "{") {
		if strings.Contains(strings.ReplaceAll(trimmed, `\/`, "/"), "jsonfeed.org/version/") {
			return JSON
		}
		return ""
	}
	z := scanner{s: s}
	for {
		t, ok := z.next()
		if !ok {
			return ""
		}
		if t.kind == startTag {
			return rootKind(t.name)
		}
	}
}

// rootKind tells a feed by the name of its outermost element.
func rootKind(name string) Kind {
	switch name[strings.LastIndexByte(name, ':')+1:] {
	case "rss", "rdf", "channel":
		return RSS
	case "feed":
		return Atom
	case "urlset":
		return Sitemap
	case "sitemapindex":
		return SitemapIndex
	}
	return ""
}

// base is what the addresses of f are relative to.
func (f *Feed) base(o Options) *url.URL {
	for _, s := range []string{f.Self, f.Link} {
		if o.URL == nil {
			if u, err := url.Parse(tidyAddress(s)); err == nil && u.IsAbs() {
				return u
			}
		}
	}
	return o.URL
}
