package searchtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

func writeTests() []test {
	return []test{
		{"whole article comes back", func(t *testing.T, x index) {
			want := news("a", entity("Q1028", "MA"), topic("medtop:20000103", "medtop:02000000"))
			x.write(t, want)
			got, err := x.Get(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Get (-want +got):\n%s", diff)
			}
			hits := x.search(t, search.Request{Size: 1}).Hits
			if len(hits) != 1 {
				t.Fatalf("found %d, want 1", len(hits))
			}
			if diff := cmp.Diff(want, hits[0].Article); diff != "" {
				t.Errorf("Search (-want +got):\n%s", diff)
			}
		}},
		{"nothing written", func(t *testing.T, x index) { x.write(t) }},
		{"versions", versions},
		{"versions in a batch", versionsInBatch},
		{"the same twice in a batch", func(t *testing.T, x index) {
			got := x.write(t, news("a"), news("a"))
			wantOutcomes(t, got, search.Indexed, search.Indexed)
			wantIDs(t, x.find(t, search.Request{}), "a")
		}},
		{"unicode ids and sources", func(t *testing.T, x index) {
			ids := []string{"ماب/١", "é", "e\u0301", "a b\tc", "🙂", "_id", "x\"y\\z", "A", "a"}
			for _, id := range ids {
				x.write(t, news(id, source("هسبريس "+id)))
			}
			slices.Sort(ids)
			wantIDs(t, x.find(t, search.Request{Size: 2}), ids...)
			for _, id := range ids {
				if _, err := x.Get(t.Context(), id); err != nil {
					t.Errorf("Get(%q): %v", id, err)
				}
				wantIDs(t, x.find(t, search.Request{Sources: []string{"هسبريس " + id}}), id)
			}
		}},
		{"a bad one does not stop the others", badArticle},
		{"at the same time", concurrentWrites},
		{"canceled context", func(t *testing.T, x index) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := x.Write(ctx, []article.Article{news("a")}); !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v, want context.Canceled", err)
			}
		}},
	}
}

func versions(t *testing.T, x index) {
	for _, step := range []struct {
		revision, generation int64
		title                string
		want                 search.Outcome
		shown                string
	}{
		{2, 5, "two", search.Indexed, "two"},
		{2, 5, "two", search.Indexed, "two"},
		{1, 9, "one", search.Superseded, "two"},
		{2, 4, "older", search.Superseded, "two"},
		{2, 6, "enriched", search.Indexed, "enriched"},
		{3, 0, "three", search.Indexed, "three"},
		{2, article.MaxGeneration, "late", search.Superseded, "three"},
	} {
		outcomes := x.write(t, news("a", version(step.revision, step.generation), title(step.title)))
		wantOutcomes(t, outcomes, step.want)
		got, err := x.Get(t.Context(), "a")
		if err != nil || got.Title != step.shown {
			t.Errorf("after revision %d generation %d: title %q, error %v, want %q", step.revision, step.generation, got.Title, err, step.shown)
		}
	}
	wantIDs(t, x.find(t, search.Request{Query: term("title", "three")}), "a")
	wantIDs(t, x.find(t, search.Request{Query: term("title", "two")}))
}

func versionsInBatch(t *testing.T, x index) {
	outcomes := x.write(t,
		news("a", version(2, 0), title("two")), news("b"), news("a", version(1, 0), title("one")),
		news("a", version(3, 0), title("three")), news("a", version(2, 0), title("two")))
	// Which of the versions that were the newest in their turn are reported
	// as written is the backend's: what counts is what is shown.
	if outcomes[3] != search.Indexed || outcomes[1] != search.Indexed || slices.Contains(outcomes, search.Failed) {
		t.Errorf("outcomes %v", outcomes)
	}
	if outcomes[2] != search.Superseded || outcomes[4] != search.Superseded {
		t.Errorf("outcomes %v, want the third and fifth superseded", outcomes)
	}
	got, err := x.Get(t.Context(), "a")
	if err != nil || got.Title != "three" {
		t.Errorf("title %q, error %v, want three", got.Title, err)
	}
	wantIDs(t, x.find(t, search.Request{}), "a", "b")
}

func badArticle(t *testing.T, x index) {
	outcomes, err := x.Write(t.Context(), []article.Article{news("a"), news(""), news("c")})
	x.Refresh()
	var batch *search.BatchError
	if !errors.As(err, &batch) {
		t.Fatalf("error is %v, want a BatchError", err)
	}
	if len(batch.Items) != 1 || batch.Items[0].Index != 1 || !batch.Items[0].Permanent || batch.Items[0].Err == nil {
		t.Errorf("items %+v, want the second alone, permanent", batch.Items)
	}
	wantOutcomes(t, outcomes, search.Indexed, search.Failed, search.Indexed)
	wantIDs(t, x.find(t, search.Request{}), "a", "c")
}

func concurrentWrites(t *testing.T, x index) {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5 {
				revision := int64(1 + (i*4+w*3)%20)
				if _, err := x.Write(t.Context(), []article.Article{
					news("a", version(revision, 0)), news("b", version(21-revision, 0)),
				}); err != nil {
					t.Errorf("Write: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := x.Write(t.Context(), []article.Article{news("a", version(20, 0)), news("b", version(20, 0))}); err != nil {
		t.Fatal(err)
	}
	x.Refresh()
	for _, id := range []string{"a", "b"} {
		if got, err := x.Get(t.Context(), id); err != nil || got.Revision != 20 {
			t.Errorf("%s has revision %d, error %v, want 20", id, got.Revision, err)
		}
	}
	wantIDs(t, x.find(t, search.Request{}), "a", "b")
}

func wantOutcomes(t *testing.T, got []search.Outcome, want ...search.Outcome) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}

func wantIDs(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
