package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
)

// mark is where a revision was met.
type mark uint16

const (
	inRaw          mark = 1 << iota // a record of articles.raw gave it
	underEmbargo                    // and it was to wait
	inClean                         // it is in articles.clean
	passedClean                     // in a record that enrich did not give up
	inEnriched                      // it is in articles.enriched
	passedEnriched                  // in a record that index did not give up
	lettered                        // a record of it in one of these is in articles.dlq
	oldClean                        // it may have been in what articles.clean no longer keeps
	oldEnriched                     // it may have been in what articles.enriched or articles.dlq no longer keeps
	oldLetters                      // the index may have refused it in a dead letter no longer kept
)

// revision is what the topics tell of one revision of an article.
type revision struct {
	number     int64
	generation int64     // the highest that passed articles.enriched
	received   time.Time // as articles.clean has it
	status     article.Status
	marks      mark
}

func (r *revision) has(m mark) bool { return r.marks&m != 0 }

// known is what the topics and the index tell of one article.
type known struct {
	revisions   []revision // by number
	bucket      string
	seen        int64 // the latest revision in articles.seen; 0 for none
	seenOffset  int64 // of the record in articles.raw that gave it
	seenWritten time.Time
	seenStatus  article.Status
	release     time.Time // of the revision in seen, while it is under embargo
	text        int64     // the revision whose text is in articles.held; 0 for none
	index       int64     // the highest version in the index; 0 for none
	indexStatus article.Status
}

func (k *known) find(n int64) (int, bool) {
	return slices.BinarySearchFunc(k.revisions, n, func(r revision, n int64) int { return cmp.Compare(r.number, n) })
}

// revision gives the revision n, added where it is new.
func (k *known) revision(n int64) *revision {
	i, ok := k.find(n)
	if !ok {
		k.revisions = slices.Insert(k.revisions, i, revision{number: n})
	}
	return &k.revisions[i]
}

// has tells whether the revision n is known with one of these marks.
func (k *known) has(n int64, m mark) bool {
	i, ok := k.find(n)
	return ok && k.revisions[i].has(m)
}

// waiting tells whether the revision in seen is under embargo.
func (k *known) waiting() bool { return !k.release.IsZero() }

// place is where a record lies.
type place struct {
	topic     string
	partition int
	offset    int64
}

func at(r bus.Record) place { return place{r.Topic, r.Partition, r.Offset} }

func (p place) String() string { return fmt.Sprintf("%s/%d@%d", p.topic, p.partition, p.offset) }

// book gathers what the topics and the index tell.
type book struct {
	Ledger
	cluster *bus.Cluster
	now     time.Time
	oldest  string // bucket that the index keeps; "" for all

	articles map[string]*known
	letters  map[place]time.Time  // dead letters, by source, and when that was written
	cut      map[string]time.Time // topics that have lost records, and from when on all are kept
	names    map[string]string    // buckets, each once in memory
	rawWhole bool                 // articles.raw has every record ever written
	due      int                  // embargoes that ended and are not released
}

func newBook(c *bus.Cluster, now time.Time, oldest string) *book {
	return &book{
		cluster: c, now: now, oldest: oldest, rawWhole: true, articles: map[string]*known{},
		letters: map[place]time.Time{}, cut: map[string]time.Time{}, names: map[string]string{},
	}
}

func (b *book) article(id string) *known {
	k := b.articles[id]
	if k == nil {
		k = &known{}
		b.articles[id] = k
	}
	return k
}

// each reads a topic and finds out from when on it is whole.
func (b *book) each(ctx context.Context, topic string, fn func(bus.Record) error) error {
	first, _, err := b.cluster.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	for p, from := range first {
		begin, met := b.now.AddDate(1, 0, 0), false // where all is gone, nothing looked for can be younger
		_, err := b.cluster.ReadAll(ctx, topic, p, func(r bus.Record) error {
			if !met {
				begin, met = r.Time, true
			}
			return fn(r)
		})
		if err != nil {
			return err
		}
		if from > 0 && begin.After(b.cut[topic]) {
			b.cut[topic] = begin
		}
	}
	return nil
}

// lost tells whether what was written to topic at that time may be gone.
func (b *book) lost(topic string, written time.Time) bool { return written.Before(b.cut[topic]) }

