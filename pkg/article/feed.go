package article

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/marsad-news/marsad/pkg/feed"
)

// inUTF8 is the media type of a document that was decoded, whatever its XML
// declaration says.
const inUTF8 = "application/xml; charset=utf-8"

// sniffed bounds the bytes in which the outermost element is looked for.
const sniffed = 4 << 10

// readFeed reads the items of a feed as articles. What is wrong with the feed
// itself comes last.
func readFeed(r io.Reader, contentType string) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		b, err := io.ReadAll(io.LimitReader(r, feed.MaxSize+1))
		if err != nil {
			yield(Raw{}, fmt.Errorf("reading feed: %w", err))
			return
		}
		decodeFeed(b, contentType, yield)
	}
}

func decodeFeed(b []byte, contentType string, yield func(Raw, error) bool) bool {
	f, err := feed.Parse(b, feed.Options{ContentType: contentType})
	if f == nil {
		return yield(Raw{}, invalid("", "%s", err))
	}
	for i := range f.Items {
		if !yield(rawOfItem(f, i)) {
			return false
		}
	}
	switch {
	case err != nil:
		return yield(Raw{}, invalid("", "after %d items: %s", len(f.Items), err))
	case f.Kind == feed.SitemapIndex:
		return yield(Raw{}, invalid("", "a sitemap index has no articles: send the sitemaps that it names"))
	}
	return true
}

// rawOfItem maps an item. Published is when it was, else when it was updated.
func rawOfItem(f *feed.Feed, i int) (Raw, error) {
	it := &f.Items[i]
	r := Raw{
		Schema:    SchemaVersion,
		Source:    Source{Name: firstOf(it.Publication, f.Title)},
		GUID:      it.GUID,
		URL:       it.URL,
		Title:     it.Title,
		Body:      readable(firstOf(textOfHTML(it.Content), textOfHTML(it.Summary))),
		Byline:    it.Author,
		Language:  it.Language,
		Published: it.Published,
	}
	if r.Published.IsZero() {
		r.Published = it.Updated
	}
	if r.Title == "" && r.Body == "" {
		return Raw{}, invalid(fmt.Sprintf("items[%d]", i), "has neither a title nor a text")
	}
	return r, nil
}

// readable drops control characters, which feeds have and articles must not.
func readable(s string) string {
	if strings.IndexFunc(s, dropped) < 0 {
		return s
	}
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if dropped(c) {
			return -1
		}
		return c
	}, s))
}

func dropped(c rune) bool { return forbiddenRune(c) && c != '\r' }

// isJSONFeed tells whether a JSON object says that it is a JSON Feed. It is cheap
// on other objects.
func isJSONFeed(b []byte) bool {
	if !bytes.Contains(b, []byte("jsonfeed.org")) {
		return false
	}
	var probe struct {
		Version json.RawMessage `json:"version"`
	}
	return json.Unmarshal(b, &probe) == nil && bytes.Contains(probe.Version, []byte("jsonfeed.org"))
}

// isFeed tells whether head begins a feed in XML.
func isFeed(head []byte) bool {
	if len(head) == 0 || head[0] != '<' && head[0] < 0xFE { // UTF-16 has a byte order mark
		return false
	}
	return feed.Sniff(head[:min(len(head), sniffed)]) != ""
}

// readXML reads NewsML-G2 or a feed, whichever it is.
func readXML(r io.Reader, decoded bool) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		br := bufio.NewReaderSize(r, sniffed)
		head, _ := br.Peek(sniffed) // an error comes again with the rest
		switch {
		case isNewsML(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")):
			readNewsML(br, decoded)(yield)
		case decoded:
			readFeed(br, inUTF8)(yield)
		default:
			readFeed(br, "")(yield)
		}
	}
}
