package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
)

// copyPage is how many articles are read at once; fewer where they are large.
const copyPage = 200

// copyIndex writes what an index holds behind the sequence number after (-1 is
// everything) to an alias, with the same versions: what is newer there stays.
// The documents are built anew, since _source lacks what is only searched. It
// gives the sequence number up to which everything has now been copied, and how
// many articles were.
func (x *Index) copyIndex(ctx context.Context, from, alias string, after int64) (checkpoint int64, copied int, err error) {
	fail := func(err error) (int64, int, error) {
		return after, copied, fmt.Errorf("copying index %s: %w", from, err)
	}
	if checkpoint, err = x.checkpoint(ctx, from); err != nil {
		return fail(err)
	}
	if err := x.do(ctx, esapi.IndicesRefreshRequest{Index: []string{from}}, nil); err != nil {
		return fail(err)
	}
	pit, err := x.openPIT(ctx, from)
	if err != nil {
		return fail(err)
	}
	defer func() { x.closePIT(ctx, pit) }()
	size := copyPage
	for last := []json.RawMessage(nil); ; {
		page, err := x.stored(ctx, pit, after, last, size)
		if errors.Is(err, errTooLong) && size > 1 {
			size = max(1, size/8)
			continue
		}
		if err != nil {
			return fail(err)
		}
		if page.PIT != "" {
			pit = page.PIT
		}
		if len(page.Hits.Hits) == 0 {
			return checkpoint, copied, nil
		}
		if err := x.put(ctx, alias, page.Hits.Hits); err != nil {
			return fail(err)
		}
		copied += len(page.Hits.Hits)
		last = page.Hits.Hits[len(page.Hits.Hits)-1].Sort
	}
}

// stored is a document as an index holds it.
type stored struct {
	ID      string            `json:"_id"`
	Version int64             `json:"_version"`
	Source  json.RawMessage   `json:"_source"`
	Sort    []json.RawMessage `json:"sort"`
}

type storedPage struct {
	pageHead
	Hits struct {
		Hits []stored `json:"hits"`
	} `json:"hits"`
}

// stored reads a page of a point in time.
func (x *Index) stored(ctx context.Context, pit string, after int64, last []json.RawMessage, size int) (*storedPage, error) {
	var page storedPage
	err := x.walkPage(ctx, pit, object{"size": size, "query": object{"range": object{"_seq_no": object{"gt": after}}}}, last, &page)
	return &page, err
}

// put writes copies to an alias, however often it takes. Only what can never be
// written ends it, and ctx.
func (x *Index) put(ctx context.Context, alias string, documents []stored) error {
	waiting := make([][]byte, len(documents))
	names := make([]string, len(documents))
	for i := range documents {
		d := &documents[i]
		var a article.Article
		if err := json.Unmarshal(d.Source, &a); err != nil {
			return fmt.Errorf("document %q is no article: %w", d.ID, err)
		}
		lines, err := appendLines(nil, alias, &a, d.Version)
		if err != nil {
			return err
		}
		waiting[i], names[i] = lines, d.ID
	}
	most := len(waiting)
	for tries := 0; len(waiting) > 0; {
		n := 1
		for size := len(waiting[0]); n < min(most, len(waiting)) && size+len(waiting[n]) <= x.config.MaxBulk; n++ {
			size += len(waiting[n])
		}
		items, err := x.post(ctx, bytes.Join(waiting[:n], nil), n)
		var r *reply
		switch {
		case errors.As(err, &r) && r.verdict() == tooLarge && n > 1:
			most = n / 2
			continue
		case errors.As(err, &r) && (r.verdict() == permanent || r.verdict() == tooLarge):
			return fmt.Errorf("article %s: %w", names[0], err)
		}
		var again [][]byte
		var againNames []string
		for i := range n {
			v := temporary // of a request that failed as a whole
			if err == nil {
				r = &reply{status: items[i].Status, fault: items[i].Error}
				v = r.verdict()
			}
			switch v {
			case accepted, superseded:
			case permanent, tooLarge, noMonth:
				return fmt.Errorf("article %s cannot be written to %s: %w", names[i], alias, r)
			default:
				again, againNames = append(again, waiting[i]), append(againNames, names[i])
			}
		}
		waiting, names = append(again, waiting[n:]...), append(againNames, names[n:]...)
		if len(again) == 0 {
			tries = 0
			continue
		}
		if perr := pause(ctx, min(100*time.Millisecond<<min(tries, 10), 5*time.Second)); perr != nil {
			return errors.Join(perr, err)
		}
		tries++
	}
	return nil
}

