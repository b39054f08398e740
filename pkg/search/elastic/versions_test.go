package elastic

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// walked answers for an index of three documents in pages of two, with a new
// id of the point in time each page.
func walked(s sent) answer {
	switch {
	case strings.HasSuffix(s.path, "/_refresh"), s.method == http.MethodDelete:
		return answer{http.StatusOK, `{}`}
	case strings.HasSuffix(s.path, "/_pit"):
		return answer{http.StatusOK, `{"id":"p1"}`}
	case strings.Contains(string(s.body), `"search_after":[7]`):
		return answer{http.StatusOK, `{"pit_id":"p3","hits":{"hits":[{"_id":"a","_version":1048576,"fields":{"status":["usable"]},"sort":[9]}]}}`}
	case strings.Contains(string(s.body), `"search_after":[9]`):
		return answer{http.StatusOK, `{"pit_id":"p4","hits":{"hits":[]}}`}
	}
	return answer{http.StatusOK, `{"pit_id":"p2","hits":{"hits":[{"_id":"a","_version":2097159,"fields":{"status":["usable"]},"sort":[3]},
		{"_id":"b","_version":1048576,"fields":{},"sort":[7]}]}}`}
}

// An id that lies in two months is told twice; the point in time is closed by
// its latest id, whatever ended the walk.
func TestVersions(t *testing.T) {
	enough := errors.New("enough")
	for _, c := range []struct {
		name   string
		after  int // documents until fn fails; zero means never
		want   []string
		closed string
	}{
		{"all", 0, []string{"a 2097159 usable", "b 1048576 ", "a 1048576 usable"}, "p4"},
		{"stopped", 1, []string{"a 2097159 usable"}, "p2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, f := serve(t, walked)
			var got []string
			err := x.Versions(t.Context(), func(id string, version int64, status article.Status) error {
				if got = append(got, fmt.Sprint(id, " ", version, " ", status)); len(got) == c.after {
					return enough
				}
				return nil
			})
			if c.after == 0 && err != nil || c.after > 0 && !errors.Is(err, enough) {
				t.Errorf("error is %v", err)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			last := f.got[len(f.got)-1]
			if last.method != http.MethodDelete || !strings.Contains(string(last.body), c.closed) {
				t.Errorf("the last request is %s %s %s, want %s closed", last.method, last.path, last.body, c.closed)
			}
		})
	}
}

// An index without any month yet is empty; an answer that lacks a shard is no
// smaller index.
func TestVersionsLacking(t *testing.T) {
	none := func(string, int64, article.Status) error { return errors.New("there is nothing") }
	x, _ := serve(t, func(s sent) answer {
		if strings.HasSuffix(s.path, "/_pit") {
			return answer{http.StatusNotFound, `{"error":{"type":"index_not_found_exception"},"status":404}`}
		}
		return answer{http.StatusOK, `{}`}
	})
	if err := x.Versions(t.Context(), none); err != nil {
		t.Errorf("error is %v", err)
	}
	x, _ = serve(t, func(s sent) answer {
		if strings.HasSuffix(s.path, "/_search") {
			return answer{http.StatusOK, `{"_shards":{"failed":1},"hits":{"hits":[]}}`}
		}
		return walked(s)
	})
	if err := x.Versions(t.Context(), none); err == nil || !strings.Contains(err.Error(), "lacks 1 indices") {
		t.Errorf("error is %v, want one that says that the answer is not whole", err)
	}
}
