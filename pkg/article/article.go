// Package article holds the records that cross service boundaries: what came
// in (Raw) and what Marsad makes of it (Article), with their JSON codec.
package article

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// SchemaVersion is the version written into every record. Changes within a
// version are additive; a reader refuses a higher version with [ErrSchema].
const SchemaVersion = 1

// MaxGeneration is the highest enrichment generation that fits beside the
// revision in [Article.Version].
const MaxGeneration = 1<<20 - 1

// Status says whether an article may be shown. The values are those of ninjs
// "pubstatus" (IPTC ninjs 3.1).
type Status string

// The values of Status.
const (
	Usable   Status = "usable"   // may be published
	Withheld Status = "withheld" // not to be shown until a later revision says usable
	Canceled Status = "canceled" // retracted for good: no text is kept from here on
)

// Source is the publisher an article came from.
type Source struct {
	ID      string `json:"id"`                // stable; the key of articles.raw
	Name    string `json:"name,omitempty"`    // as shown to people
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2, upper case
}

// Raw is an article as it came in, before it has an identity. Only Source.ID,
// Received and one of Title and Body are always there; a retraction
// (Status canceled) may have neither.
type Raw struct {
	Schema    int       `json:"schema"`
	Source    Source    `json:"source"`
	GUID      string    `json:"guid,omitempty"` // the publisher's own identifier
	URL       string    `json:"url,omitempty"`
	Title     string    `json:"title,omitempty"`
	Body      string    `json:"body,omitempty"` // plain text, paragraphs apart by line breaks
	Byline    string    `json:"byline,omitempty"`
	Language  string    `json:"language,omitempty"` // BCP 47, as the publisher gave it
	Status    Status    `json:"status,omitempty"`   // empty means usable
	Published time.Time `json:"published,omitzero"` // zero means unknown
	Embargoed time.Time `json:"embargoed,omitzero"` // not to be shown before; zero means no embargo
	Received  time.Time `json:"received"`           // arrival at Marsad's door
}

// Article is a news article with its identity and, after enrichment, what it
// is about. Offsets in it count Unicode code points of Title and Body.
type Article struct {
	Schema         int       `json:"schema"`
	ID             string    `json:"id"`         // minted at first sight, the same for all revisions
	Revision       int64     `json:"revision"`   // 1, 2, 3 … a change of content gives the next
	Generation     int64     `json:"generation"` // enrichment generation, 0 before enrichment
	Bucket         string    `json:"bucket"`     // YYYY-MM of FirstPublished, clamped; names the monthly index
	Status         Status    `json:"status"`
	Language       string    `json:"language,omitempty"` // BCP 47; "und" where it cannot be told
	Source         Source    `json:"source"`
	GUID           string    `json:"guid,omitempty"`
	URL            string    `json:"url,omitempty"`
	Title          string    `json:"title,omitempty"`
	Body           string    `json:"body,omitempty"`
	Byline         string    `json:"byline,omitempty"`
	Published      time.Time `json:"published"`       // of this revision; the time of arrival where unknown
	FirstPublished time.Time `json:"first_published"` // of the first revision seen
	Embargoed      time.Time `json:"embargoed,omitzero"`
	Received       time.Time `json:"received"` // arrival of this revision at Marsad's door
	Enriched       time.Time `json:"enriched,omitzero"`
	Entities       []Entity  `json:"entities,omitempty"`
	Topics         []Topic   `json:"topics,omitempty"`
}

// EntityType is the kind of thing an entity is.
type EntityType string

// The values of EntityType.
const (
	Person       EntityType = "person"
	Organisation EntityType = "organisation"
	Place        EntityType = "place"
	Event        EntityType = "event"
	Work         EntityType = "work"
	Product      EntityType = "product"
)

// Entity is somebody or something that an article names, under one id for all
// languages and scripts.
type Entity struct {
	ID       string            `json:"id"`            // Wikidata Q-id where known, else a stable local id
	QID      string            `json:"qid,omitempty"` // Wikidata Q-id where known
	Type     EntityType        `json:"type"`
	Name     string            `json:"name"`             // label in the article's language, else as mentioned
	Labels   map[string]string `json:"labels,omitempty"` // by language: ar, fr, en
	Count    int               `json:"count"`            // mentions
	Salience float64           `json:"salience"`         // share of the article's attention, 0 to 1
	Location *Location         `json:"location,omitempty"`
	Country  string            `json:"country,omitempty"` // ISO 3166-1 alpha-2, of places
	By       string            `json:"by"`                // what gave it: a rule, name list or model
	Mentions []Mention         `json:"mentions"`
}

// Location is a point on the globe, WGS 84 degrees.
type Location struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Mention is one place in the text that names an entity. Start and End count
// Unicode code points of the field, End exclusive, as in the W3C Web
// Annotation text position selector.
type Mention struct {
	Field string `json:"field"` // "title" or "body"
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"` // exactly the text between Start and End
}

// Topic is a subject of an article, an IPTC Media Topic.
type Topic struct {
	ID       string   `json:"id"`                // "medtop:" and eight digits
	Name     string   `json:"name"`              // IPTC's English label, in all articles; other languages by id
	Broader  []string `json:"broader,omitempty"` // nearest first
	Score    float64  `json:"score"`             // 0 to 1
	Evidence []string `json:"evidence"`          // the words that gave it
}

// Version orders the states of an article: a higher one replaces a lower one
// in the index. It rises with the revision first, the generation second.
func (a *Article) Version() int64 { return a.Revision<<20 | a.Generation&MaxGeneration }

// Redact takes away what a reader must not see once the article is withheld
// or canceled: text, links and all that was derived from the text.
func (a *Article) Redact() {
	a.Title, a.Body, a.Byline, a.URL = "", "", "", ""
	a.Entities, a.Topics = nil, nil
}

// NameSource gives r the id of a source where it has none: named, which the
// sender gave for all; else one made of the source's name, in lower case with
// hyphens; else fallback.
func (r *Raw) NameSource(named, fallback string) {
	if strings.TrimSpace(r.Source.ID) != "" {
		return
	}
	if r.Source.ID = named; named == "" {
		r.Source.ID = sourceID(r.Source.Name)
	}
	if r.Source.ID == "" {
		r.Source.ID = fallback
	}
}

// sourceID makes an id of a name: its letters, marks and digits.
func sourceID(name string) string {
	words := strings.FieldsFunc(strings.ToLower(cleanText(name)), func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsMark(c) && !unicode.IsDigit(c)
	})
	id := strings.Join(words, "-")
	if len(id) > MaxSourceID {
		id = strings.ToValidUTF8(id[:MaxSourceID], "")
	}
	return id
}

// ContentHash names the content of r: two raws of the same article with the
// same hash are one revision. Times of publication and arrival do not count.
func (r *Raw) ContentHash() string {
	h := sha256.New()
	embargoed := ""
	if !r.Embargoed.IsZero() {
		embargoed = r.Embargoed.UTC().Format(time.RFC3339Nano)
	}
	for _, s := range []string{r.Title, r.Body, r.Byline, r.Language, string(r.status()), embargoed} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// TextHash names the text of r alone, whatever its status and language: how a
// copy under another URL of the same source is told.
func (r *Raw) TextHash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s%d:%s", len(r.Title), r.Title, len(r.Body), r.Body)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (r *Raw) status() Status {
	if r.Status == "" {
		return Usable
	}
	return r.Status
}
