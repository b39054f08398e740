package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// discard is a client that takes all.
type discard struct{ http.ResponseWriter }

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Flush()                      {}

// BenchmarkFanOut sends each article to many open streams that filter by a
// query which matches.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := newFeed(1)
			s, err := New(Config{}, Deps{Reader: &index{}, Feed: f, Now: clock})
			if err != nil {
				b.Fatal(err)
			}
			hold := s.hub.begin(f.first, map[int]int64{0: 0})
			a := news("a", func(a *article.Article) { a.Title = "Le Maroc gagne" })
			for range 9 {
				a.Body += " Le Maroc a gagné la coupe d'Afrique des nations à Rabat devant soixante mille personnes, a dit le porte-parole."
				a.Body += a.Body[:min(len(a.Body), 600)]
			}
			ctx, cancel := context.WithCancel(context.Background())
			var open sync.WaitGroup
			for range n {
				open.Go(func() {
					req := httptest.NewRequest("GET", "/v1/stream?q=maroc+gagne&last_event_id="+hold.String(), nil)
					s.stream(discard{httptest.NewRecorder()}, req.WithContext(ctx))
				})
			}
			value, err := article.Encode(&a)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(value)))
			b.ResetTimer()
			for i := range b.N {
				a.ID = fmt.Sprint(i)
				f.add(0, a)
				if err := s.hub.take(f.records[0][i]); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			cancel()
			open.Wait()
		})
	}
}
