package embedded

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// tiring is a context that is canceled once it was asked a few times.
type tiring struct {
	context.Context
	left int
}

func (c *tiring) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCanceledMidway cancels a search that has begun to collect.
func TestCanceledMidway(t *testing.T) {
	x := mustOpen(t, "")
	articles := make([]article.Article, 4*checkEvery)
	for i := range articles {
		articles[i] = story(fmt.Sprint(i), 1)
	}
	write(t, x, articles...)
	for left := range 4 {
		ctx := &tiring{t.Context(), left}
		if _, err := x.Search(ctx, search.Request{Query: query.Term{Form: "corps"}}); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled when asked for the %dth time: error is %v", left+1, err)
		}
	}
}

// TestRefusedTrees searches for trees that no parser makes.
func TestRefusedTrees(t *testing.T) {
	x := mustOpen(t, "")
	write(t, x, story("a", 1))
	for _, node := range []query.Node{
		query.Not{}, query.And{Of: []query.Node{nil}}, query.Term{Field: query.Lang, Form: "fr"},
		query.Keyword{Field: query.Title, Value: "titre"}, query.Phrase{Field: "state", Forms: []string{"a", "b"}},
	} {
		if _, err := x.Search(t.Context(), search.Request{Query: node}); !errors.Is(err, search.ErrRequest) {
			t.Errorf("%#v: error is %v, want ErrRequest", node, err)
		}
	}
}

// TestOldText looks for the text of a retracted article in what is stored of
// it: nothing may be left for any reader.
func TestOldText(t *testing.T) {
	x := mustOpen(t, t.TempDir())
	write(t, x, story("a", 1))
	gone := story("a", 2) // with its text still on it
	gone.Status = article.Canceled
	write(t, x, gone)
	r, release, err := x.reader()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	doc, err := r.Document("a")
	if err != nil {
		t.Fatal(err)
	}
	if n := doc.StoredFieldsBytes(); n != 0 {
		t.Errorf("a tombstone stores %d bytes", n)
	}
}
