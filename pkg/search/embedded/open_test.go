package embedded

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// childDir names the directory that the test program, run as a child, writes
// to until it is killed.
const childDir = "EMBEDDED_TEST_DIR"

func story(id string, revision int64) article.Article {
	at := time.Date(2026, 10, 24, 9, 0, 0, 0, time.UTC)
	return article.Article{
		Schema: article.SchemaVersion, ID: id, Revision: revision, Bucket: "2026-10", Status: article.Usable,
		Language: "fr", Source: article.Source{ID: "map"}, Title: "Titre", Body: "Le corps du texte",
		Published: at, FirstPublished: at, Received: at,
	}
}

func write(t *testing.T, x *Index, articles ...article.Article) {
	t.Helper()
	if _, err := x.Write(t.Context(), articles); err != nil {
		t.Fatal(err)
	}
}

// TestChild is not a test but the child of TestKill: it says each id that
// Write has returned for.
func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only as the child of another test")
	}
	x := mustOpen(t, dir)
	for i := 0; ; i++ {
		id := fmt.Sprintf("%06d", i)
		write(t, x, story(id, 1), story("again", int64(i)+1))
		fmt.Println("wrote", id)
	}
}

// TestKill kills a process that writes, at some point or other, and finds in
// its directory all that it said was written.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var wrote []string
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "wrote ")
		if !ok {
			continue
		}
		wrote = append(wrote, id)
		if len(wrote) == 30 {
			start := time.Now()
			if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
				t.Errorf("opening it beside another process gives %v, want ErrLocked", err)
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("the error took %v", d)
			}
		}
		if len(wrote) == 60 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(wrote) < 60 {
		t.Fatalf("the child ended with error %v after %d articles", err, len(wrote))
	}
	x := mustOpen(t, dir)
	for _, id := range wrote {
		if _, err := x.Get(t.Context(), id); err != nil {
			t.Errorf("Get: %v", err)
		}
	}
	again, err := x.Get(t.Context(), "again")
	if err != nil || again.Revision < int64(len(wrote)) {
		t.Errorf("revision %d, error %v, want at least %d", again.Revision, err, len(wrote))
	}
	write(t, x, story("after", 1))
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "[yet]*")
	x := mustOpen(t, dir)
	write(t, x, story("a", 2), story("b", 1))
	gone := story("b", 2)
	gone.Status = article.Canceled
	write(t, x, gone)
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("opening it twice gives %v, want ErrLocked", err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = mustOpen(t, dir)
	outcomes, err := x.Write(t.Context(), []article.Article{story("a", 1), story("b", 1)})
	if err != nil || outcomes[0] != search.Superseded || outcomes[1] != search.Superseded {
		t.Errorf("older copies give %v, %v", outcomes, err)
	}
	if _, err := x.Get(t.Context(), "b"); !errors.Is(err, search.ErrGone) {
		t.Errorf("Get gives %v, want ErrGone", err)
	}
}

// TestInterrupted opens what a process leaves behind that is killed while it
// makes the index.
func TestInterrupted(t *testing.T) {
	for name, root := range map[string][]byte{
		"empty": {}, "torn": make([]byte, 5000), "zeros": make([]byte, 32<<10),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "root.bolt"), root, 0o600); err != nil {
				t.Fatal(err)
			}
			write(t, mustOpen(t, dir), story("a", 1))
		})
	}
	t.Run("directory alone", func(t *testing.T) { write(t, mustOpen(t, t.TempDir()), story("a", 1)) })
}

// TestDamaged opens what no interruption explains: it must be refused, and
// left as it is.
func TestDamaged(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"no root":    func(dir string) error { return os.Remove(filepath.Join(dir, "root.bolt")) },
		"empty root": func(dir string) error { return os.Truncate(filepath.Join(dir, "root.bolt"), 0) },
		"torn root":  func(dir string) error { return os.Truncate(filepath.Join(dir, "root.bolt"), 4096) },
		"torn segment": func(dir string) error {
			return eachSegment(dir, func(path string) error { return os.Truncate(path, 10) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := mustOpen(t, dir)
			write(t, x, story("a", 1))
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			before := listing(t, dir)
			if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrDamaged) {
				t.Errorf("Open gives %v, want ErrDamaged", err)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("Open changed the directory from\n%sto\n%s", before, after)
			}
		})
	}
}

func eachSegment(dir string, f func(path string) error) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.zap"))
	for _, path := range paths {
		err = errors.Join(err, f(path))
	}
	return err
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, e.Name(), info.Size())
	}
	return b.String()
}

func TestLayout(t *testing.T) {
	dir := t.TempDir()
	x := mustOpen(t, dir)
	if err := x.store.SetInternal([]byte(layoutKey), []byte("99")); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLayout) {
		t.Errorf("Open gives %v, want ErrLayout", err)
	}
	if _, err := Open(Config{Dir: filepath.Join(dir, "root.bolt")}); err == nil {
		t.Errorf("a file was opened as an index")
	}
}

func TestClosed(t *testing.T) {
	x := mustOpen(t, t.TempDir())
	write(t, x, story("a", 1))
	for range 2 {
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, errWrite := x.Write(t.Context(), []article.Article{story("b", 1)})
	_, errSearch := x.Search(t.Context(), search.Request{})
	_, errGet := x.Get(t.Context(), "a")
	_, errCount := x.Count(t.Context())
	for _, err := range []error{errWrite, errSearch, errGet, errCount} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
	}
}
