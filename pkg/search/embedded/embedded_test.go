package embedded

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/marsad-news/marsad/pkg/search/searchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is an Index, which needs no refresh.
type backend struct{ *Index }

func (backend) Refresh() {}

func TestSuite(t *testing.T) {
	t.Run("disk", func(t *testing.T) {
		searchtest.Run(t, func(t *testing.T) searchtest.Backend { return backend{mustOpen(t, t.TempDir())} })
	})
	t.Run("memory", func(t *testing.T) {
		searchtest.Run(t, func(t *testing.T) searchtest.Backend { return backend{mustOpen(t, "")} })
	})
}

func mustOpen(tb testing.TB, dir string) *Index {
	tb.Helper()
	x, err := Open(Config{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := x.Close(); err != nil {
			tb.Error(err)
		}
	})
	return x
}
