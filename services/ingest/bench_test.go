package ingest

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
)

// BenchmarkDecide resolves new articles with guid, URL and text, and reports
// what the state holds for each.
func BenchmarkDecide(b *testing.B) {
	known, now := newIdentities(), time.Now()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		raw := article.Raw{Source: article.Source{ID: "s"}, GUID: fmt.Sprint("guid-", n), URL: fmt.Sprint("https://e.example/", n), Title: "t", Body: fmt.Sprint(long, n)}
		if err := raw.Clean(now); err != nil {
			b.Fatal(err)
		}
		changes := &overlay{base: known, top: newIdentities()}
		d := changes.decide(&raw, bus.Record{Offset: int64(n), Time: now}, now)
		known.apply(d.entry)
		n++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "state-B/article")
	runtime.KeepAlive(known)
}
