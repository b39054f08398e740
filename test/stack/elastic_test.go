package stack_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/search/elastic"
	"github.com/marsad-news/marsad/pkg/search/searchtest"
	"github.com/marsad-news/marsad/test/stack"
)

// elasticsearch is the server of all tests here, shared because it takes
// seconds to start. Tests keep apart by their prefixes.
var elasticsearch *stack.Server

func TestMain(m *testing.M) {
	if spec := os.Getenv(memberEnv); spec != "" {
		os.Exit(member(spec))
	}
	os.Exit(func() int {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		s, err := stack.StartElasticsearch(ctx, stack.Options{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Printf("Elasticsearch %s was ready after %v\n", stack.ElasticsearchVersion, s.Took.Round(time.Millisecond))
		elasticsearch = s
		code := m.Run()
		if err := s.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}())
}

// backend is an index whose Refresh fails the test.
type backend struct {
	*elastic.Index
	t      *testing.T
	prefix string
}

func (b backend) Refresh() {
	if err := b.Index.Refresh(context.Background()); err != nil {
		b.t.Errorf("refreshing: %v", err)
	}
}

var prefixes atomic.Int32

// open makes an index under a prefix of its own and removes it in the end.
func open(t *testing.T, change ...func(*elastic.Config)) backend {
	t.Helper()
	prefix := fmt.Sprintf("t%d", prefixes.Add(1))
	c := elastic.Config{Addresses: []string{"http://" + elasticsearch.Addr}, Prefix: prefix, Linger: time.Millisecond}
	for _, f := range change {
		f(&c)
	}
	x, err := elastic.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		remove(t, prefix)
		x.Close()
	})
	return backend{x, t, prefix}
}

// remove deletes what lies under a prefix.
func remove(t *testing.T, prefix string) {
	t.Helper()
	for _, name := range strings.Fields(call(t, http.MethodGet, "/_cat/indices/"+prefix+"-*?h=index", "")) {
		call(t, http.MethodDelete, "/"+name, "") // one by one: patterns are refused by default
	}
	call(t, http.MethodDelete, "/_index_template/"+prefix, "")
}

func TestSuite(t *testing.T) {
	searchtest.Run(t, func(t *testing.T) searchtest.Backend { return open(t) })
}
