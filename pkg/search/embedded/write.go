package embedded

import (
	"context"
	"fmt"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// Write implements search.Writer. An article whose version and content are
// those of the index already is left alone and reported as written.
//
// It is durable before it returns: without unsafe_batch, scorch's Batch waits
// until the persister has written and fsynced the segment file (zapx Persist),
// and committed (bbolt Commit: fdatasync) and synced root.bolt, which names
// it (scorch.prepareSegment, persistSnapshotDirect; bleve 2.6.3). What scorch
// does not sync is the directory entry of a new segment: that survives a kill
// of the process, and on common file systems, which order it, a power cut.
//
// One batch is written at a time; ctx is honoured until that begins. When the
// disk refuses a batch the error speaks for all of it; readers may see it all
// the same, and writing it again is safe.
func (x *Index) Write(ctx context.Context, articles []article.Article) ([]search.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("writing to index: %w", err)
	}
	docs, refused := x.documents(articles)
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, ErrClosed
	}
	select {
	case x.writing <- struct{}{}:
		defer func() { <-x.writing }()
	case <-ctx.Done():
		return nil, fmt.Errorf("writing to index: %w", ctx.Err())
	}
	present, err := x.present(docs)
	if err != nil {
		return nil, fmt.Errorf("reading versions from index: %w", err)
	}
	batch := index.NewBatch()
	outcomes := decide(docs, present, batch)
	if len(batch.IndexOps) > 0 {
		if err := x.store.Batch(batch); err != nil {
			return nil, fmt.Errorf("writing %d articles to index: %w", len(batch.IndexOps), err)
		}
	}
	if len(refused) > 0 {
		return outcomes, &search.BatchError{Items: refused}
	}
	return outcomes, nil
}

// prepared is an article ready for the index; doc is nil where it was refused.
type prepared struct {
	doc *document.Document
	state
}

func (x *Index) documents(articles []article.Article) (docs []prepared, refused []search.ItemError) {
	docs = make([]prepared, len(articles))
	for i := range articles {
		doc, s, err := x.document(&articles[i])
		if err != nil {
			refused = append(refused, search.ItemError{Index: i, Err: err, Permanent: true})
			continue
		}
		docs[i] = prepared{doc, s}
	}
	return docs, refused
}

// present reads the states that the index has of docs, in one pass.
func (x *Index) present(docs []prepared) (map[string]state, error) {
	ids := make([]string, 0, len(docs))
	for i := range docs {
		if docs[i].doc != nil {
			ids = append(ids, docs[i].doc.ID())
		}
	}
	r, err := x.store.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return lookup(r, ids)
}

// lookup gives the states of those of ids that are in the index.
func lookup(r index.IndexReader, ids []string) (map[string]state, error) {
	found := make(map[string]state)
	numbers, err := r.DocIDReaderOnly(ids)
	if err != nil {
		return nil, err
	}
	defer numbers.Close()
	values, err := newStates(r)
	if err != nil {
		return nil, err
	}
	for {
		number, err := numbers.Next()
		if err != nil || number == nil {
			return found, err
		}
		id, err := r.ExternalID(number)
		if err != nil {
			return nil, err
		}
		s, ok, err := values.of(number)
		if err != nil {
			return nil, err
		}
		if ok {
			found[id] = s
		}
	}
}

// decide gives an outcome for each of docs, in order, and puts what is to be
// written into batch. It keeps present up to date.
func decide(docs []prepared, present map[string]state, batch *index.Batch) []search.Outcome {
	outcomes := make([]search.Outcome, len(docs))
	for i := range docs {
		d := &docs[i]
		if d.doc == nil {
			continue // search.Failed
		}
		have, ok := present[d.doc.ID()]
		if ok && d.version < have.version {
			outcomes[i] = search.Superseded
			continue
		}
		outcomes[i] = search.Indexed
		if d.status != statusUsable {
			outcomes[i] = search.Tombstoned
		}
		if !ok || d.state != have {
			batch.Update(d.doc)
			present[d.doc.ID()] = d.state
		}
	}
	return outcomes
}
