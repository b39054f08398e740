// Package browser looks at Marsad's page with a real browser.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startMarsad builds and runs marsad over an empty folder and gives the
// address of its page.
func startMarsad(t *testing.T) (base, binary string) {
	t.Helper()
	dir := t.TempDir()
	binary = filepath.Join(dir, "marsad")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir, build.Env = filepath.Join("..", "..", "cmd", "marsad"), append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building marsad: %v\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	cmd := exec.Command(binary, "up", "--data", data, "--listen", "127.0.0.1:0", "--set", "log.level=warn")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("marsad ended with %v", err)
		}
	})
	if lines := bufio.NewScanner(out); !lines.Scan() || !strings.Contains(lines.Text(), "ready") {
		t.Fatalf("marsad said %q", lines.Text())
	}
	var address struct{ HTTP string }
	b, err := os.ReadFile(filepath.Join(data, "marsad.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &address); err != nil {
		t.Fatal(err)
	}
	return "http://" + address.HTTP, binary
}

// startBrowser starts a headless chromium that ends with the test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not installed: install Debian's package chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stopAlloc)
	ctx, stop := chromedp.NewContext(alloc, chromedp.WithErrorf(t.Logf))
	t.Cleanup(stop)
	ctx, stopWaiting := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(stopWaiting)
	return ctx
}

// publish pushes articles, as NDJSON, through the command line.
func publish(t *testing.T, base, binary, articles string) {
	t.Helper()
	cmd := exec.Command(binary, "publish", "--addr", base, "--form", "ndjson", "-")
	cmd.Stdin = strings.NewReader(articles)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("publishing: %v\n%s", err, out)
	}
}
