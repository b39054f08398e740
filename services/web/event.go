package web

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/query"
)

// kind is what a record means for a stream.
type kind uint8

const (
	hidden      kind = iota // nothing to send: not decodable, outdated, or not to be seen yet
	articleKind             // an article, new or corrected
	retractKind             // an article is to be shown no more
)

func (k kind) String() string {
	switch k {
	case articleKind:
		return "article"
	case retractKind:
		return "retract"
	}
	return "hidden"
}

// event is a record of the topic, decoded once for all streams. It is
// immutable but for the prepared document behind its mutex.
type event struct {
	partition int
	offset    int64
	kind      kind
	article   article.Article
	data      []byte // of the event as sent: one line of JSON

	mu  sync.Mutex // over doc, which is for one goroutine at a time
	doc *query.Doc // nil until a query is run over the article
}

// memory estimates the bytes that e holds: the JSON, the article decoded, and
// the prepared document, which is the largest.
func (e *event) memory() int64 { return 512 + 8*int64(len(e.data)) }

// hide takes the content away: what stays is its place in the topic.
func (e *event) hide() { e.kind, e.article, e.data = hidden, article.Article{}, nil }

// matches tells whether q matches e's article. Safe for concurrent use.
func (e *event) matches(q *query.Query) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.doc == nil {
		e.doc = query.NewDoc(&e.article)
	}
	return q.Match(e.doc)
}

// newEvent decodes r. Embargoed articles never come as usable; one that does
// all the same is hidden. The event is usable even where err tells that the
// record could not be decoded; only with article.ErrSchema it is nil.
func newEvent(r bus.Record, now time.Time) (*event, error) {
	e := &event{partition: r.Partition, offset: r.Offset}
	a, err := article.Decode(r.Value)
	if errors.Is(err, article.ErrSchema) {
		return nil, fmt.Errorf("record %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	if err != nil {
		return e, fmt.Errorf("record %s/%d@%d is left out of the live stream: %w", r.Topic, r.Partition, r.Offset, err)
	}
	switch {
	case a.Status != article.Usable:
		e.kind = retractKind
		a.Redact()
		e.data, err = encode(retraction{ID: a.ID, Revision: a.Revision, Status: a.Status})
	case visible(&a, now):
		e.kind = articleKind
		e.data, err = article.Encode(&a)
	}
	e.article = a
	if err != nil { // cannot be: what was decoded can be encoded
		e.hide()
	}
	return e, err
}

// retraction is the data of the event retract.
type retraction struct {
	ID       string         `json:"id"`
	Revision int64          `json:"revision"`
	Status   article.Status `json:"status"`
}

// visible tells whether a may be shown at the time now.
func visible(a *article.Article, now time.Time) bool {
	return a.Status == article.Usable && !a.Embargoed.After(now)
}

// versions remembers the newest version of the articles seen last: of at least
// n, at most 2n ids.
type versions struct {
	n        int
	now, old map[string]int64
}

func newVersions(n int) *versions { return &versions{n: n, now: map[string]int64{}} }

// outdated notes the version of an article and tells whether the same or a
// newer one was noted before.
func (v *versions) outdated(id string, version int64) bool {
	known, ok := v.now[id]
	if !ok {
		known, ok = v.old[id]
	}
	if ok && version <= known {
		return true
	}
	if len(v.now) >= v.n {
		v.old, v.now = v.now, map[string]int64{}
	}
	v.now[id] = version
	return false
}
