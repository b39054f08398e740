package elastic

import (
	"context"
	"sync"
	"time"
)

// queue gathers the articles of all calls of Write into bulk requests: as many
// at once as the limit allows, each as large as what has come meanwhile.
//
//	Write ─┐           ┌─► chunk ─► send ─► answer ─► jobs settled
//	Write ─┼─► jobs ───┤     (limit: how many at once)
//	Write ─┘  (linger) └─► chunk ─► send ─► …
type queue struct {
	most   int           // bytes of a chunk, about
	linger time.Duration // how long the first job waits for others
	send   func(context.Context, *chunk)

	mu     sync.Mutex
	jobs   []*job // first come, first served
	bytes  int    // of jobs, about
	due    bool   // what waits has waited long enough
	timing bool   // release will be called
	limit  limit
	active map[*chunk]struct{}
}

// chunk is what is sent together.
type chunk struct {
	jobs      []*job
	began     time.Time
	congested bool // set by send
	cancel    context.CancelFunc
}

func newQueue(most, requests int, linger time.Duration, send func(context.Context, *chunk)) *queue {
	return &queue{most: most, linger: linger, send: send, limit: newLimit(requests), active: map[*chunk]struct{}{}}
}

// add takes in the jobs of w that are not settled.
func (q *queue) add(w *write) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range w.jobs {
		if j := &w.jobs[i]; !j.settled() {
			q.jobs = append(q.jobs, j)
			q.bytes += weight(j)
		}
	}
	q.dispatch()
}

// release lets go what waits.
func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.timing, q.due = false, len(q.jobs) > 0
	q.dispatch()
}

// abandon forgets what w still has in the queue, and ends the requests for
// which nobody else waits.
func (q *queue) abandon(w *write) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.gone = true
	for c := range q.active {
		if !c.awaited() {
			c.cancel()
		}
	}
}

// dispatch starts as many chunks as may be under way. The lock is held.
func (q *queue) dispatch() {
	for len(q.jobs) > 0 && len(q.active) < q.limit.allowed() && (q.due || q.bytes >= q.most) {
		if c := q.take(); len(c.jobs) > 0 {
			var ctx context.Context
			ctx, c.cancel = context.WithCancel(context.Background()) // ends with the last that waits, see abandon
			q.active[c] = struct{}{}
			go q.run(ctx, c)
		}
	}
	if len(q.jobs) > 0 && !q.due && !q.timing {
		q.timing = true
		time.AfterFunc(q.linger, q.release)
	}
}

// take makes a chunk of the oldest jobs; it has none where nobody waits for
// them any more. The lock is held.
func (q *queue) take() *chunk {
	c := &chunk{began: time.Now()}
	bytes, n := 0, 0
	for ; n < len(q.jobs) && (bytes == 0 || bytes+weight(q.jobs[n]) <= q.most); n++ {
		q.bytes -= weight(q.jobs[n])
		if q.jobs[n].write.gone {
			continue
		}
		bytes += weight(q.jobs[n])
		c.jobs = append(c.jobs, q.jobs[n])
	}
	clear(q.jobs[:n])
	q.jobs = q.jobs[n:]
	if len(q.jobs) == 0 {
		q.jobs, q.due = nil, false
	}
	return c
}

// run sends a chunk and makes room for the next.
func (q *queue) run(ctx context.Context, c *chunk) {
	q.send(ctx, c)
	c.cancel()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.active, c)
	if c.congested {
		q.limit.congested(c.began, time.Now())
	} else {
		q.limit.passed()
	}
	q.dispatch()
}

// awaited tells whether anybody waits for a job of c. The lock is held.
func (c *chunk) awaited() bool {
	for _, j := range c.jobs {
		if !j.write.gone {
			return true
		}
	}
	return false
}

func (c *chunk) weight() (bytes int) {
	for _, j := range c.jobs {
		bytes += weight(j)
	}
	return bytes
}

// weight is about what a job takes of a bulk request, in bytes: its text goes
// in three times.
func weight(j *job) int {
	a := j.article
	return 1<<10 + 3*(len(a.Title)+len(a.Body)) + 512*len(a.Entities) + 256*len(a.Topics)
}
