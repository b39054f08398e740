package article

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ninjsOut is an article in IPTC ninjs 3.1, with no property that its schema
// does not have.
type ninjsOut struct {
	Standard       ninjsStandard    `json:"standard"`
	URI            string           `json:"uri"`
	Type           string           `json:"type"`
	Version        string           `json:"version"`
	FirstCreated   time.Time        `json:"firstCreated"`
	VersionCreated time.Time        `json:"versionCreated"`
	EmbargoedUntil time.Time        `json:"embargoedUntil,omitzero"`
	PubStatus      Status           `json:"pubStatus"`
	Language       string           `json:"language,omitempty"`
	Headlines      []ninjsText      `json:"headlines,omitempty"`
	Bodies         []ninjsText      `json:"bodies,omitempty"`
	By             string           `json:"by,omitempty"`
	InfoSources    []ninjsThing     `json:"infoSources,omitempty"`
	AltIDs         []ninjsAltID     `json:"altIds"`
	Renditions     []ninjsRendition `json:"renditions,omitempty"`
	People         []ninjsThing     `json:"people,omitempty"`
	Organisations  []ninjsThing     `json:"organisations,omitempty"`
	Places         []ninjsThing     `json:"places,omitempty"`
	Events         []ninjsThing     `json:"events,omitempty"`
	Objects        []ninjsThing     `json:"objects,omitempty"`
	Subjects       []ninjsThing     `json:"subjects,omitempty"`
}

type ninjsStandard struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Schema  string `json:"schema"`
}

type ninjsAltID struct {
	Role  string `json:"role"`
	Value string `json:"value"`
}

type ninjsRendition struct {
	Name        string `json:"name"`
	Href        string `json:"href"`
	ContentType string `json:"contentType"`
}

// ninjsThing is a person, place, subject and so on. Not all have all the
// properties in the schema; those that a kind does not have stay empty.
type ninjsThing struct {
	Name       string      `json:"name,omitempty"`
	Rel        string      `json:"rel,omitempty"`
	Role       string      `json:"role,omitempty"`
	URI        string      `json:"uri,omitempty"`
	Literal    string      `json:"literal,omitempty"`
	Confidence *int        `json:"confidence,omitempty"` // 0 to 100
	GeoJSON    *ninjsPoint `json:"geoJSON,omitempty"`
}

type ninjsPoint struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"` // longitude, latitude
}

// EncodeNinjs writes a as one line of IPTC ninjs 3.1 without the line break.
// uri is the publisher's own identifier where that is a URI, else one made of
// a.ID, which is in altIds with the role "marsad" in any case. Entities are
// given by their Wikidata address, topics by that of IPTC. The address of the
// page is a rendition with the name "web"; an address that is no absolute URI
// is left out.
func EncodeNinjs(a *Article) ([]byte, error) {
	n := ninjsOut{
		Standard: ninjsStandard{Name: "ninjs", Version: "3.1", Schema: "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json"},
		URI:      a.GUID, Type: "text", Version: strconv.FormatInt(a.Revision, 10),
		FirstCreated: a.FirstPublished, VersionCreated: a.Published, EmbargoedUntil: a.Embargoed,
		PubStatus: a.Status, Language: a.Language, By: a.Byline,
		InfoSources: []ninjsThing{{Name: a.Source.Name, Role: "publisher", Literal: a.Source.ID}},
		AltIDs:      []ninjsAltID{{Role: "marsad", Value: a.ID}},
	}
	if !isURI(n.URI) {
		n.URI = "urn:x-marsad:" + url.PathEscape(a.ID)
	}
	if a.Title != "" {
		n.Headlines = []ninjsText{{Role: "main", ContentType: "text/plain", Value: a.Title}}
	}
	if a.Body != "" {
		n.Bodies = []ninjsText{{Role: "main", ContentType: "text/plain", Value: a.Body}}
	}
	if isURI(a.URL) {
		n.Renditions = []ninjsRendition{{Name: "web", Href: a.URL, ContentType: "text/html"}}
	}
	for i := range a.Entities {
		n.entity(&a.Entities[i])
	}
	for _, t := range a.Topics {
		confidence := int(math.Round(100 * min(max(t.Score, 0), 1)))
		n.Subjects = append(n.Subjects, ninjsThing{
			Name: t.Name, Rel: "about", Confidence: &confidence,
			URI: "http://cv.iptc.org/newscodes/mediatopic/" + strings.TrimPrefix(t.ID, "medtop:"),
		})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(n); err != nil {
		return nil, fmt.Errorf("encoding ninjs: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// entity adds e to the list of its kind.
func (n *ninjsOut) entity(e *Entity) {
	t := ninjsThing{Name: e.Name, Rel: "mentions"}
	if t.Literal = e.ID; e.QID != "" {
		t.URI, t.Literal = "http://www.wikidata.org/entity/"+e.QID, ""
	}
	list := &n.Objects
	switch e.Type {
	case Person:
		list = &n.People
	case Organisation:
		list = &n.Organisations
	case Event:
		list = &n.Events
	case Place:
		list = &n.Places
		if e.Location != nil {
			t.GeoJSON = &ninjsPoint{Type: "Point", Coordinates: [2]float64{e.Location.Lon, e.Location.Lat}}
		}
	}
	*list = append(*list, t)
}

// isURI tells whether s is an absolute URI.
func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && !strings.ContainsAny(s, " \n\t<>\"")
}
