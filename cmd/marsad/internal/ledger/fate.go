package ledger

import (
	"slices"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
)

// course is how far a revision came.
type course uint8

const (
	missing   course = iota // in some topic it should be and is not
	waits                   // under embargo
	overtaken               // under embargo until a later one took its place
	dead                    // given up by enrich or index
	through                 // past all stages: the index has seen it
)

// course follows a revision through the topics.
func (k *known) course(r *revision) course {
	switch {
	case r.has(passedEnriched), r.has(inEnriched) && k.index>>20 == r.number: // given up, but it had arrived
		return through
	case r.has(inEnriched):
		return dead
	case !r.has(inClean) && r.number == k.seen && k.waiting():
		return waits
	case !r.has(inClean) && r.has(underEmbargo) && k.revisions[len(k.revisions)-1].number > r.number:
		return overtaken
	case r.has(passedClean), r.has(oldClean) && !r.has(inClean):
		switch {
		case r.has(lettered):
			return dead
		case r.has(oldEnriched):
			return through
		}
		return missing
	case r.has(inClean):
		return dead
	}
	return missing
}

// latest is the revision that the index must hold: the highest that came
// through, or nil.
func (k *known) latest() *revision {
	for i := len(k.revisions) - 1; i >= 0; i-- {
		if r := &k.revisions[i]; r.has(inRaw|inClean|inEnriched) && k.course(r) == through {
			return r
		}
	}
	return nil
}

// expired tells whether the index need no longer hold the article.
func (b *book) expired(k *known) bool { return k.bucket < b.oldest }

// close draws up the balance once everything is read.
func (b *book) close() {
	forgotten := 0
	for id, k := range b.articles {
		b.compareTopics(id, k)
		want := k.latest()
		state := right
		if want != nil {
			state = b.compareIndex(id, k, want)
		} else {
			forgotten += b.compareState(id, k)
		}
		for i := range k.revisions {
			if r := &k.revisions[i]; r.has(inRaw) {
				b.count(k, r, want, state)
			}
		}
		if k.waiting() && k.release.Before(b.now) {
			b.due++
		}
	}
	slices.Sort(b.Faults)
	if forgotten > 0 {
		b.note("%d articles of articles.seen are in no other topic any more, and the index does not have their latest revision: "+
			"whether they were dead-lettered cannot be told", forgotten)
	}
	if b.Unproven > 0 {
		b.note("the topics no longer tell what %d records of articles.raw became", b.Unproven)
	}
}

// compareTopics holds the topics against each other.
func (b *book) compareTopics(id string, k *known) {
	top := int64(0)
	for i := range k.revisions {
		r := &k.revisions[i]
		if r.has(inClean | inEnriched) {
			top = r.number
		}
		switch {
		case !r.has(inRaw | inClean | inEnriched): // an old dead letter tells of it
		case !r.has(inRaw) && b.rawWhole:
			b.fault("article %s revision %d is in the topics, but no record of articles.raw gave it", id, r.number)
		case k.course(r) != missing:
		case r.has(inClean):
			b.fault("article %s revision %d is in articles.clean, but neither in articles.enriched nor dead-lettered", id, r.number)
		default:
			b.fault("article %s revision %d came in, but is not in articles.clean", id, r.number)
		}
		if r.has(lettered) && r.has(inRaw|inClean|inEnriched) && k.course(r) == through {
			b.Recovered++
		}
	}
	switch {
	case k.waiting() && k.text != k.seen && top < k.seen:
		b.fault("article %s revision %d is under embargo, but its text is not in articles.held", id, k.seen)
	case k.seen > 0 && top > k.seen:
		b.fault("article %s has revision %d in articles.clean, articles.seen knows only %d", id, top, k.seen)
	case top > 0 && top < k.seen && !k.waiting() && !k.has(k.seen, inRaw) && b.cut[bus.TopicClean].IsZero():
		b.fault("article %s has revision %d in articles.seen, only %d in articles.clean", id, k.seen, top)
	}
}

// verdict is what is to be thought of an article's state in the index.
type verdict uint8

const (
	wrong verdict = iota // a fault was named
	right
	untold // it is right if a dead letter was there that is no longer kept
)

// compareIndex holds the index against the latest revision that it was given.
func (b *book) compareIndex(id string, k *known, want *revision) verdict {
	have := k.index >> 20
	switch {
	case k.index == 0 && b.expired(k):
		return right
	case have < want.number && (!want.has(passedEnriched) || want.has(oldLetters)):
		return untold
	case k.index == 0:
		b.fault("article %s revision %d is not in the index", id, want.number)
	case have < want.number:
		b.fault("article %s has revision %d in the index, %d in the topics", id, have, want.number)
	case have > want.number && !(have == k.seen && b.lost(bus.TopicClean, b.now)):
		b.fault("article %s has revision %d in the index, the topics know only %d", id, have, want.number)
	case have == want.number && k.indexStatus != want.status:
		b.fault("article %s is %s in the index, %s in the topics", id, k.indexStatus, want.status)
	case have == want.number && k.index&article.MaxGeneration < want.generation:
		b.fault("article %s revision %d has generation %d in the index, %d in the topics", id, have, k.index&article.MaxGeneration, want.generation)
	default:
		return right
	}
	return wrong
}

// compareState holds the index against articles.seen where no revision is
// known to have come through: an article that only its state tells of, or one
// that waits or was given up from the first. It gives 1 where nobody can tell.
func (b *book) compareState(id string, k *known) int {
	have, cut := k.index>>20, !b.cut[bus.TopicClean].IsZero()
	traced := slices.ContainsFunc(k.revisions, func(r revision) bool { return r.has(inRaw | inClean | inEnriched) })
	switch {
	case k.index == 0 && (traced || k.seen == 0 || b.expired(k) || k.has(k.seen, lettered) || k.seen == 1 && k.waiting()):
		return 0 // and nothing should be there
	case k.index == 0 && cut, cut && have < k.seen && !k.waiting():
		return 1
	case k.index == 0:
		b.fault("article %s has revision %d in articles.seen, but none in articles.clean", id, k.seen)
	case k.seen == 0 && len(k.revisions) == 0:
		b.fault("article %s is in the index (revision %d, %s), but in no topic", id, have, k.indexStatus)
	case !cut || have > k.seen || have == k.seen && k.indexStatus != k.seenStatus:
		b.fault("article %s has revision %d (%s) in the index, which no topic gave it", id, have, k.indexStatus)
	}
	return 0
}

// count gives a revision that came in its fate; one that has a fault has none.
func (b *book) count(k *known, r, want *revision, state verdict) {
	switch k.course(r) {
	case waits:
		b.Held++
	case overtaken:
		b.Superseded++
	case dead:
		b.DeadLettered++
	case through:
		switch {
		case state == untold && r.number >= k.index>>20:
			b.Unproven++
		case r != want:
			b.Superseded++
		case state == wrong:
		case k.index == 0:
			b.Expired++
		case r.status == article.Usable:
			b.Indexed++
		case r.status == article.Withheld:
			b.Withheld++
		default:
			b.Retracted++
		}
	}
}
