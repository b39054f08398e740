// Package backfill writes a time range of articles.enriched into the search
// index again, through a consumer group of its own, while live traffic goes on.
//
//	articles.enriched, from ─► to ─► filter ─► (enrich anew) ─► rate ─► search.Writer
//
// It writes to the index alone: the live stream and whoever else reads
// articles.enriched does not see the articles again. Versions make it harmless:
// a newer revision, a higher generation and a tombstone stay.
package backfill

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/index"
	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// Config says what is written again.
type Config struct {
	From, To        time.Time // half-open range of the time of writing to articles.enriched
	Rate            int       // articles a second at most, of this process; zero means 200
	Sources         []string  // only of these; empty means of all
	RetentionMonths int       // articles of older buckets are left out, as index does; zero means none are
	Reenrich        bool      // by Deps.Enricher; false writes the articles as they are
}

// Group is the consumer group of a job: the same for the same range, sources and
// enrichment, so that a run that was ended goes on where it was, and several can
// share the work.
func (c Config) Group() string {
	const form = "20060102T150405.000"
	name := fmt.Sprintf("marsad-backfill-%s-%s", c.From.UTC().Format(form), c.To.UTC().Format(form))
	if c.Reenrich {
		name += "-reenrich"
	}
	if len(c.Sources) > 0 {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q", slices.Sorted(slices.Values(c.Sources))))
		name += "-" + hex.EncodeToString(sum[:4])
	}
	return name
}

// Deps is what a backfill is wired to. Cluster and Writer are required.
type Deps struct {
	Cluster   *bus.Cluster
	Writer    search.Writer
	Enricher  *enrich.Enricher                            // required with Config.Reenrich
	Migrating func(ctx context.Context) ([]string, error) // months that are being migrated; nil means none ever
	Progress  func(Counts)                                // is called now and then; nil means never
	Log       *zap.Logger                                 // nil logs nothing
	Now       func() time.Time                            // the clock; nil means time.Now
}

// Counts says what became of the records of a range, in this process.
type Counts struct {
	Indexed    int `json:"indexed"`
	Tombstoned int `json:"tombstoned"`
	Superseded int `json:"superseded"` // the index has a newer version
	Retracted  int `json:"retracted"`  // left alone: the article was retracted since, or is withheld
	Expired    int `json:"expired"`    // older than the index keeps
	Filtered   int `json:"filtered"`   // of another source
	Rejected   int `json:"rejected"`   // dead letters
	Left       int `json:"left"`       // records of the range not done yet, by anybody
}

// run is a backfill under way.
type run struct {
	cfg    Config
	deps   Deps
	ends   map[int]int64
	starts map[int]int64
	limit  *rate.Limiter
	gone   *hidden

	mu     sync.Mutex
	counts Counts
}

// pollEvery is how often a run looks whether it is done.
const pollEvery = 500 * time.Millisecond

// Run writes the range again and returns once all of it is done, or ctx has
// ended: then Counts.Left tells what is left, and the same Config goes on.
func Run(ctx context.Context, cfg Config, deps Deps) (Counts, error) {
	if !cfg.From.Before(cfg.To) {
		return Counts{}, fmt.Errorf("the range is empty: from %v to %v", cfg.From, cfg.To)
	}
	if cfg.Reenrich && deps.Enricher == nil {
		return Counts{}, errors.New("backfill lacks an enricher")
	}
	if cfg.Rate == 0 {
		cfg.Rate = 200
	}
	if deps.Log == nil {
		deps.Log = zap.NewNop()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	r := &run{cfg: cfg, deps: deps, limit: rate.NewLimiter(rate.Limit(cfg.Rate), cfg.Rate)}
	if err := r.atRest(ctx); err != nil {
		return Counts{}, err
	}
	var err error
	if r.starts, err = deps.Cluster.OffsetsAt(ctx, bus.TopicEnriched, cfg.From); err != nil {
		return Counts{}, err
	}
	if r.ends, err = deps.Cluster.OffsetsAt(ctx, bus.TopicEnriched, cfg.To); err != nil {
		return Counts{}, err
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	if r.gone, err = followHidden(following, deps.Cluster); err != nil {
		return Counts{}, err
	}
	counts, err := r.consume(ctx)
	stop()
	<-r.gone.ended
	return counts, errors.Join(err, r.gone.err)
}

// atRest is an error while months are being migrated: the index that they are
// copied to may lack the tombstones yet that keep retracted texts away.
func (r *run) atRest(ctx context.Context) error {
	if r.deps.Migrating == nil {
		return nil
	}
	months, err := r.deps.Migrating(ctx)
	if err == nil && len(months) > 0 {
		err = fmt.Errorf("months are being migrated (%v): go on once \"marsad index migrate\" is done", months)
	}
	return err
}

// consume runs the consumer until the range is done or ctx ends.
func (r *run) consume(ctx context.Context) (Counts, error) {
	dead := bus.NewProducer(r.deps.Cluster, bus.TopicDead)
	group := r.cfg.Group()
	c, err := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: r.deps.Cluster, Group: group, Topic: bus.TopicEnriched, Stage: "backfill", DeadLetters: dead,
		Open:         func(context.Context, int) (bus.Handler, error) { return r.handle, nil },
		Start:        func(_ context.Context, p int) (int64, error) { return r.starts[p], nil },
		BatchRecords: min(500, r.cfg.Rate), MaxInFlight: 32 << 20, Log: r.deps.Log,
	})
	if err != nil {
		return Counts{}, err
	}
	working, done := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(c.Run(working), dead.Close()) }()
	finished := r.await(working)
	done()
	err = <-ended
	counts := r.snapshot()
	if finished {
		err = errors.Join(err, r.forget(ctx))
	} else {
		left, lerr := r.left(context.WithoutCancel(ctx))
		counts.Left, err = left, errors.Join(err, lerr)
	}
	return counts, err
}

