package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
)

// maxKeys bounds the guids and URLs remembered for one article.
const maxKeys = 16

// minCopyText is how many bytes of text make it plain that two articles of a
// source with the same text, but other guid and URL, are one article.
const minCopyText = 200

// key names one way of knowing an article again: a hash of its source and
// guid, canonical URL or text.
type key [16]byte

func (k key) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(k[:])), nil }

func (k *key) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(k) {
		return errors.New("identity key has the wrong length")
	}
	_, err := hex.Decode(k[:], b)
	return err
}

func newKey(kind, source, value string) key {
	sum := sha256.Sum256([]byte(kind + "\x00" + source + "\x00" + value))
	return key(sum[:16])
}

// entry is what articles.seen holds for one article.
type entry struct {
	Schema         int            `json:"schema"`
	ID             string         `json:"id"`
	Revision       int64          `json:"revision"`
	Hash           string         `json:"hash"`
	Bucket         string         `json:"bucket"`
	Status         article.Status `json:"status"`
	FirstPublished time.Time      `json:"first_published"`
	Offset         int64          `json:"offset"`             // of the record in articles.raw that gave this revision
	Written        time.Time      `json:"written"`            // that record's time
	Release        time.Time      `json:"release,omitzero"`   // end of the embargo, while the revision is held
	Keys           []key          `json:"keys"`               // newest last
	Text           string         `json:"text_key,omitempty"` // hash of the text, to know exact copies
}

// outcome is what became of a raw article.
type outcome string

// The outcomes; each raw has one.
const (
	created   outcome = "created"
	revised   outcome = "revised"
	unchanged outcome = "unchanged" // same content, or an exact copy of the same source
	repeated  outcome = "repeated"  // done before a crash or rebalance
	retracted outcome = "retracted" // a kill notice
	refused   outcome = "refused"   // of an article that was retracted
	held      outcome = "held"      // under embargo
)

// decision is what is to be done about a raw article.
type decision struct {
	outcome outcome
	entry   *entry // the state after it; nil where it does not change
	wasHeld bool   // an earlier revision waits in articles.held and is overtaken
}

// identities knows the articles of one partition. Not safe for concurrent use.
type identities struct {
	byID  map[string]*entry
	byKey map[key]string // to article id
}

func newIdentities() *identities {
	return &identities{byID: map[string]*entry{}, byKey: map[key]string{}}
}

// load takes in a record of articles.seen.
func (s *identities) load(r bus.Record) error {
	if r.Value == nil {
		return nil
	}
	var e entry
	if err := json.Unmarshal(r.Value, &e); err != nil {
		return fmt.Errorf("state of article %.80q: %w", r.Key, err)
	}
	if e.Schema > article.SchemaVersion {
		return &bus.OutageError{Err: fmt.Errorf("state of article %s: schema %d: %w", e.ID, e.Schema, article.ErrSchema)}
	}
	s.apply(&e)
	return nil
}

// apply makes e the state of its article.
func (s *identities) apply(e *entry) {
	s.byID[e.ID] = e
	for _, k := range e.keys() {
		if _, taken := s.byKey[k]; !taken {
			s.byKey[k] = e.ID
		}
	}
}

func (e *entry) keys() []key {
	var k key
	if e.Text == "" || k.UnmarshalText([]byte(e.Text)) != nil {
		return e.Keys
	}
	return append(e.Keys[:len(e.Keys):len(e.Keys)], k)
}

// overlay is a layer over identities: the changes of one batch, which count
// for the records behind them and are applied once they are durable.
type overlay struct {
	base *identities
	top  *identities
}

func (o *overlay) entry(id string) *entry {
	if e := o.top.byID[id]; e != nil {
		return e
	}
	return o.base.byID[id]
}

func (o *overlay) find(k key) *entry {
	if id, ok := o.base.byKey[k]; ok {
		return o.entry(id)
	}
	return o.entry(o.top.byKey[k])
}

