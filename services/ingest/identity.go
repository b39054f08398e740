package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
)

// maxKeys bounds the names (guids and URLs) remembered for one article, and
// the texts.
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
	Offset         int64          `json:"offset"`           // of the record in articles.raw that gave this state
	Written        time.Time      `json:"written"`          // that record's time
	Release        time.Time      `json:"release,omitzero"` // end of the embargo, while the revision is held
	Names          []key          `json:"names,omitempty"`  // of guids and URLs, newest last
	Texts          []key          `json:"texts,omitempty"`  // of the revisions' texts, newest last, to know exact copies
}

// Outcome is what became of a raw article.
type Outcome string

// The outcomes; each raw has one.
const (
	Created   Outcome = "created"
	Revised   Outcome = "revised"
	Unchanged Outcome = "unchanged" // same content, or an exact copy of the same source
	Repeated  Outcome = "repeated"  // done before a crash or rebalance
	Retracted Outcome = "retracted" // a kill notice
	Refused   Outcome = "refused"   // of an article that was retracted
	Held      Outcome = "held"      // under embargo
)

// decision is what is to be done about a raw article.
type decision struct {
	outcome Outcome
	id      string // of the article
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
	if known := s.byID[e.ID]; known != nil && e.before(known) {
		return nil // written late, by a process that had lost the partition
	}
	s.apply(&e)
	return nil
}

// before tells whether e is the state after a record that lies before the one
// that gave other.
func (e *entry) before(other *entry) bool {
	return e.Offset < other.Offset && !e.Written.After(other.Written)
}

// apply makes e the state of its article.
func (s *identities) apply(e *entry) {
	s.byID[e.ID] = e
	for _, keys := range [][]key{e.Names, e.Texts} {
		for _, k := range keys {
			s.byKey[k] = e.ID
		}
	}
}

// has tells whether k is one of e's keys: byKey may remember one that e has
// forgotten.
func (e *entry) has(k key) bool { return slices.Contains(e.Names, k) || slices.Contains(e.Texts, k) }

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

// find gives the article that has k; there is never more than one.
func (o *overlay) find(k key) *entry {
	for _, ids := range []map[key]string{o.top.byKey, o.base.byKey} {
		if id, ok := ids[k]; ok {
			if e := o.entry(id); e.has(k) {
				return e
			}
		}
	}
	return nil
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
		return decision{outcome: Repeated, id: known.ID}
	case known.Status == article.Canceled:
		return decision{outcome: Refused, id: known.ID}
	}
	next := *known
	next.Offset, next.Written = r.Offset, r.Time
	learned := o.learn(&next.Names, names...)
	if copied && raw.Status == article.Usable && known.Status == article.Usable || raw.ContentHash() == known.Hash {
		if !learned {
			return decision{outcome: Unchanged, id: known.ID}
		}
		return o.settle(decision{outcome: Unchanged, id: known.ID, entry: &next})
	}
	next.Revision++
	d := o.revise(&next, raw, text, now)
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
		Schema: article.SchemaVersion, ID: mint(names, text), Revision: 1, Names: names, Offset: r.Offset, Written: r.Time,
		FirstPublished: first, Bucket: article.BucketOf(first, raw.Received),
	}
	d := o.revise(e, raw, text, now)
	if d.outcome == Revised {
		d.outcome = Created
	}
	return o.settle(d)
}

// revise completes the state e of a new revision.
func (o *overlay) revise(e *entry, raw *article.Raw, text *key, now time.Time) decision {
	e.Hash, e.Status, e.Release = raw.ContentHash(), raw.Status, time.Time{}
	if text != nil {
		o.learn(&e.Texts, *text)
	}
	switch {
	case raw.Status == article.Canceled:
		return decision{outcome: Retracted, id: e.ID, entry: e}
	case raw.Status == article.Usable && raw.Embargoed.After(now):
		e.Release = raw.Embargoed
		return decision{outcome: Held, id: e.ID, entry: e}
	}
	return decision{outcome: Revised, id: e.ID, entry: e}
}

func (o *overlay) settle(d decision) decision {
	o.top.apply(d.entry)
	return d
}

// learn adds those of the new keys that no article has, forgets the oldest
// beyond maxKeys, and tells whether any was added.
func (o *overlay) learn(keys *[]key, fresh ...key) bool {
	old := len(*keys)
	for _, k := range fresh {
		if o.find(k) == nil {
			*keys = append((*keys)[:len(*keys):len(*keys)], k)
		}
	}
	added := len(*keys) > old
	*keys = (*keys)[max(0, len(*keys)-maxKeys):]
	return added
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
