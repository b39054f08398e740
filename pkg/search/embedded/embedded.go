// Package embedded is a search index in the process itself, on bleve's scorch:
// the default of a single machine. It implements search.Writer and
// search.Reader.
//
// The package sits directly on scorch rather than on bleve's Index: documents
// are built field by field without a mapping, and one loop over one snapshot
// sorts, pages and counts (see collect.go), so that total, facets and hits
// always speak of the same state.
//
// A retracted article is out of every reader's sight once Write has returned.
// Its old text stays in the segment files, as free space, until scorch merges
// them.
package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	index "github.com/blevesearch/bleve_index_api"
	"github.com/klauspost/compress/zstd"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/marsad-news/marsad/pkg/search"
)

// layout is the version of what document.go writes. Another one on disk is
// refused: the articles must be indexed anew.
const layout = "1"

// lockWait is how long Open waits for another process to let go of the
// directory.
const lockWait = "500ms"

// maxSegmentFile bounds what one merge writes, in bytes, so that merging never
// occupies a core for minutes.
const maxSegmentFile = 1 << 30

var (
	// ErrClosed is returned by all methods after Close.
	ErrClosed = errors.New("embedded index is closed")
	// ErrLocked is returned by Open when another process has the directory open.
	ErrLocked = errors.New("directory is in use by another process")
	// ErrDamaged is returned by Open for a directory that holds data but no
	// readable state. Nothing in it is changed.
	ErrDamaged = errors.New("index is damaged")
	// ErrLayout is returned by Open for an index of another version.
	ErrLayout = errors.New("index has another layout")
)

// Config says where the index lies.
type Config struct {
	// Dir is the directory, made if it is not there. Empty keeps the index in
	// memory: nothing is durable or merged, for tests and small demonstrations.
	Dir string
}

// Index is a search index in a directory, which belongs to one Index at a
// time. All methods are safe for concurrent use.
type Index struct {
	store    index.Index
	analysis *index.AnalysisQueue
	mapping  mapping.IndexMapping // bleve's queries want one; nothing is looked up in it
	encoder  *zstd.Encoder
	decoder  *zstd.Decoder

	writing chan struct{} // holds one token: the right to read versions and write

	mu     sync.RWMutex // held for reading by every call, for writing by Close
	closed bool
}

var (
	_ search.Writer = (*Index)(nil)
	_ search.Reader = (*Index)(nil)
)

// Open opens the index in cfg.Dir, or makes one. It waits at most half a
// second for another process to let go of it. Call Close when done.
func Open(cfg Config) (*Index, error) {
	if cfg.Dir != "" {
		if err := inspect(cfg.Dir); err != nil {
			return nil, fmt.Errorf("opening index %s: %w", cfg.Dir, err)
		}
	}
	x, err := open(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening index %s: %w", cfg.Dir, err)
	}
	return x, nil
}

func open(dir string) (*Index, error) {
	// On articles of 7 KB zstd leaves 30 % less than the snappy of the segment
	// files alone; its default level leaves another 4 % at 3.5 times the cost.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(128<<10), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxStored))
	if err != nil {
		return nil, err
	}
	analysis := index.NewAnalysisQueue(runtime.GOMAXPROCS(0))
	store, err := openStore(dir, false, analysis)
	if err != nil {
		analysis.Close()
		return nil, err
	}
	x := &Index{
		store: store, analysis: analysis, mapping: mapping.NewIndexMapping(),
		encoder: encoder, decoder: decoder, writing: make(chan struct{}, 1),
	}
	if err := markLayout(store); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func openStore(dir string, readOnly bool, analysis *index.AnalysisQueue) (index.Index, error) {
	store, err := scorch.NewScorch(scorch.Name, map[string]any{
		"path": dir, "read_only": readOnly, "bolt_timeout": lockWait, "numSnapshotsToKeep": 1,
		// Without unsafe_batch, and without a nap, the persister writes each
		// batch at once. See Write for what that guarantees.
		"unsafe_batch":           false,
		"scorchPersisterOptions": map[string]any{"PersisterNapTimeMSec": 0},
		// The floor, in articles, is the size of a busy stream's batch. Scorch's
		// own of 2000 merges after every third batch and writes five times as
		// much.
		"scorchMergePlanOptions": map[string]any{
			"MaxSegmentsPerTier": 10, "SegmentsPerMergeTask": 10, "TierGrowth": 10.0, "ReclaimDeletesWeight": 2.0,
			"MaxSegmentSize": 5_000_000, "MaxSegmentFileSize": maxSegmentFile, "FloorSegmentSize": 200,
		},
	}, analysis)
	if err != nil {
		return nil, err
	}
	err = store.Open()
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: stop it or choose another directory", ErrLocked)
	}
	if err != nil {
		return nil, err
	}
	return store, nil
}

