package article

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// Form is a way of writing articles that Marsad accepts.
type Form uint8

// The accepted forms.
const (
	JSON   Form = iota // one object, or an array of objects
	NDJSON             // an object a line, blank lines are skipped
	Text               // plain text, the first line is the title
	Ninjs              // IPTC ninjs 1.x to 3.x, one object or an array
	JSONLD             // schema.org's NewsArticle: an object, an array or a @graph
	NewsML             // IPTC NewsML-G2: a newsItem or a newsMessage
	Mail               // one message of RFC 5322 and MIME
	Feed               // RSS, Atom, JSON Feed or a news sitemap: its items
	XML                // NewsML-G2 or a feed, told by the outermost element

	newsMLInUTF8 // what was decoded, whatever its XML declaration says
	feedInUTF8
	xmlInUTF8
)

// MaxItem bounds one article as it comes in, in bytes: MaxText with room for
// JSON's escapes.
const MaxItem = 8 << 20

// accepted are the media types of the forms, for errors.
const accepted = "application/json, application/x-ndjson, text/plain, application/vnd.iptc.ninjs+json, application/ld+json, " +
	"application/vnd.iptc.g2.newsitem+xml, application/vnd.iptc.g2.newsmessage+xml, application/rss+xml, application/atom+xml, " +
	"application/rdf+xml, application/feed+json, application/xml or message/rfc822"

// FormOf reads a Content-Type header. The decoder turns the text into UTF-8;
// it is nil where it is UTF-8 already.
func FormOf(contentType string) (Form, *encoding.Decoder, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, nil, invalid("", "Content-Type %.80q is not a media type", contentType)
	}
	var f Form
	switch kind {
	case "application/json":
		f = JSON
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		f = NDJSON
	case "text/plain":
		f = Text
	case "application/vnd.iptc.ninjs+json":
		f = Ninjs
	case "application/ld+json":
		f = JSONLD
	case "application/vnd.iptc.g2.newsitem+xml", "application/vnd.iptc.g2.newsmessage+xml":
		f = NewsML
	case "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json":
		f = Feed
	case "application/xml", "text/xml":
		f = XML
	case "message/rfc822":
		return Mail, nil, nil // its parts say their charsets
	default:
		return 0, nil, invalid("", "Content-Type %.80q is not accepted: send %s", kind, accepted)
	}
	charset := strings.ToLower(params["charset"])
	if charset != "" {
		f = f.inUTF8()
	}
	if charset == "" || charset == "utf-8" || charset == "utf8" {
		return f, nil, nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return 0, nil, invalid("", "charset %.40q is not known", charset)
	}
	return f, enc.NewDecoder(), nil
}

// inUTF8 is the form of a text that was decoded: the header's charset comes
// before that of the XML declaration (RFC 7303).
func (f Form) inUTF8() Form {
	switch f {
	case NewsML:
		return newsMLInUTF8
	case Feed:
		return feedInUTF8
	case XML:
		return xmlInUTF8
	}
	return f
}

// Sniff guesses the form from the first bytes: a { with a line break after
// its object is NDJSON when another { follows, any other { or [ is JSON, whose
// objects [Read] tells apart; XML in the namespace of NewsML-G2 is that, XML of
// a feed's name is Feed, a mail's header is Mail, all else is text.
func Sniff(head []byte) Form {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	switch {
	case isNewsML(head):
		return NewsML
	case isFeed(head):
		return Feed
	case isMail(head):
		return Mail
	case len(head) == 0 || head[0] != '{' && head[0] != '[':
		return Text
	}
	if line, rest, ok := bytes.Cut(head, []byte("\n")); head[0] == '{' && ok && json.Valid(line) && len(bytes.TrimSpace(rest)) > 0 {
		return NDJSON
	}
	return JSON
}

// Read yields the articles in r, in order, each with its error where it cannot
// be decoded; the articles after it still come. An error that ends the reading
// is yielded last. At most one item is held in memory. The raws are not yet
// checked: see [Raw.Clean].
//
// In JSON and NDJSON, objects that are ninjs, schema.org's JSON-LD or a JSON
// Feed beyond doubt are read as such. Foreign forms give a Source with a name but without
// an id: see [Raw.NameSource].
func Read(r io.Reader, form Form) iter.Seq2[Raw, error] {
	switch form {
	case Text:
		return readText(r)
	case NDJSON:
		return readLines(r)
	case NewsML, newsMLInUTF8:
		return readNewsML(r, form == newsMLInUTF8)
	case Feed:
		return readFeed(r, "")
	case feedInUTF8:
		return readFeed(r, inUTF8)
	case XML, xmlInUTF8:
		return readXML(r, form == xmlInUTF8)
	case Mail:
		return readWhole(r, func(b []byte, yield func(Raw, error) bool) bool { return yield(decodeMail(b)) })
	case Ninjs:
		return readJSON(r, func(b []byte, yield func(Raw, error) bool) bool { return yield(decodeNinjs(b)) })
	case JSONLD:
		return readWhole(r, decodeJSONLD) // its nodes may refer to each other
	}
	return readJSON(r, decodeObject)
}

