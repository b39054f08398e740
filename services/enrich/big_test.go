package enrich

import (
	"context"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// TestEnrichLargeInput runs texts of the greatest size that comes in: work
// stays linear, and what is listed stays bounded.
func TestEnrichLargeInput(t *testing.T) {
	if testing.Short() {
		t.Skip("4 MiB texts")
	}
	e := newTestEnricher(t)
	const size = 4 << 20
	for _, unit := range []string{"Paris ", "الولايات المتحدة ", "papua new ", "a", "\u202e\xff", "- "} {
		a := article.Article{Body: strings.Repeat(unit, size/len(unit)), Language: "en"}
		if err := e.Enrich(context.Background(), &a); err != nil {
			t.Fatal(err)
		}
		for _, entity := range a.Entities {
			if len(entity.Mentions) > 1000 {
				t.Errorf("%q: %d mentions listed", unit, len(entity.Mentions))
			}
		}
	}
}