// inspect looks at dir before scorch opens it for writing, because scorch
// takes a state that it cannot load for an empty index and removes its files.
// What a process killed while making the index leaves behind is cleared away.
func inspect(dir string) error {
	segments, err := segmentFiles(dir)
	if err != nil {
		return err
	}
	root := filepath.Join(dir, "root.bolt")
	switch info, err := os.Stat(root); {
	case errors.Is(err, os.ErrNotExist) && len(segments) == 0:
		return nil
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: it has segments but no root.bolt; restore it or index anew in an empty directory", ErrDamaged)
	case err != nil:
		return err
	case info.Size() == 0 && len(segments) == 0:
		return nil
	}
	analysis := index.NewAnalysisQueue(1)
	defer analysis.Close()
	store, err := openStore(dir, true, analysis)
	switch {
	case errors.Is(err, ErrLocked):
		return err
	case err != nil && len(segments) == 0:
		// Written in part: no batch was ever durable.
		return os.Remove(root)
	case err != nil:
		return fmt.Errorf("%w: %w; restore it or index anew in an empty directory", ErrDamaged, err)
	}
	defer store.Close()
	mark, err := internal(store, layoutKey)
	if err == nil {
		err = loadable(store)
	}
	if err != nil || mark == nil && len(segments) > 0 {
		return fmt.Errorf("%w: its state cannot be read (%w); restore it or index anew in an empty directory", ErrDamaged, err)
	}
	return nil
}

// loadable checks the newest state: scorch falls back on an older one, if it
// is still there, and so would forget what was written since.
func loadable(store index.Index) error {
	s, ok := store.(*scorch.Scorch)
	if !ok {
		return fmt.Errorf("store is a %T", store)
	}
	epochs, err := s.RootBoltSnapshotEpochs()
	if err != nil || len(epochs) == 0 {
		return err
	}
	newest, err := s.LoadSnapshot(epochs[0])
	if err != nil {
		return err
	}
	return newest.Close()
}

// segmentFiles lists the names of the segments in dir, none if it is not there.
func segmentFiles(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".zap" {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

const layoutKey = "marsad.layout"

// markLayout checks the layout, and writes it into a new index.
func markLayout(store index.Index) error {
	have, err := internal(store, layoutKey)
	switch {
	case err != nil:
		return err
	case have == nil:
		return store.SetInternal([]byte(layoutKey), []byte(layout))
	case !bytes.Equal(have, []byte(layout)):
		return fmt.Errorf("%w: it has %q, this program writes %q; index anew in an empty directory", ErrLayout, have, layout)
	}
	return nil
}

func internal(store index.Index, key string) ([]byte, error) {
	r, err := store.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.GetInternal([]byte(key))
}

// Close waits for calls under way, then ends the background work and lets go
// of the directory. All that Write reported as written is durable already. A
// second Close does nothing.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	err := x.store.Close()
	x.analysis.Close()
	x.decoder.Close()
	return errors.Join(err, x.encoder.Close())
}

// reader gives a snapshot of the index; release it when done.
func (x *Index) reader() (r index.IndexReader, release func(), err error) {
	x.mu.RLock()
	if x.closed {
		x.mu.RUnlock()
		return nil, nil, ErrClosed
	}
	r, err = x.store.Reader()
	if err != nil {
		x.mu.RUnlock()
		return nil, nil, fmt.Errorf("reading index: %w", err)
	}
	return r, func() {
		r.Close()
		x.mu.RUnlock()
	}, nil
}