// ReadOne reads a record that is one article in some form. A record with none
// or several is an error.
func ReadOne(b []byte, form Form) (Raw, error) {
	if (form == JSON || form == NDJSON) && !isNinjs(b) && !isJSONLD(b) && !isJSONFeed(b) {
		return DecodeRaw(b)
	}
	if form == NDJSON {
		form = JSON
	}
	var first Raw
	n := 0
	for r, err := range Read(bytes.NewReader(b), form) {
		if err != nil {
			return Raw{}, err
		}
		if n++; n > 1 {
			return Raw{}, invalid("", "record has several articles: write a record for each")
		}
		first = r
	}
	if n == 0 {
		return Raw{}, invalid("", "there is no article in the record")
	}
	return first, nil
}

// decodeObject reads an object of Marsad's own JSON, unless it is of another
// form beyond doubt.
func decodeObject(b []byte, yield func(Raw, error) bool) bool {
	switch {
	case isNinjs(b):
		return yield(decodeNinjs(b))
	case isJSONLD(b):
		return decodeJSONLD(b, yield)
	case isJSONFeed(b):
		return decodeFeed(b, "", yield)
	}
	return yield(DecodeRaw(b))
}

func readText(r io.Reader) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		b, err := io.ReadAll(io.LimitReader(r, MaxItem+1))
		switch i := firstInvalidUTF8(b); {
		case err != nil:
			yield(Raw{}, fmt.Errorf("reading text: %w", err))
		case len(b) > MaxItem:
			yield(Raw{}, invalid("", "text is over %d bytes", MaxItem))
		case i >= 0:
			yield(Raw{}, invalid("", "not UTF-8: byte 0x%02x at offset %d; send UTF-8 or name the charset in Content-Type", b[i], i))
		default:
			yield(RawFromText(string(b)), nil)
		}
	}
}

// readWhole reads a document that is decoded as a whole.
func readWhole(r io.Reader, decode func(b []byte, yield func(Raw, error) bool) bool) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		b, err := io.ReadAll(io.LimitReader(r, MaxItem+1))
		switch {
		case err != nil:
			yield(Raw{}, fmt.Errorf("reading document: %w", err))
		case len(b) > MaxItem:
			yield(Raw{}, invalid("", "document is over %d bytes: send it in parts", MaxItem))
		default:
			decode(b, yield)
		}
	}
}

func readLines(r io.Reader) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			line, err := readLine(br)
			if err != nil && !errors.Is(err, errLong) && !errors.Is(err, io.EOF) {
				yield(Raw{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if n == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			switch {
			case errors.Is(err, errLong):
				if !yield(Raw{}, invalid("", "line %d is over %d bytes", n, MaxItem)) {
					return
				}
			case len(bytes.TrimSpace(line)) > 0:
				more := decodeObject(line, func(raw Raw, err error) bool {
					if err != nil {
						err = fmt.Errorf("line %d: %w", n, err)
					}
					return yield(raw, err)
				})
				if !more {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
		}
	}
}

// errLong marks a line over MaxItem.
var errLong = errors.New("line too long")

// readLine reads up to a line break. A line over MaxItem is skipped whole, with
// errLong. The last line comes with io.EOF.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := br.ReadSlice('\n')
		if len(line)+len(part) > MaxItem {
			long, line = true, nil
		}
		if !long {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long && err == nil {
			return nil, errLong
		}
		return line, err
	}
}

// readJSON reads an object or an array of them; decode yields what an object
// holds and tells whether to go on.
func readJSON(r io.Reader, decode func(b []byte, yield func(Raw, error) bool) bool) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		if bom, _ := br.Peek(3); string(bom) == "\ufeff" {
			_, _ = br.Discard(3) // was peeked
		}
		first, err := firstByte(br)
		if err != nil {
			yield(Raw{}, invalid("", "empty: send a JSON object, or an array of them"))
			return
		}
		if first != '[' {
			b, err := io.ReadAll(io.LimitReader(br, MaxItem+1))
			switch {
			case err != nil:
				yield(Raw{}, fmt.Errorf("reading JSON: %w", err))
			case len(b) > MaxItem:
				yield(Raw{}, invalid("", "object is over %d bytes", MaxItem))
			default:
				decode(b, yield)
			}
			return
		}
		dec := json.NewDecoder(br)
		if _, err := dec.Token(); err != nil {
			yield(Raw{}, invalid("", "not JSON: %s", err))
			return
		}
		for dec.More() {
			var item json.RawMessage
			if err := dec.Decode(&item); err != nil {
				yield(Raw{}, invalid("", "not JSON after byte %d: %s", dec.InputOffset(), err))
				return
			}
			if !decode(item, yield) {
				return
			}
		}
		if _, err := dec.Token(); err != nil {
			yield(Raw{}, invalid("", "array is not closed: %s", err))
		}
	}
}

// firstByte gives the first byte that is not white space, unread.
func firstByte(br *bufio.Reader) (byte, error) {
	for {
		c, err := br.ReadByte()
		if err != nil {
			return 0, err
		}
		if !strings.ContainsRune(" \t\r\n", rune(c)) {
			return c, br.UnreadByte()
		}
	}
}
