package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// TestBackfill loses the indices of all months and has marsad backfill bring
// them back, enriched anew, while articles go on coming in: the ledger balances,
// so nothing that was retracted came back. Then the months are migrated under
// load.
func TestBackfill(t *testing.T) {
	r := newRig(t)
	l := startLoad(r, random(t))
	l.allow(2000)
	l.wait(2000, time.Minute)
	r.balance(2 * time.Minute)
	dropped, err := r.index.DropBefore(t.Context(), "9999-12")
	if err != nil || len(dropped) == 0 {
		t.Fatalf("dropped %q, error %v", dropped, err)
	}
	stop := l.flow(100)
	from := time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	out := r.marsad(t.Context(), "backfill", "--from", from, "--reenrich", "--rate", "2000")
	t.Logf("%d indices lost; backfill: %s", len(dropped), strings.TrimSpace(out))
	steps := 0
	if err := r.index.Migrate(t.Context(), elastic.MigrateOptions{All: true, Step: func(string, ...any) { steps++ }}); err != nil {
		t.Errorf("migrating under load, after %d steps: %v", steps, err)
	}
	stop()
	l.finish(2 * time.Minute)
	r.balance(2 * time.Minute)
	l.verify()
}
