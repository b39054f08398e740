package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/ledger"
	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
)

// nothing is an index without articles.
type nothing struct{}

func (nothing) Versions(context.Context, func(string, int64, article.Status) error) error { return nil }

// A pipeline that does not come to rest in time has no ledger; an empty one
// balances.
func TestLedgerWaits(t *testing.T) {
	c := bustest.New(t, 1)
	l, err := drawUp(t.Context(), c, nothing{}, ledger.Config{}, 0)
	if err != nil || !l.Balanced() {
		t.Fatalf("an empty pipeline: %+v, error %v", l, err)
	}
	p := bus.NewProducer(c, bus.TopicClean)
	defer p.Close()
	if err := p.Write(t.Context(), bus.Message{Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	const wait = 600 * time.Millisecond
	start := time.Now()
	_, err = drawUp(t.Context(), c, nothing{}, ledger.Config{}, wait)
	if err == nil || err.Error() != "not at rest: 1 records of articles.clean wait for group marsad-enrich" || time.Since(start) < wait {
		t.Errorf("after %v: error %v", time.Since(start), err)
	}
}

func TestLedgerReport(t *testing.T) {
	for _, l := range []ledger.Ledger{{In: 2, Indexed: 1, Held: 1}, {In: 2, Indexed: 1}, {In: 1, Indexed: 1, FaultsAll: 1, Faults: []string{"why"}}} {
		var text, js bytes.Buffer
		err := printLedger(&text, &l, false)
		if (err == nil) != l.Balanced() || strings.Contains(text.String(), "NOT BALANCED") == l.Balanced() {
			t.Errorf("error %v, text:\n%s", err, &text)
		}
		if err := printLedger(&js, &l, true); (err == nil) != l.Balanced() {
			t.Errorf("error %v", err)
		}
		var got struct {
			Balanced bool
			In       int
			Faults   []string
		}
		if err := json.Unmarshal(js.Bytes(), &got); err != nil || got.Balanced != l.Balanced() || got.In != l.In || len(got.Faults) != len(l.Faults) {
			t.Errorf("JSON %s, error %v", &js, err)
		}
	}
}
