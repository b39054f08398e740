package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// scalar is a string, or a number in its place. Anything else is empty.
type scalar string

// UnmarshalJSON never fails, so that one bad field costs no item.
func (s *scalar) UnmarshalJSON(b []byte) error {
	var text string
	switch {
	case json.Unmarshal(b, &text) == nil:
		*s = scalar(clean(text))
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		*s = scalar(b)
	}
	return nil
}

// jsonItem is an item of JSON Feed 1.1, with the author of 1.0.
type jsonItem struct {
	ID        scalar          `json:"id"`
	URL       scalar          `json:"url"`
	External  scalar          `json:"external_url"`
	Title     scalar          `json:"title"`
	HTML      scalar          `json:"content_html"`
	Text      scalar          `json:"content_text"`
	Summary   scalar          `json:"summary"`
	Published scalar          `json:"date_published"`
	Modified  scalar          `json:"date_modified"`
	Language  scalar          `json:"language"`
	Author    json.RawMessage `json:"author"`
	Authors   json.RawMessage `json:"authors"`
}

// jsonFeed is what is outside the items.
type jsonFeed struct {
	version, title, home, self, next, language scalar
	authors                                    string
	items                                      []jsonItem
	listed                                     bool // has items, be they none
}

// parseJSON reads a JSON Feed; what comes after a mistake is lost.
func parseJSON(s string, o Options) (*Feed, error) {
	var j jsonFeed
	err := j.read(json.NewDecoder(strings.NewReader(s)))
	if !strings.Contains(string(j.version), "jsonfeed.org/version/") && !(j.listed && j.version == "" && (j.title != "" || j.home != "")) {
		return nil, ErrNotFeed
	}
	f := &Feed{Kind: JSON, Title: value{text: string(j.title), kind: "text"}.line(), Language: langOf(string(j.language))}
	f.Self = address(string(j.self), "", o.URL)
	f.Link = address(string(j.home), "", f.base(o))
	f.Next = address(string(j.next), "", f.base(o))
	base := f.base(o)
	for _, it := range j.items {
		item := it.item(base)
		item.Author = firstOf(item.Author, j.authors)
		item.Language = firstOf(item.Language, f.Language)
		f.Items = append(f.Items, item)
	}
	return f, err
}

// read goes over the object's members.
func (j *jsonFeed) read(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return jsonError(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return jsonError(err)
		}
		if key == "items" {
			err = j.readItems(d)
		} else {
			err = j.member(d, key)
		}
		if err != nil {
			return jsonError(err)
		}
	}
	_, err := d.Token()
	return jsonError(err)
}

func (j *jsonFeed) member(d *json.Decoder, key json.Token) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	into := map[json.Token]*scalar{"version": &j.version, "title": &j.title, "home_page_url": &j.home, "feed_url": &j.self,
		"next_url": &j.next, "language": &j.language}[key]
	switch {
	case into != nil:
		return into.UnmarshalJSON(raw)
	case key == "authors", key == "author":
		j.authors = firstOf(j.authors, jsonAuthors(raw))
	}
	return nil
}

func (j *jsonFeed) readItems(d *json.Decoder) error {
	open, err := d.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('[') {
		return errors.New("items is no array")
	}
	j.listed = true
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if len(j.items) >= MaxItems {
			return ErrTooMany
		}
		var item jsonItem
		if json.Unmarshal(raw, &item) == nil && raw[0] == '{' {
			j.items = append(j.items, item)
		}
	}
	_, err = d.Token()
	return err
}

// jsonError says what is wrong with the document.
func jsonError(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrTooMany), errors.Is(err, ErrTruncated):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	}
	return fmt.Errorf("the feed is no good JSON: %w", err)
}

func (it *jsonItem) item(base *url.URL) Item {
	item := Item{
		GUID:     strings.TrimSpace(string(it.ID)),
		URL:      firstOf(address(string(it.URL), "", base), address(string(it.External), "", base)),
		Title:    value{text: string(it.Title), kind: "text"}.line(),
		Content:  firstOf(string(it.HTML), value{text: string(it.Text), kind: "text"}.markup()),
		Summary:  value{text: string(it.Summary), kind: "text"}.markup(),
		Author:   firstOf(jsonAuthors(it.Authors), jsonAuthors(it.Author)),
		Language: langOf(string(it.Language)),
	}
	if item.URL == "" && absolute(item.GUID) {
		item.URL = item.GUID
	}
	item.Published, _ = parseDate(string(it.Published))
	item.Updated, _ = parseDate(string(it.Modified))
	return item
}

// jsonAuthors reads an author or an array of them.
func jsonAuthors(raw json.RawMessage) string {
	const maxRaw = 64 << 10
	if len(raw) == 0 || len(raw) > maxRaw {
		return ""
	}
	var f fields
	type author struct {
		Name scalar `json:"name"`
	}
	var many []author
	var one author
	var name scalar
	switch {
	case json.Unmarshal(raw, &many) == nil:
		for _, a := range many {
			f.addAuthor(oneLine(string(a.Name)))
		}
	case json.Unmarshal(raw, &one) == nil:
		f.addAuthor(oneLine(string(one.Name)))
	case json.Unmarshal(raw, &name) == nil:
		f.addAuthor(oneLine(string(name)))
	}
	return strings.Join(f.authors, ", ")
}
