package article

import (
	"bytes"
	"encoding/json"
	"strings"
)

// ninjsDoc holds the properties of IPTC ninjs that Marsad takes, of 1.x, 2.x
// and 3.x: what they spell differently by case alone (versioncreated,
// versionCreated) is one field here, since encoding/json does not look at case.
type ninjsDoc struct {
	URI            string          `json:"uri"`
	Type           string          `json:"type"`
	PubStatus      string          `json:"pubStatus"`
	Language       string          `json:"language"`
	VersionCreated string          `json:"versionCreated"`
	ContentCreated string          `json:"contentCreated"`
	FirstCreated   string          `json:"firstCreated"`
	Embargoed      string          `json:"embargoed"`      // 1.x, 2.x
	EmbargoedUntil string          `json:"embargoedUntil"` // 3.x
	Headlines      []ninjsText     `json:"headlines"`      // 2.x, 3.x
	Headline       string          `json:"headline"`       // 1.x
	Title          string          `json:"title"`
	Bodies         []ninjsText     `json:"bodies"`    // 2.x, 3.x
	BodyText       string          `json:"body_text"` // 1.x
	BodyXHTML      string          `json:"body_xhtml"`
	BodyHTML       string          `json:"body_html"`
	Byline         string          `json:"byline"` // 1.x
	By             string          `json:"by"`     // 2.x, 3.x
	Bylines        json.RawMessage `json:"bylines"`
	URL            json.RawMessage `json:"url"`
	URLs           json.RawMessage `json:"urls"`
	Link           json.RawMessage `json:"link"`
	Provider       json.RawMessage `json:"provider"`
	InfoSources    []ninjsParty    `json:"infoSources"` // 2.x, 3.x
	InfoSource     []ninjsParty    `json:"infosource"`  // 1.x
	Organisations  []ninjsParty    `json:"organisations"`
	Organisation   []ninjsParty    `json:"organisation"`
}

