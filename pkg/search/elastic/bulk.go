package elastic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/klauspost/compress/gzip"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// lines is a bulk request being made: two lines of JSON for each document.
type lines struct {
	data  []byte
	parts []part
}

// part is what a bulk request says of one job's article.
type part struct {
	job      *job
	from, to int  // in data
	copied   bool // goes into the next generation of the month: its answer does not count
}

func (l *lines) add(j *job, alias string, copied bool) error {
	from := len(l.data)
	data, err := appendLines(l.data, alias, j.article, j.article.Version())
	if err != nil {
		return err
	}
	l.data = data
	l.parts = append(l.parts, part{j, from, len(data), copied})
	return nil
}

// body gives the lines of consecutive parts.
func (l *lines) body(parts []part) []byte { return l.data[parts[0].from:parts[len(parts)-1].to] }

// send writes a chunk's articles and settles its jobs.
func (x *Index) send(ctx context.Context, c *chunk) {
	l := &lines{data: x.buffers.get(c.weight())}
	defer func() { x.buffers.put(l.data) }()
	if err := x.sendLines(ctx, c, l); err != nil {
		for _, j := range c.jobs {
			if !j.settled() {
				j.fail(err, whole)
			}
		}
	}
}

// sendLines makes and sends the lines of c, those of missing months in a second
// go. Its error speaks for all jobs that are not settled.
func (x *Index) sendLines(ctx context.Context, c *chunk, l *lines) error {
	moving, err := x.moving.months(ctx, x)
	if err != nil {
		c.congested = congestion(err)
		return err
	}
	for _, j := range c.jobs {
		month := monthOf(j.article)
		if err := l.add(j, x.writer(month), false); err != nil {
			j.fail(err, hopeless)
			continue
		}
		if moving[month] {
			if err := l.add(j, x.next(month), true); err != nil {
				return err
			}
		}
	}
	missing, err := x.sendParts(ctx, c, l, l.parts)
	if err != nil || len(missing) == 0 {
		return err
	}
	created := map[string]bool{}
	retry := &lines{}
	for _, p := range missing {
		month := monthOf(p.job.article)
		if !created[month] {
			if err := x.createMonth(ctx, month); err != nil {
				return err
			}
			created[month] = true
		}
		from := len(retry.data)
		retry.data = append(retry.data, l.data[p.from:p.to]...)
		retry.parts = append(retry.parts, part{job: p.job, from: from, to: len(retry.data)})
	}
	missing, err = x.sendParts(ctx, c, retry, retry.parts)
	for _, p := range missing {
		month := monthOf(p.job.article)
		p.job.fail(fmt.Errorf("alias %q is not there though its index is: add it to the index that takes the month's articles",
			x.writer(month)), again)
	}
	return err
}

// sendParts sends parts in requests of at most the size that is configured,
// and gives those whose month is missing.
func (x *Index) sendParts(ctx context.Context, c *chunk, l *lines, parts []part) (missing []part, err error) {
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].to-parts[0].from <= x.config.MaxBulk {
			n++
		}
		more, err := x.bulk(ctx, c, l, parts[:n])
		missing = append(missing, more...)
		if err != nil {
			return missing, err
		}
		parts = parts[n:]
	}
	return missing, nil
}

// bulk sends parts in one request, in halves where they are too large for one,
// settles their jobs, and gives those whose month is missing.
func (x *Index) bulk(ctx context.Context, c *chunk, l *lines, parts []part) (missing []part, err error) {
	items, err := x.post(ctx, l.body(parts), len(parts))
	var r *reply
	if errors.As(err, &r) && r.verdict() == tooLarge {
		if len(parts) == 1 {
			if !parts[0].copied {
				parts[0].job.fail(err, hopeless)
			}
			return nil, nil
		}
		half := len(parts) / 2
		missing, err = x.bulk(ctx, c, l, parts[:half])
		if err != nil {
			return missing, err
		}
		more, err := x.bulk(ctx, c, l, parts[half:])
		return append(missing, more...), err
	}
	if err != nil {
		c.congested = congestion(err)
		return nil, asOutage(err)
	}
	for i := range items {
		if parts[i].copied {
			continue // Migrate copies again what is missing
		}
		isMissing, err := c.judge(parts[i].job, &reply{status: items[i].Status, fault: items[i].Error})
		if err != nil {
			return missing, err
		}
		if isMissing {
			missing = append(missing, parts[i])
		}
	}
	return missing, nil
}