// readLetters notes what was given up, and of which revision where it says.
func (b *book) readLetters(ctx context.Context) error {
	foreign := 0
	err := b.each(ctx, bus.TopicDead, func(r bus.Record) error {
		source, written, ok := sourceOf(r)
		if !ok {
			foreign++
			return nil
		}
		b.letters[source] = written
		if source.topic == bus.TopicRaw {
			return nil
		}
		if a, err := article.Decode(r.Value); err == nil {
			b.article(a.ID).revision(a.Revision).marks |= lettered
		}
		return nil
	})
	if foreign > 0 {
		b.note("%d records of articles.dlq are no dead letters of Marsad's", foreign)
	}
	return err
}

// sourceOf tells where a dead letter's record lay and when it was written.
func sourceOf(r bus.Record) (p place, written time.Time, ok bool) {
	partition, perr := strconv.Atoi(r.Header(bus.DeadPartition))
	offset, oerr := strconv.ParseInt(r.Header(bus.DeadOffset), 10, 64)
	written, werr := time.Parse(time.RFC3339Nano, r.Header(bus.DeadWritten))
	p = place{r.Header(bus.DeadTopic), partition, offset}
	return p, written, errors.Join(perr, oerr, werr) == nil && p.topic != ""
}

// isLetter tells whether r was given up. A record of the same place in a topic
// that was made anew is another.
func (b *book) isLetter(r bus.Record) bool {
	written, ok := b.letters[at(r)]
	return ok && written.Equal(r.Time)
}

// readStage reads what a topic between two stages has, decoded as the reading
// stage does.
func (b *book) readStage(ctx context.Context, topic, reader string, met func(r bus.Record, k *known, a *article.Article)) error {
	return b.each(ctx, topic, func(r bus.Record) error {
		a, err := article.Decode(r.Value)
		switch {
		case errors.Is(err, article.ErrSchema):
			return fmt.Errorf("%w: draw up the ledger with the newest marsad", err)
		case err != nil && !b.isLetter(r) && !b.lost(bus.TopicDead, r.Time):
			b.fault("%s cannot be read (%v), and %s wrote no dead letter for it", at(r), err, reader)
		}
		if err != nil {
			return nil //nolint:nilerr // it is no article: its dead letter is all that there is to say
		}
		k := b.article(a.ID)
		k.bucket = b.intern(a.Bucket)
		met(r, k, &a)
		return nil
	})
}

func (b *book) readEnriched(ctx context.Context) error {
	return b.readStage(ctx, bus.TopicEnriched, "index", func(r bus.Record, k *known, a *article.Article) {
		v := k.revision(a.Revision)
		v.status = canonical(a.Status)
		v.marks |= inEnriched
		if b.isLetter(r) {
			v.marks |= lettered
			return
		}
		if v.marks |= passedEnriched; b.lost(bus.TopicDead, r.Time) {
			v.marks |= oldLetters
		}
		v.generation = max(v.generation, a.Generation)
	})
}

func (b *book) readClean(ctx context.Context) error {
	return b.readStage(ctx, bus.TopicClean, "enrich", func(r bus.Record, k *known, a *article.Article) {
		v := k.revision(a.Revision)
		v.status, v.received = canonical(a.Status), a.Received
		v.marks |= inClean
		if b.lost(bus.TopicEnriched, r.Time) || b.lost(bus.TopicDead, r.Time) {
			v.marks |= oldEnriched
		}
		if b.isLetter(r) {
			v.marks |= lettered
			return
		}
		v.marks |= passedClean
	})
}

// readHeld notes of which articles the text waits.
func (b *book) readHeld(ctx context.Context) error {
	return b.each(ctx, bus.TopicHeld, func(r bus.Record) error {
		if r.Value == nil {
			b.article(string(r.Key)).text = 0
			return nil
		}
		a, err := article.Decode(r.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", at(r), err)
		}
		b.article(a.ID).text = a.Revision
		return nil
	})
}

// readIndex notes what the index holds of each article.
func (b *book) readIndex(ctx context.Context, ix Index) error {
	return ix.Versions(ctx, func(id string, version int64, status article.Status) error {
		k := b.article(id)
		if k.index != 0 {
			b.fault("article %s is in the index twice, as revisions %d and %d", id, k.index>>20, version>>20)
		}
		if version >= k.index {
			k.index, k.indexStatus = version, status
		}
		return nil
	})
}

// canonical gives the one copy of a status.
func canonical(s article.Status) article.Status {
	for _, one := range [...]article.Status{article.Usable, article.Withheld, article.Canceled} {
		if s == one {
			return one
		}
	}
	return s
}

func (b *book) intern(s string) string {
	if one, ok := b.names[s]; ok {
		return one
	}
	b.names[s] = s
	return s
}
