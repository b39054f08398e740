package searchtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

func pageTests() []test {
	return []test{
		{"orders", orders},
		{"relevance", relevance},
		{"equal keys", equalKeys},
		{"writes between pages", writesBetween},
		{"page sizes", func(t *testing.T, x index) {
			want := make([]string, 25)
			articles := make([]article.Article, 25)
			for i := range articles {
				want[i] = fmt.Sprintf("%02d", i)
				articles[i] = news(want[i])
			}
			x.write(t, articles...)
			for _, size := range []int{1, 5, 24, 25, 26, search.MaxSize} {
				wantIDs(t, x.find(t, search.Request{Size: size}), want...)
			}
		}},
	}
}

func orders(t *testing.T, x index) {
	x.write(t,
		news("old", received(0), published(5*time.Hour)),
		news("new", received(2*time.Hour), published(-time.Hour)),
		news("mid", received(time.Hour), published(time.Hour)),
		news("mid+", received(time.Hour+time.Nanosecond), published(time.Hour+time.Millisecond)),
		news("unix", func(a *article.Article) {
			a.Received = time.Unix(0, 0).UTC()
			a.Published = a.Received.AddDate(-500, 0, 0)
		}))
	x.write(t, news("mid", version(2, 0), received(time.Hour), published(time.Hour)))
	for _, c := range []struct {
		sort search.Sort
		want []string
	}{
		{"", []string{"new", "mid+", "mid", "old", "unix"}},
		{search.ByReceived, []string{"new", "mid+", "mid", "old", "unix"}},
		{search.ByPublished, []string{"old", "mid+", "mid", "new", "unix"}},
	} {
		for _, size := range []int{1, 2, 10} {
			got := x.find(t, search.Request{Sort: c.sort, Size: size})
			// Backends may keep times to the millisecond.
			if c.sort != search.ByPublished && slices.Index(got, "mid")+1 == slices.Index(got, "mid+") {
				i := slices.Index(got, "mid")
				got[i], got[i+1] = got[i+1], got[i]
			}
			wantIDs(t, got, c.want...)
		}
	}
}

func relevance(t *testing.T, x index) {
	x.write(t,
		news("none", title("autre chose"), body("rien")),
		news("much", title("phosphate"), body("phosphate phosphate phosphate")),
		news("some", title("autre chose"), body("le prix du phosphate et du blé et du sucre et du thé")))
	result := x.search(t, search.Request{Query: term("", "phosphate"), Sort: search.ByRelevance, Size: 10})
	var ids []string
	for _, hit := range result.Hits {
		ids = append(ids, hit.Article.ID)
		if hit.Score <= 0 {
			t.Errorf("%s has score %v, want more than 0", hit.Article.ID, hit.Score)
		}
	}
	wantIDs(t, ids, "much", "some")
	wantIDs(t, x.find(t, search.Request{Query: term("", "phosphate"), Sort: search.ByRelevance, Size: 1}), "much", "some")
	req := search.Request{Query: and(term("", "phosphate"), not(keyword("source", "x"))), Sort: search.ByRelevance, Languages: []string{"fr"}}
	wantIDs(t, x.find(t, req), "much", "some")
	for _, hit := range x.search(t, search.Request{Query: term("", "phosphate"), Size: 10}).Hits {
		if hit.Score != 0 {
			t.Errorf("%s has score %v without sorting by it, want 0", hit.Article.ID, hit.Score)
		}
	}
}

func equalKeys(t *testing.T, x index) {
	var want []string
	for i := range 40 {
		id := fmt.Sprintf("%02d", (i*7)%40)
		x.write(t, news(id, received(time.Duration(i%2)*time.Hour)))
	}
	for _, odd := range []int{1, 0} {
		for i := range 40 {
			if id := (i * 7) % 40; i%2 == odd {
				want = append(want, fmt.Sprintf("%02d", id))
			}
		}
	}
	slices.Sort(want[:20])
	slices.Sort(want[20:])
	for _, size := range []int{1, 3, 7, 40} {
		wantIDs(t, x.find(t, search.Request{Size: size}), want...)
	}
}

// writesBetween pages through equal keys while articles come in, are written
// again and taken back: those that stay are seen once each.
func writesBetween(t *testing.T, x index) {
	for i := range 20 {
		x.write(t, news(fmt.Sprintf("%02d", i)))
	}
	var got []string
	req := search.Request{Size: 3}
	for page := 0; ; page++ {
		result := x.search(t, req)
		for _, hit := range result.Hits {
			got = append(got, hit.Article.ID)
		}
		if result.Next == "" {
			break
		}
		req.Cursor = result.Next
		x.write(t, news(fmt.Sprintf("new%d", page), received(time.Hour)),
			news(fmt.Sprintf("%02d", 19-page), version(2, 0)), news("05", version(int64(page)+2, 0)),
			news("18", version(2, 0), status(article.Canceled)))
	}
	var want []string
	for i := range 20 {
		if i != 18 {
			want = append(want, fmt.Sprintf("%02d", i))
		}
	}
	wantIDs(t, got, want...)
}