// decide resolves the raw article in record r to an article and a revision.
// The same raw over the same state gives the same decision.
func (o *overlay) decide(raw *article.Raw, r bus.Record, now time.Time) decision {
	names, text := rawKeys(raw)
	known, copied := o.lookup(names, text)
	if known == nil {
		return o.create(raw, r, names, text, now)
	}
	switch {
	case r.Offset <= known.Offset && !r.Time.After(known.Written):
		return decision{outcome: repeated}
	case known.Status == article.Canceled:
		return decision{outcome: refused}
	case copied && raw.Status == article.Usable || raw.ContentHash() == known.Hash:
		next := *known
		if !next.learn(names) {
			return decision{outcome: unchanged}
		}
		return o.settle(decision{outcome: unchanged, entry: &next})
	}
	next := *known
	next.learn(names)
	next.Revision++
	d := o.revise(&next, raw, r, text, now)
	d.wasHeld = !known.Release.IsZero()
	return o.settle(d)
}

// lookup finds the article by guid, then URL, then text; copied says that the
// text alone gave it.
func (o *overlay) lookup(names []key, text *key) (known *entry, copied bool) {
	for _, k := range names {
		if e := o.find(k); e != nil {
			return e, false
		}
	}
	if text != nil {
		if e := o.find(*text); e != nil {
			return e, true
		}
	}
	return o.entry(mint(names, text)), false // an article that has forgotten this key
}

// mint makes an article id from the first of its keys, so that minting it
// again after a crash gives the same.
func mint(names []key, text *key) string {
	if len(names) > 0 {
		text = &names[0]
	}
	return hex.EncodeToString(text[:])
}

// create starts a new article.
func (o *overlay) create(raw *article.Raw, r bus.Record, names []key, text *key, now time.Time) decision {
	first := published(raw)
	e := &entry{
		Schema: article.SchemaVersion, ID: mint(names, text), Revision: 1, Keys: names,
		FirstPublished: first, Bucket: article.BucketOf(first, raw.Received),
	}
	d := o.revise(e, raw, r, text, now)
	if d.outcome == revised {
		d.outcome = created
	}
	return o.settle(d)
}

// revise completes the state e of a new revision.
func (o *overlay) revise(e *entry, raw *article.Raw, r bus.Record, text *key, now time.Time) decision {
	e.Hash, e.Status, e.Offset, e.Written, e.Release, e.Text = raw.ContentHash(), raw.Status, r.Offset, r.Time, time.Time{}, ""
	if text != nil {
		b, _ := text.MarshalText() // never fails
		e.Text = string(b)
	}
	switch {
	case raw.Status == article.Canceled:
		return decision{outcome: retracted, entry: e}
	case raw.Status == article.Usable && raw.Embargoed.After(now):
		e.Release = raw.Embargoed
		return decision{outcome: held, entry: e}
	}
	return decision{outcome: revised, entry: e}
}

func (o *overlay) settle(d decision) decision {
	o.top.apply(d.entry)
	return d
}

// learn adds keys that are new to e and tells whether there were any.
func (e *entry) learn(names []key) bool {
	old := e.Keys
	for _, k := range names {
		if !contains(e.Keys, k) {
			e.Keys = append(e.Keys[:len(e.Keys):len(e.Keys)], k)
		}
	}
	added := len(e.Keys) > len(old)
	if n := len(e.Keys); n > maxKeys {
		e.Keys = e.Keys[n-maxKeys:]
	}
	return added
}

func contains(ks []key, k key) bool {
	for _, x := range ks {
		if x == k {
			return true
		}
	}
	return false
}

// rawKeys gives the keys of the raw's names, guid first, and of its text where
// the text is long enough to be an identity or there is no name.
func rawKeys(raw *article.Raw) (names []key, text *key) {
	if raw.GUID != "" {
		names = append(names, newKey("guid", raw.Source.ID, raw.GUID))
	}
	if raw.URL != "" {
		names = append(names, newKey("url", raw.Source.ID, canonicalURL(raw.URL)))
	}
	if len(raw.Body) >= minCopyText || len(names) == 0 {
		k := newKey("text", raw.Source.ID, raw.TextHash())
		text = &k
	}
	return names, text
}

// canonicalURL brings the spellings of one address to one: scheme and www.
// aside, host in lower case, path cleaned, no fragment, no default port. A
// text that is no URL stays as it is.
func canonicalURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return s
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		host += ":" + p
	}
	p := strings.TrimSuffix(path.Clean("/"+u.EscapedPath()), "/")
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return host + p
}

// published is the date of publication that counts: the given one, unless it
// is missing or more than a day ahead of arrival.
func published(raw *article.Raw) time.Time {
	if raw.Published.IsZero() || raw.Published.After(raw.Received.Add(24*time.Hour)) {
		return raw.Received
	}
	return raw.Published.UTC()
}
