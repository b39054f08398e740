package elastic

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// Write implements search.Writer. Elasticsearch has fsynced the translog of
// every copy in sync before it answers. Write retries nothing by itself but
// what it can mend: it creates the months that are missing, and splits what is
// too large. Articles of calls at the same time share bulk requests. Its errors
// wrap search.ErrOutage where no article can be written.
//
// The articles must not be changed before Write returns, nor ever where it
// returns because ctx has ended: they may still be on their way.
//
// An article keeps its bucket for life; in another bucket it is another
// document.
func (x *Index) Write(ctx context.Context, articles []article.Article) ([]search.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("writing to Elasticsearch: %w", err)
	}
	w := newWrite(articles)
	if err := x.await(ctx, w); err != nil {
		return nil, fmt.Errorf("writing %d articles to Elasticsearch: %w", len(articles), err)
	}
	return w.result()
}

// await has the queue write w's jobs.
func (x *Index) await(ctx context.Context, w *write) error {
	if w.left.Load() == 0 {
		return nil
	}
	x.queue.add(w)
	stop := context.AfterFunc(ctx, func() { x.queue.abandon(w) })
	defer stop()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is one call of Write.
type write struct {
	jobs []job
	left atomic.Int64  // jobs not settled
	done chan struct{} // closed when none is left
	gone bool          // nobody waits any more; guarded by the queue's lock
}

// job is one article of a write. Until it is settled it belongs to whoever
// has it from the queue.
type job struct {
	article *article.Article
	write   *write
	outcome search.Outcome
	err     error // why it Failed
	fate    fate
}

// fate says what kind of failure err is.
type fate uint8

const (
	again    fate = iota // the same article may well pass at another time
	doubtful             // it may: the answer is not one of those known
	hopeless             // it will not
	whole                // the error speaks for every article, not for this one
)

func newWrite(articles []article.Article) *write {
	w := &write{jobs: make([]job, len(articles)), done: make(chan struct{})}
	w.left.Store(int64(len(articles)))
	for i := range articles {
		w.jobs[i] = job{article: &articles[i], write: w}
		if err := check(&articles[i]); err != nil {
			w.jobs[i].fail(err, hopeless)
		}
	}
	return w
}

func (j *job) settle(o search.Outcome) {
	j.outcome = o
	if j.write.left.Add(-1) == 0 {
		close(j.write.done)
	}
}

func (j *job) fail(err error, f fate) {
	j.err, j.fate = err, f
	j.settle(search.Failed)
}

func (j *job) settled() bool { return j.err != nil || j.outcome != search.Failed }

// result is to be called once done is closed.
func (w *write) result() ([]search.Outcome, error) {
	outcomes := make([]search.Outcome, len(w.jobs))
	var failed []search.ItemError
	var all error
	for i := range w.jobs {
		j := &w.jobs[i]
		outcomes[i] = j.outcome
		switch {
		case j.err == nil:
		case j.fate == whole:
			if all == nil || errors.Is(j.err, search.ErrOutage) {
				all = j.err
			}
		default:
			failed = append(failed, search.ItemError{Index: i, Err: j.err, Permanent: j.fate == hopeless, Doubtful: j.fate == doubtful})
		}
	}
	if all != nil {
		return nil, fmt.Errorf("writing %d articles to Elasticsearch: %w", len(w.jobs), all)
	}
	if failed != nil {
		return outcomes, &search.BatchError{Items: failed}
	}
	return outcomes, nil
}
