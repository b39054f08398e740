package searchtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

func versionsTests() []test {
	return []test{
		{"of an empty index", func(t *testing.T, x index) { wantVersions(t, x) }},
		{"of every status", func(t *testing.T, x index) {
			all := []article.Article{
				news("a"), news("b", version(3, 7)), news("c", version(2, 0), status(article.Withheld)),
				news("d", version(4, article.MaxGeneration), status(article.Canceled)), news("ماب/١"),
			}
			x.write(t, all...)
			wantVersions(t, x, all...)
		}},
		{"of the latest alone", func(t *testing.T, x index) {
			x.write(t, news("a"))
			x.write(t, news("a", version(2, 1)))
			x.write(t, news("a", version(2, 0)))
			wantVersions(t, x, news("a", version(2, 1)))
		}},
		{"see what was written before, without a refresh", func(t *testing.T, x index) {
			if _, err := x.Write(t.Context(), []article.Article{news("a")}); err != nil {
				t.Fatal(err)
			}
			wantVersions(t, x, news("a"))
		}},
		{"over more than a page", func(t *testing.T, x index) {
			var all []article.Article
			for i := range 2500 {
				all = append(all, news(fmt.Sprint("n", i), version(int64(1+i%3), 0)))
			}
			x.write(t, all...)
			wantVersions(t, x, all...)
		}},
		{"end with an error", func(t *testing.T, x index) {
			x.write(t, news("a"), news("b"))
			enough, calls := errors.New("enough"), 0
			err := x.Versions(t.Context(), func(string, int64, article.Status) error { calls++; return enough })
			if !errors.Is(err, enough) || calls != 1 {
				t.Errorf("%d calls, error %v, want one and its error", calls, err)
			}
		}},
		{"canceled context", func(t *testing.T, x index) {
			x.write(t, news("a"))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := x.Versions(ctx, func(string, int64, article.Status) error { return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v, want context.Canceled", err)
			}
		}},
	}
}

// wantVersions walks x and wants these articles, each once.
func wantVersions(t *testing.T, x search.Reader, articles ...article.Article) {
	t.Helper()
	type document struct {
		id      string
		version int64
		status  article.Status
	}
	got, want := map[document]int{}, map[document]int{}
	for i := range articles {
		want[document{articles[i].ID, articles[i].Version(), articles[i].Status}]++
	}
	err := x.Versions(t.Context(), func(id string, version int64, status article.Status) error {
		got[document{id, version, status}]++
		return nil
	})
	if err != nil {
		t.Fatalf("Versions: %v", err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("Versions gives %.2000s, want %.2000s", fmt.Sprint(got), fmt.Sprint(want))
	}
}
