// Package ledger proves from the topics and the index alone, without asking
// any process, that nothing was lost and nothing is there twice:
//
//	articles.raw ──replayed by ingest's own code──► revisions
//	articles.clean, articles.enriched, articles.dlq ► how far each came
//	the index ────────────────────────────────────► what is there in the end
//
// It holds ids and versions in memory, no texts: some 400 bytes an article,
// and beside them what ingest holds for one partition of articles.raw.
package ledger

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/services/index"
)

// Ledger says what became of every record of articles.raw: each has one fate.
// A dead letter that was replayed into articles.raw is a record of its own; one
// that was replayed into a later topic counts as what it became.
type Ledger struct {
	In           int `json:"in"`            // records kept in articles.raw
	Indexed      int `json:"indexed"`       // articles that readers find
	Superseded   int `json:"superseded"`    // revisions overtaken by a later one
	Unchanged    int `json:"unchanged"`     // repetitions and exact copies
	Retracted    int `json:"retracted"`     // tombstones, and what came for them later
	Withheld     int `json:"withheld"`      // not to be shown for now
	Held         int `json:"held"`          // under embargo
	DeadLettered int `json:"dead_lettered"` // given up by some stage
	Expired      int `json:"expired"`       // older than the index keeps
	Unproven     int `json:"unproven"`      // retention took what would tell: see Notes

	Recovered int      `json:"recovered"` // revisions that were dead letters and got through all the same
	FaultsAll int      `json:"faults_all"`
	Faults    []string `json:"faults"` // the first MaxFaults of them
	Notes     []string `json:"notes"`  // what the topics no longer tell
}

// MaxFaults is how many faults a ledger names.
const MaxFaults = 100

// Out is the sum of all that In is known to have become.
func (l *Ledger) Out() int {
	return l.Indexed + l.Superseded + l.Unchanged + l.Retracted + l.Withheld + l.Held + l.DeadLettered + l.Expired
}

// Balanced tells whether nothing was lost and nothing is there twice, as far
// as the topics reach back.
func (l *Ledger) Balanced() bool { return l.In == l.Out()+l.Unproven && l.FaultsAll == 0 }

func (l *Ledger) fault(format string, args ...any) {
	if l.FaultsAll++; len(l.Faults) < MaxFaults {
		l.Faults = append(l.Faults, fmt.Sprintf(format, args...))
	}
}

func (l *Ledger) note(format string, args ...any) {
	l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
}

// Print writes the ledger.
func (l *Ledger) Print(w io.Writer) {
	for _, row := range []struct {
		name   string
		n      int
		what   string
		always bool
	}{
		{"in", l.In, "records in articles.raw", true},
		{"indexed", l.Indexed, "articles that readers find", true},
		{"superseded", l.Superseded, "revisions overtaken by a later one", true},
		{"unchanged", l.Unchanged, "repetitions and exact copies of one source", true},
		{"retracted", l.Retracted, "kill notices, and what came after them", true},
		{"withheld", l.Withheld, "not to be shown for now", true},
		{"held", l.Held, "under embargo", true},
		{"dead-lettered", l.DeadLettered, "could not be processed; see \"marsad dlq list\"", true},
		{"expired", l.Expired, "older than the index keeps", true},
		{"unproven", l.Unproven, "the topics no longer tell", false},
		{"recovered", l.Recovered, "of the above were dead letters once, and got through later", false},
	} {
		if row.always || row.n > 0 {
			fmt.Fprintf(w, "  %-14s %7d  %s\n", row.name, row.n, row.what)
		}
	}
	for _, n := range l.Notes {
		fmt.Fprintln(w, "  note:", n)
	}
	for _, f := range l.Faults {
		fmt.Fprintln(w, "  fault:", f)
	}
	if more := l.FaultsAll - len(l.Faults); more > 0 {
		fmt.Fprintf(w, "  and %d faults more\n", more)
	}
	switch {
	case !l.Balanced():
		fmt.Fprintf(w, "  NOT BALANCED: %d in, %d out, %d unproven, %d faults\n", l.In, l.Out(), l.Unproven, l.FaultsAll)
	case l.Unproven > 0:
		fmt.Fprintf(w, "  balanced as far as the topics tell: %d in = %d out + %d unproven\n", l.In, l.Out(), l.Unproven)
	default:
		fmt.Fprintf(w, "  balanced: %d in = %d out\n", l.In, l.Out())
	}
}

// Index is what is asked of the index: see search.Reader.
type Index interface {
	Versions(ctx context.Context, fn func(id string, version int64, status article.Status) error) error
}

// Config says by which rules the pipeline ran.
type Config struct {
	RetentionMonths int              // index's own setting; zero means that nothing expires
	DroppedBefore   string           // YYYY-MM: months before it were dropped by hand; empty means none
	Now             func() time.Time // the clock; nil means time.Now
}

// Compute reads the topics and the index. The error is a *RestError while the
// pipeline still works: what is on its way has no fate yet.
func Compute(ctx context.Context, c *bus.Cluster, ix Index, cfg Config) (Ledger, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b := newBook(c, cfg.Now(), max(cfg.DroppedBefore, index.OldestBucket(cfg.RetentionMonths, cfg.Now())))
	notes, err := atRest(ctx, c)
	if err != nil {
		return b.Ledger, err
	}
	before, err := ends(ctx, c)
	if err != nil {
		return b.Ledger, err
	}
	b.Notes = notes
	for _, read := range []func(context.Context) error{b.readLetters, b.readEnriched, b.readClean, b.readHeld, b.readRaw} {
		if err := read(ctx); err != nil {
			return b.Ledger, err
		}
	}
	if err := b.readIndex(ctx, ix); err != nil {
		return b.Ledger, err
	}
	b.close()
	return b.Ledger, b.stillAtRest(ctx, before)
}
