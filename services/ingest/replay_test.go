package ingest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"pgregory.net/rapid"
)

// A replay gives the ids and revisions that went to articles.clean, from the
// first record and from any later one with the state before it.
func TestReplayDecidesTheSame(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t, now)
		from := rapid.IntRange(0, len(records)).Draw(t, "from")
		_, states := play(t, newIdentities(), records[:from], now)
		replay := NewReplay()
		for _, m := range states {
			s, err := ReadState(bus.Record{Key: m.Key, Value: m.Value})
			if err != nil {
				t.Fatal(err)
			}
			if s.ID != string(m.Key) || s.Offset >= int64(from) || s.Written.IsZero() {
				t.Fatalf("state %+v", s)
			}
			replay.Begin(s)
		}
		cleaned, _ := play(t, newIdentities(), records, now)
		for _, r := range records[from:] {
			d, err := replay.Next(r)
			if err != nil || d.Revision == 0 {
				continue // whatever it gave, it would be left over below
			}
			k := fmt.Sprintf("%d %s/%d", r.Offset, d.ID, d.Revision)
			if _, ok := cleaned[k]; !ok {
				t.Fatalf("the replay gives %s (%+v), ingest did not", k, d)
			}
			delete(cleaned, k)
		}
		for k := range cleaned {
			if offsetOf(k) >= int64(from) {
				t.Fatalf("ingest gave %s, the replay does not", k)
			}
		}
	})
}

// drawRecords makes records of articles.raw that meet each other's names and
// texts, some of them no articles.
func drawRecords(t *rapid.T, now time.Time) (records []bus.Record) {
	for i := range rapid.IntRange(1, 30).Draw(t, "n") {
		raw := article.Raw{
			Source: article.Source{ID: "s"}, GUID: rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "guid"),
			URL:   rapid.SampledFrom([]string{"", "https://e.example/1", "https://e.example/2"}).Draw(t, "url"),
			Title: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "title"), Body: rapid.SampledFrom([]string{"", long}).Draw(t, "body"),
			Status: rapid.SampledFrom([]article.Status{"", "usable", "withheld", "canceled"}).Draw(t, "status"),
		}
		v, _ := article.Encode(&raw)
		records = append(records, bus.Record{Offset: int64(i), Value: v, Time: now.Add(time.Duration(i) * time.Millisecond)})
	}
	return records
}

func TestReplayOutcomes(t *testing.T) {
	now := time.Now().UTC()
	replay := NewReplay()
	var id string
	for i, step := range []struct {
		value    string
		outcome  Outcome
		revision int64
	}{
		{`{"guid":"1","title":"one","body":"` + long + `"}`, Created, 1},
		{`{"guid":"1","title":"one","body":"` + long + `"}`, Unchanged, 0},
		{`{"guid":"2","title":"one","body":"` + long + `"}`, Unchanged, 0}, // a copy, whose guid is learned
		{`{"guid":"2","title":"two"}`, Revised, 2},
		{`{"guid":"1","title":"later","embargoed":"` + now.Add(time.Hour).Format(time.RFC3339) + `"}`, Held, 3},
		{`{"guid":"1","status":"canceled"}`, Retracted, 4},
		{`{"guid":"1","title":"too late"}`, Refused, 0},
	} {
		d, err := replay.Next(bus.Record{Offset: int64(i), Key: []byte("s"), Value: []byte(step.value), Time: now})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			id = d.ID
		}
		if d.Outcome != step.outcome || d.Revision != step.revision || d.ID != id || d.Revision > 0 && !d.Received.Equal(now) {
			t.Errorf("record %d gives %+v, want %s of %s/%d", i, d, step.outcome, id, step.revision)
		}
	}
	if _, err := replay.Next(bus.Record{Value: []byte("{"), Key: []byte("s"), Time: now}); err == nil || errors.Is(err, article.ErrSchema) {
		t.Errorf("junk gives error %v", err)
	}
	if _, err := replay.Next(bus.Record{Value: []byte(`{"schema":99,"title":"t"}`), Key: []byte("s"), Time: now}); !errors.Is(err, article.ErrSchema) {
		t.Errorf("a newer schema gives error %v", err)
	}
}
