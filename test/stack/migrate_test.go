package stack_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/search/elastic"
)

var migratedMonths = []string{"2026-08", "2026-09", "2026-10"}

// months fills three months, a retracted article in each, and gives what the
// index must hold.
func months(t *testing.T, x backend, n int) map[string]int64 {
	t.Helper()
	want := map[string]int64{}
	var articles []article.Article
	for i := range n {
		a := full(fmt.Sprintf("a%d", i))
		a.Bucket = migratedMonths[i%3]
		if i < 3 {
			a.Revision++
			a.Status = article.Canceled
			a.Redact()
		}
		articles = append(articles, a)
		want[a.ID] = a.Version()
	}
	if _, err := x.Write(t.Context(), articles); err != nil {
		t.Fatal(err)
	}
	x.Refresh()
	return want
}

// held gives the versions that the index holds, and fails on ids held twice.
func held(t *testing.T, x backend) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	if err := x.Versions(t.Context(), func(id string, version int64, _ article.Status) error {
		if _, twice := got[id]; twice {
			t.Errorf("%s is there twice", id)
		}
		got[id] = version
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// generation gives the indices that readers use.
func generation(t *testing.T, x backend) string {
	t.Helper()
	return strings.Join(strings.Fields(call(t, http.MethodGet, "/_cat/aliases/"+x.prefix+"?h=index&s=index", "")), " ")
}

func second(x backend) string {
	return fmt.Sprintf("%[1]s-2026.08-000002 %[1]s-2026.09-000002 %[1]s-2026.10-000002", x.prefix)
}

// TestMigrate migrates while articles are written and read: nobody misses
// anything, and nothing retracted is seen.
func TestMigrate(t *testing.T) {
	x := open(t)
	want := months(t, x, 1500)
	writing, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	written := map[string]int64{}
	wg.Go(func() {
		for i := 0; writing.Err() == nil; i++ {
			a := full(fmt.Sprintf("a%d", 3+i%1497))
			a.Bucket, a.Revision = migratedMonths[i%3], full("").Revision+1+int64(i/1497)
			if i%100 == 99 {
				a = full(fmt.Sprintf("new%d", i))
				a.Bucket = "2026-07" // a month that comes meanwhile
			}
			if _, err := x.Write(t.Context(), []article.Article{a}); err != nil {
				t.Errorf("writing: %v", err)
				return
			}
			written[a.ID] = a.Version()
		}
	})
	wg.Go(func() {
		for writing.Err() == nil {
			res, err := x.Search(t.Context(), search.Request{Query: query.Keyword{Field: query.Source, Value: "map"}})
			if err != nil || res.Total < 1497 {
				t.Errorf("readers find %d articles (%v), there are 1497 at least", res.Total, err)
				return
			}
			if _, err := x.Get(t.Context(), "a1"); !errors.Is(err, search.ErrGone) {
				t.Errorf("the retracted article answers %v", err)
				return
			}
		}
	})
	var steps []string
	err := x.Migrate(t.Context(), elastic.MigrateOptions{All: true, Step: func(f string, args ...any) { steps = append(steps, fmt.Sprintf(f, args...)) }})
	stop()
	wg.Wait()
	if err != nil {
		t.Fatalf("%v after %q", err, steps)
	}
	maps.Copy(want, written)
	if diff := cmp.Diff(want, held(t, x)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if got := generation(t, x); !strings.HasSuffix(got, second(x)) {
		t.Errorf("readers use %s", got)
	}
	if all := call(t, http.MethodGet, "/_cat/indices/"+x.prefix+"-*-000001?h=index", ""); strings.Contains(all, "2026.08") {
		t.Errorf("old indices are left: %s", all)
	}
	got, err := x.Get(t.Context(), "a4")
	if err != nil {
		t.Fatal(err)
	}
	full := full("a4")
	full.Bucket, full.Revision = migratedMonths[1], got.Revision
	if diff := cmp.Diff(full, got); diff != "" {
		t.Errorf("a migrated article (-want +got):\n%s", diff)
	}
	if res, err := x.Search(t.Context(), search.Request{Query: query.Term{Form: "مديريه"}}); err != nil || res.Total < 1497 {
		t.Errorf("by a word %d are found (%v)", res.Total, err)
	}
}

// TestMigrateInterrupted ends the migration before each of its steps in turn;
// run again, it goes on. An article written to the old index alone, as by a
// writer that is far behind, comes with it.
func TestMigrateInterrupted(t *testing.T) {
	for step := 0; ; step++ {
		done := false
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			x := open(t)
			want := months(t, x, 30)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			err := x.Migrate(ctx, elastic.MigrateOptions{All: true, Step: func(string, ...any) {
				if n == step {
					cancel()
				}
				n++
			}})
			if done = err == nil; !done && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			late := full("late")
			b, err := elastic.AppendDocument(nil, &late)
			if err != nil {
				t.Fatal(err)
			}
			old := x.prefix + "-2026.10-000001"
			if status, _ := try(t, http.MethodPut, fmt.Sprintf("/%s/_doc/late?version_type=external_gte&version=%d", old, late.Version()), string(b)); status < 300 {
				want[late.ID] = late.Version() // else the index is blocked; one that is gone is made again by this
			}
			swapped := generation(t, x) == second(x)
			if err := x.Migrate(t.Context(), elastic.MigrateOptions{All: !swapped}); err != nil {
				t.Fatalf("going on: %v", err)
			}
			if diff := cmp.Diff(want, held(t, x)); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
			if got := generation(t, x); got != second(x) {
				t.Errorf("readers use %s", got)
			}
		})
		if done || t.Failed() {
			return
		}
	}
}

// TestMigrateMapping begins with an index whose mapping cannot be brought up
// to date.
func TestMigrateMapping(t *testing.T) {
	x := open(t)
	want := months(t, x, 6)
	index := x.prefix + "-2026.11-000001"
	call(t, http.MethodPut, "/"+index, `{"mappings":{"_meta":{"version":0},"dynamic":"false","properties":{"id":{"type":"keyword"},"status":{"type":"keyword"},"title":{"type":"keyword"}}},
		"aliases":{"`+x.prefix+`":{"filter":{"term":{"status":"usable"}}},"`+x.prefix+`-all":{},"`+x.prefix+`-write-2026.11":{"is_write_index":true}}}`)
	a := full("old")
	call(t, http.MethodPut, fmt.Sprintf("/%s/_doc/old?version_type=external_gte&version=%d", index, a.Version()),
		`{"schema":1,"id":"old","revision":3,"generation":7,"status":"usable","bucket":2026,"source":{"id":"map"},"title":"قديم","published":"2026-11-01T00:00:00Z"}`)
	err := x.Setup(t.Context())
	if !errors.Is(err, search.ErrOutage) || !strings.Contains(err.Error(), "marsad index migrate") {
		t.Fatalf("Setup gives %v, want the advice to migrate", err)
	}
	// The month's document cannot be read as an article: its bucket is a number.
	if err := x.Migrate(t.Context(), elastic.MigrateOptions{}); err == nil {
		t.Fatal("a document that is no article was migrated")
	}
	removed, err := x.AbortMigration(t.Context())
	if err != nil || len(removed) != 1 {
		t.Errorf("abort removed %q, error %v", removed, err)
	}
	call(t, http.MethodPut, fmt.Sprintf("/%s/_doc/old?version_type=external_gte&version=%d", index, a.Version()+1), strings.Replace(encoded(t, a), `"bucket":"2026-10"`, `"bucket":"2026-11"`, 1))
	if err := x.Migrate(t.Context(), elastic.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := x.Setup(t.Context()); err != nil {
		t.Errorf("Setup after the migration: %v", err)
	}
	want["old"] = a.Version() + 1 // as it was, though it is not the version that its revision gives
	if diff := cmp.Diff(want, held(t, x)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if got, want := generation(t, x), fmt.Sprintf("%[1]s-2026.08-000001 %[1]s-2026.09-000001 %[1]s-2026.10-000001 %[1]s-2026.11-000002", x.prefix); got != want {
		t.Errorf("readers use %s, want %s", got, want)
	}
}

func encoded(t *testing.T, a article.Article) string {
	t.Helper()
	b, err := article.Encode(&a)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