type ninjsText struct {
	Role        string `json:"role,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Value       string `json:"value"`
}

type ninjsParty struct {
	Name string `json:"name"`
	Role string `json:"role"`
	Rel  string `json:"rel"`
}

// isNinjs tells whether a JSON object is ninjs beyond doubt: it says so, or
// has a uri beside headlines or bodies. It is cheap on other objects.
func isNinjs(b []byte) bool {
	if !bytes.Contains(b, []byte(`"ninjs"`)) && !bytes.Contains(b, []byte(`"uri"`)) {
		return false
	}
	var probe struct {
		URI       json.RawMessage `json:"uri"`
		Headlines json.RawMessage `json:"headlines"`
		Bodies    json.RawMessage `json:"bodies"`
		Standard  struct {
			Name string `json:"name"`
		} `json:"standard"`
	}
	if json.Unmarshal(b, &probe) != nil {
		return false
	}
	return strings.EqualFold(probe.Standard.Name, "ninjs") || probe.URI != nil && (probe.Headlines != nil || probe.Bodies != nil)
}

// decodeNinjs reads one object of ninjs 1.x, 2.x or 3.x. Properties that have
// no counterpart in Raw are ignored. Errors name the property as ninjs 3.1
// spells it.
func decodeNinjs(b []byte) (Raw, error) {
	var d ninjsDoc
	if err := unmarshal(b, &d); err != nil {
		return Raw{}, err
	}
	r := Raw{Schema: SchemaVersion, GUID: strings.TrimSpace(d.URI), Title: d.headline(), Body: d.body(), Language: d.Language}
	var err error
	if r.Status, err = parseStatus("pubStatus", d.PubStatus); err != nil {
		return Raw{}, err
	}
	if r.Published, err = firstTime("versionCreated", d.VersionCreated, "contentCreated", d.ContentCreated, "firstCreated", d.FirstCreated); err != nil {
		return Raw{}, err
	}
	if r.Embargoed, err = firstTime("embargoedUntil", d.EmbargoedUntil, "embargoedUntil", d.Embargoed); err != nil {
		return Raw{}, err
	}
	if r.Byline, err = d.byline(); err != nil {
		return Raw{}, err
	}
	if r.URL, err = d.url(); err != nil {
		return Raw{}, err
	}
	if r.Source.Name, err = d.source(); err != nil {
		return Raw{}, err
	}
	return r, d.check(&r)
}

// check refuses what is no ninjs text.
func (d *ninjsDoc) check(r *Raw) error {
	switch d.Type {
	case "", "text", "audio", "video", "picture", "graphic", "composite", "component":
	case "event", "planning":
		return invalid("type", "is %q: only published news is taken", d.Type)
	default:
		return invalid("type", "is %.40q, which ninjs does not have", d.Type)
	}
	switch {
	case r.GUID == "":
		return invalid("uri", "missing: ninjs requires it")
	case r.Title == "" && r.Body == "" && r.Status == Usable:
		return invalid("headlines", "and bodies are both empty: give at least one")
	}
	return nil
}

// headline is the headline of role main, else the first, else title.
func (d *ninjsDoc) headline() string {
	main, first := "", ""
	for _, h := range d.Headlines {
		s := strings.Join(strings.Fields(plain(h.Value, h.ContentType)), " ")
		if main == "" && strings.EqualFold(h.Role, "main") {
			main = s
		}
		if first == "" {
			first = s
		}
	}
	return firstOf(main, first, d.Headline, d.Title)
}

// body is the main body in plain text, else another in plain text, else one in
// HTML or XHTML as text.
func (d *ninjsDoc) body() string {
	best, rank := "", 0
	for _, t := range d.Bodies {
		s := plain(t.Value, t.ContentType)
		if n := t.rank(); s != "" && n > rank {
			best, rank = s, n
		}
	}
	if best == "" {
		best = strings.TrimSpace(d.BodyText)
	}
	if best == "" {
		best = textOfHTML(firstOf(d.BodyXHTML, d.BodyHTML))
	}
	return best
}

// rank is higher the better a body is for reading; 0 is of no use.
func (t *ninjsText) rank() int {
	n := 0
	switch kind, _, _ := strings.Cut(strings.ToLower(t.ContentType), ";"); strings.TrimSpace(kind) {
	case "text/plain":
		n = 8
	case "":
		n = 6
		if looksLikeHTML(t.Value) {
			n = 4
		}
	case "text/html", "application/xhtml+xml":
		n = 4
	case "application/xml", "text/xml", "application/nitf+xml", "text/vnd.iptc.nitf":
		n = 2
	default:
		return 0
	}
	if strings.EqualFold(t.Role, "main") {
		n++
	}
	return n
}

func (d *ninjsDoc) byline() (string, error) {
	if s := firstOf(d.Byline, d.By); s != "" {
		return s, nil
	}
	all, err := stringsIn("bylines", d.Bylines)
	return strings.Join(all, ", "), err
}

func (d *ninjsDoc) url() (string, error) {
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{"url", d.URL}, {"urls", d.URLs}, {"link", d.Link}} {
		if all, err := stringsIn(f.name, f.value); err != nil || len(all) > 0 {
			return firstOf(all...), err
		}
	}
	return "", nil
}

// source names the publisher: provider, else the party whose role or relation
// says that it publishes or provides, else the first source of information
// without a role.
func (d *ninjsDoc) source() (string, error) {
	if all, err := stringsIn("provider", d.Provider); err != nil || len(all) > 0 {
		return firstOf(all...), err
	}
	for _, list := range [][]ninjsParty{d.InfoSources, d.InfoSource, d.Organisations, d.Organisation} {
		for _, p := range list {
			if publishes(p.Role) || publishes(p.Rel) {
				return strings.TrimSpace(p.Name), nil
			}
		}
	}
	for _, p := range append(d.InfoSources, d.InfoSource...) {
		if p.Role == "" && p.Name != "" {
			return strings.TrimSpace(p.Name), nil
		}
	}
	return "", nil
}

func publishes(role string) bool {
	switch strings.ToLower(role[strings.LastIndexAny(role, ":/")+1:]) {
	case "provider", "publisher", "distributor":
		return true
	}
	return false
}

// stringsIn reads a property that is a string, an object with a name, value or
// href, or an array of these. Blank ones are left out.
func stringsIn(field string, b json.RawMessage) ([]string, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || string(b) == "null" {
		return nil, nil
	}
	items := []json.RawMessage{b}
	if b[0] == '[' {
		if json.Unmarshal(b, &items) != nil {
			return nil, invalid(field, "is not readable")
		}
	}
	var out []string
	for _, item := range items {
		var s string
		var o struct{ Name, Value, Href, URL string }
		if json.Unmarshal(item, &s) != nil {
			if json.Unmarshal(item, &o) != nil {
				return nil, invalid(field, "must be a string, an object with a name, value or href, or an array of these")
			}
			s = firstOf(o.Name, o.Value, o.Href, o.URL)
		}
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}
