package embedded

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/marsad-news/marsad/pkg/search"
)

func TestState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := func(label string) instant {
			return instantOf(time.Unix(rapid.Int64Range(yearOne-1, 253402300799).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns")))
		}
		want := state{
			version: rapid.Int64Range(0, math.MaxInt64).Draw(t, "version"), digest: rapid.Uint64Range(0, 1<<63-1).Draw(t, "digest"),
			status: statusUsable, received: when("received"), published: when("published"),
		}
		b := want.encode()
		if bytes.IndexByte(b, 0xff) >= 0 {
			t.Fatalf("%x holds the separator of doc values", b)
		}
		if got, ok := decodeState(b); !ok || got != want {
			t.Fatalf("decoded %+v, %v, want %+v", got, ok, want)
		}
	})
	if _, ok := decodeState([]byte("short")); ok {
		t.Error("a short state was read")
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(position{when: instant{5, 6}, id: "é"}.cursor(search.ByReceived))
	f.Add(position{score: 0.5}.cursor(search.ByRelevance))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseCursor(s, search.ByReceived)
		if err != nil {
			if !errors.Is(err, search.ErrRequest) {
				t.Errorf("error is %v, want ErrRequest", err)
			}
			return
		}
		if got := p.cursor(search.ByReceived); got != s {
			t.Errorf("%q is read as %+v, which is written %q", s, p, got)
		}
	})
}