// checkpoint is the sequence number up to which all writes to an index have
// been done, on every shard of it.
func (x *Index) checkpoint(ctx context.Context, index string) (int64, error) {
	var answer struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				Routing struct {
					Primary bool `json:"primary"`
				} `json:"routing"`
				Numbers struct {
					Global int64 `json:"global_checkpoint"`
				} `json:"seq_no"`
			} `json:"shards"`
		} `json:"indices"`
	}
	if err := x.do(ctx, esapi.IndicesStatsRequest{Index: []string{index}, Level: "shards"}, &answer); err != nil {
		return 0, err
	}
	lowest, found := int64(0), false
	for _, copies := range answer.Indices[index].Shards {
		for _, c := range copies {
			if c.Routing.Primary && (!found || c.Numbers.Global < lowest) {
				lowest, found = c.Numbers.Global, true
			}
		}
	}
	if !found {
		return 0, errors.New("it has no primary shard in use")
	}
	return lowest, nil
}

// maxMissing bounds how many ids an error names.
const maxMissing = 20

// compare makes sure that every document of one index is in another, in the
// same version or a newer one.
func (x *Index) compare(ctx context.Context, from, to string) error {
	fail := func(err error) error { return fmt.Errorf("comparing index %s with %s: %w", from, to, err) }
	if err := x.do(ctx, esapi.IndicesRefreshRequest{Index: []string{from}}, nil); err != nil {
		return fail(err)
	}
	pit, err := x.openPIT(ctx, from)
	if err != nil {
		return fail(err)
	}
	defer func() { x.closePIT(ctx, pit) }()
	var missing []string
	for last := []json.RawMessage(nil); ; {
		page, err := x.versionsAfter(ctx, pit, last)
		if err != nil {
			return fail(err)
		}
		if page.PIT != "" {
			pit = page.PIT
		}
		if len(page.Hits.Hits) == 0 {
			break
		}
		ids := make([]string, len(page.Hits.Hits))
		for i, h := range page.Hits.Hits {
			ids[i] = h.ID
			last = h.Sort
		}
		there, err := x.versionsOf(ctx, to, ids)
		if err != nil {
			return fail(err)
		}
		for i, h := range page.Hits.Hits {
			if there[i] < h.Version && len(missing) < maxMissing {
				missing = append(missing, h.ID)
			}
		}
	}
	if missing != nil {
		return fail(fmt.Errorf("%d articles or more are not in the new index as they were in the old one, which is kept: %q", len(missing), missing))
	}
	return nil
}

// versionsOf gives the versions of documents, 0 for those that are not there,
// as of now: also of what no search sees yet.
func (x *Index) versionsOf(ctx context.Context, index string, ids []string) ([]int64, error) {
	b, err := body(object{"ids": ids})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Docs []struct {
			Found   bool  `json:"found"`
			Version int64 `json:"_version"`
		} `json:"docs"`
	}
	if err := x.do(ctx, esapi.MgetRequest{Index: index, Body: b, Source: []string{"false"}}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Docs) != len(ids) {
		return nil, fmt.Errorf("Elasticsearch answers for %d of %d documents", len(answer.Docs), len(ids))
	}
	versions := make([]int64, len(ids))
	for i, d := range answer.Docs {
		if d.Found {
			versions[i] = d.Version
		}
	}
	return versions, nil
}
