package stack_test

import (
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// TestVersionsDuplicate has an article in two months, which only a fault can
// bring about: both documents are told.
func TestVersionsDuplicate(t *testing.T) {
	x := open(t)
	october, september := full("a"), full("a")
	september.Bucket, september.Revision = "2026-09", 2
	if _, err := x.Write(t.Context(), []article.Article{october, september}); err != nil {
		t.Fatal(err)
	}
	got := map[int64]string{}
	err := x.Versions(t.Context(), func(id string, version int64, status article.Status) error {
		got[version] = id + " " + string(status)
		return nil
	})
	if err != nil || len(got) != 2 || got[october.Version()] != "a usable" || got[september.Version()] != "a usable" {
		t.Errorf("got %v, error %v, want a in both versions", got, err)
	}
}
