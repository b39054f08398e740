package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// Write implements search.Writer. Elasticsearch has fsynced the translog of
// every copy in sync before it answers. Write retries nothing by itself but
// what it can mend: it creates the months that are missing, and splits what is
// too large. Its errors wrap search.ErrOutage where no article can be written.
//
// An article keeps its bucket for life; in another bucket it is another
// document.
func (x *Index) Write(ctx context.Context, articles []article.Article) ([]search.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("writing to Elasticsearch: %w", err)
	}
	b := batch{outcomes: make([]search.Outcome, len(articles))}
	lines := make([]line, 0, len(articles))
	for i := range articles {
		l, err := x.prepare(i, &articles[i])
		if err != nil {
			b.fail(i, err, true)
			continue
		}
		lines = append(lines, l)
	}
	for len(lines) > 0 {
		n := fitting(lines, x.config.MaxBulk)
		if err := x.send(ctx, &b, lines[:n]); err != nil {
			return nil, fmt.Errorf("writing %d articles to Elasticsearch: %w", len(articles), err)
		}
		lines = lines[n:]
	}
	return b.outcomes, b.err()
}

// fitting gives how many lines go into one request, at least one.
func fitting(lines []line, most int) int {
	size := 0
	for i := range lines {
		size += len(lines[i].data)
		if i > 0 && size > most {
			return i
		}
	}
	return len(lines)
}

// batch gathers what became of the articles of a Write.
type batch struct {
	outcomes []search.Outcome
	failed   []search.ItemError
}

func (b *batch) fail(index int, err error, permanent bool) {
	b.failed = append(b.failed, search.ItemError{Index: index, Err: err, Permanent: permanent})
}

func (b *batch) err() error {
	if len(b.failed) == 0 {
		return nil
	}
	slices.SortFunc(b.failed, func(a, c search.ItemError) int { return a.Index - c.Index })
	return &search.BatchError{Items: b.failed}
}

// send writes lines, the missing months' in a second request. Its error speaks
// for all of the batch.
func (x *Index) send(ctx context.Context, b *batch, lines []line) error {
	missing, err := x.bulk(ctx, b, lines)
	if err != nil || len(missing) == 0 {
		return err
	}
	created := make(map[string]bool)
	for _, l := range missing {
		if created[l.month] {
			continue
		}
		if err := x.createMonth(ctx, l.month); err != nil {
			return err
		}
		created[l.month] = true
	}
	missing, err = x.bulk(ctx, b, missing)
	if err != nil {
		return err
	}
	for _, l := range missing {
		b.fail(l.index, fmt.Errorf("alias %q is not there though its index is: add it to the index that takes the month's articles",
			x.writer(l.month)), false)
	}
	return nil
}

// item is what became of one line.
type item struct {
	Status int   `json:"status"`
	Error  fault `json:"error"`
}

// bulk writes lines, in halves where they are too large for one request, and
// gives those whose month is missing, in order.
func (x *Index) bulk(ctx context.Context, b *batch, lines []line) (missing []line, err error) {
	items, err := x.post(ctx, lines)
	var r *reply
	if errors.As(err, &r) && r.verdict() == tooLarge {
		if len(lines) == 1 {
			b.fail(lines[0].index, err, true)
			return nil, nil
		}
		half := len(lines) / 2
		missing, err = x.bulk(ctx, b, lines[:half])
		if err != nil {
			return nil, err
		}
		more, err := x.bulk(ctx, b, lines[half:])
		return append(missing, more...), err
	}
	if err != nil {
		return nil, asOutage(err)
	}
	for i, it := range items {
		l, failure := lines[i], &reply{status: it.Status, fault: it.Error}
		switch failure.verdict() {
		case accepted:
			b.outcomes[l.index] = search.Tombstoned
			if l.visible {
				b.outcomes[l.index] = search.Indexed
			}
		case superseded:
			b.outcomes[l.index] = search.Superseded
		case noMonth:
			missing = append(missing, l)
		case permanent, tooLarge:
			b.fail(l.index, failure, true)
		case outage:
			return nil, fmt.Errorf("%w: %w", search.ErrOutage, failure)
		default:
			b.fail(l.index, failure, false)
		}
	}
	return missing, nil
}

// post sends one bulk request and gives an item per line.
func (x *Index) post(ctx context.Context, lines []line) ([]item, error) {
	size := 0
	for i := range lines {
		size += len(lines[i].data)
	}
	data := make([]byte, 0, size)
	for i := range lines {
		data = append(data, lines[i].data...)
	}
	var answer struct {
		Items []map[string]json.RawMessage `json:"items"`
	}
	err := x.do(ctx, esapi.BulkRequest{
		Body: bytes.NewReader(data), FilterPath: []string{"items.*.status", "items.*.error"},
	}, &answer)
	if err != nil {
		return nil, err
	}
	if len(answer.Items) != len(lines) {
		return nil, fmt.Errorf("Elasticsearch answers for %d of %d articles", len(answer.Items), len(lines))
	}
	items := make([]item, len(lines))
	for i, actions := range answer.Items {
		if err := json.Unmarshal(actions["index"], &items[i]); err != nil || items[i].Status < http.StatusOK {
			return nil, fmt.Errorf("Elasticsearch's answer for article %d cannot be read: %q", lines[i].index, actions["index"])
		}
	}
	return items, nil
}