// forget deletes the group, unless others who share the work are still in it:
// the last of them does it.
func (r *run) forget(ctx context.Context) error {
	err := r.deps.Cluster.DeleteGroup(ctx, r.cfg.Group())
	if errors.Is(err, kafka.NonEmptyGroup) {
		return nil
	}
	return err
}

// await returns true once nothing is left, and false when ctx has ended.
func (r *run) await(ctx context.Context) bool {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		left, err := r.left(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil && left == 0:
			return true
		}
		if err != nil {
			r.deps.Log.Warn("asking what is left, trying again", zap.Error(err))
		}
		if r.deps.Progress != nil && err == nil {
			counts := r.snapshot()
			counts.Left = left
			r.deps.Progress(counts)
		}
		select {
		case <-ctx.Done():
			return false
		case <-r.gone.ended: // without knowing what is retracted nothing may be written
			return false
		case <-tick.C:
		}
	}
}

// left counts the offsets of the range that are not committed.
func (r *run) left(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	committed, err := r.deps.Cluster.Committed(ctx, r.cfg.Group(), bus.TopicEnriched)
	if err != nil {
		return 0, err
	}
	left := 0
	for p, end := range r.ends {
		left += int(max(0, end-max(committed[p], r.starts[p])))
	}
	return left, nil
}

// handle writes one batch again.
func (r *run) handle(ctx context.Context, batch []bus.Record) error {
	if err := r.atRest(ctx); err != nil {
		return &bus.OutageError{Err: err} // waits, and skips nothing
	}
	var (
		articles []article.Article
		origin   []int
		failed   []bus.RecordError
		seen     Counts
	)
	oldest := index.OldestBucket(r.cfg.RetentionMonths, r.deps.Now())
	for i, rec := range batch {
		if rec.Offset >= r.ends[rec.Partition] {
			continue
		}
		a, err := article.Decode(rec.Value)
		switch {
		case errors.Is(err, article.ErrSchema):
			return &bus.OutageError{Err: fmt.Errorf("%s offset %d: %w", rec.Topic, rec.Offset, err)}
		case err != nil:
			failed = append(failed, bus.RecordError{Index: i, Err: err, Do: bus.Reject})
			continue
		case len(r.cfg.Sources) > 0 && !slices.Contains(r.cfg.Sources, a.Source.ID):
			seen.Filtered++
			continue
		case a.Bucket < oldest:
			seen.Expired++
			continue
		case a.Status == article.Usable && r.gone.has(a.ID):
			seen.Retracted++
			continue
		}
		if r.cfg.Reenrich && a.Status == article.Usable {
			if err := r.deps.Enricher.Enrich(ctx, &a); err != nil {
				failed = append(failed, bus.RecordError{Index: i, Err: err, Do: bus.Reject})
				continue
			}
			a.Enriched = r.deps.Now().UTC()
		}
		articles, origin = append(articles, a), append(origin, i)
	}
	if err := r.limit.WaitN(ctx, len(articles)); err != nil {
		return err
	}
	outcomes, err := r.deps.Writer.Write(ctx, articles)
	refused, err := index.Refused(err, origin)
	if err != nil {
		return err
	}
	failed = append(failed, refused...)
	r.count(seen, outcomes, failed)
	if failed != nil {
		return &bus.BatchError{Records: failed}
	}
	return nil
}

func (r *run) count(seen Counts, outcomes []search.Outcome, failed []bus.RecordError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Filtered += seen.Filtered
	r.counts.Expired += seen.Expired
	r.counts.Retracted += seen.Retracted
	for _, o := range outcomes {
		switch o {
		case search.Indexed:
			r.counts.Indexed++
		case search.Tombstoned:
			r.counts.Tombstoned++
		case search.Superseded:
			r.counts.Superseded++
		}
	}
	for _, f := range failed {
		if f.Do == bus.Reject {
			r.counts.Rejected++
		}
	}
}

func (r *run) snapshot() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}