// judge settles a job by what Elasticsearch answers for it, unless its month is
// missing.
func (c *chunk) judge(j *job, r *reply) (missing bool, err error) {
	switch r.verdict() {
	case accepted:
		if j.article.Status == article.Usable {
			j.settle(search.Indexed)
		} else {
			j.settle(search.Tombstoned)
		}
	case superseded:
		j.settle(search.Superseded)
	case noMonth:
		return true, nil
	case permanent, tooLarge:
		j.fail(r, hopeless)
	case outage:
		return false, fmt.Errorf("%w: %w", search.ErrOutage, r)
	case temporary:
		c.congested = c.congested || congestion(r)
		j.fail(r, again)
	default:
		j.fail(r, doubtful)
	}
	return false, nil
}

// item is what became of one document.
type item struct {
	Status int   `json:"status"`
	Error  fault `json:"error"`
}

// post sends one bulk request of n documents and gives an item for each.
func (x *Index) post(ctx context.Context, data []byte, n int) ([]item, error) {
	req := esapi.BulkRequest{Body: bytes.NewReader(data), FilterPath: []string{"items.*.status", "items.*.error"}}
	if x.config.Compress {
		packed := x.buffers.get(len(data) / 4)
		defer func() { x.buffers.put(packed) }()
		var err error
		if packed, err = x.gzips.pack(packed, data); err != nil {
			return nil, err
		}
		req.Body, req.Header = bytes.NewReader(packed), http.Header{"Content-Encoding": {"gzip"}}
	}
	var answer struct {
		Items []struct {
			Index *item `json:"index"`
		} `json:"items"`
	}
	if err := x.do(ctx, req, &answer); err != nil {
		return nil, err
	}
	if len(answer.Items) != n {
		return nil, fmt.Errorf("Elasticsearch answers for %d of %d articles", len(answer.Items), n)
	}
	items := make([]item, n)
	for i, it := range answer.Items {
		if it.Index == nil || it.Index.Status < http.StatusOK {
			return nil, fmt.Errorf("Elasticsearch's answer for article %d of %d cannot be read", i+1, n)
		}
		items[i] = *it.Index
	}
	return items, nil
}

// congestion tells whether an error means that Elasticsearch, or the way to
// it, has too much to do. Everything is, that is no answer at all.
func congestion(err error) bool {
	var r *reply
	if !errors.As(err, &r) {
		return !errors.Is(err, context.Canceled)
	}
	return r.verdict() == temporary
}

// buffers keeps memory for bulk requests between them.
type buffers struct{ pool sync.Pool }

// get gives an empty buffer of some size.
func (b *buffers) get(size int) []byte {
	if p, ok := b.pool.Get().(*[]byte); ok && cap(*p) >= size {
		return (*p)[:0]
	}
	return make([]byte, 0, size)
}

// put takes memory back; a buffer that was needed once for a very large article
// is let go.
func (b *buffers) put(p []byte) {
	if cap(p) > 0 && cap(p) <= 32<<20 {
		b.pool.Put(&p)
	}
}

// gzips keeps compressors between requests.
type gzips struct{ pool sync.Pool }

// pack appends data, compressed at the fastest level, to dst.
func (g *gzips) pack(dst, data []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	z, ok := g.pool.Get().(*gzip.Writer)
	if !ok {
		var err error
		if z, err = gzip.NewWriterLevel(out, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	defer g.pool.Put(z)
	z.Reset(out)
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
