package cli

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
)

// asMarsad makes the test binary be marsad: see TestMain.
const asMarsad = "TEST_AS_MARSAD"

func TestMain(m *testing.M) {
	if os.Getenv(asMarsad) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// The short forms run with all tests; "make test-long" runs the long ones.
var (
	kills    = flag.Int("kills", 2, "how often TestKill kills marsad")
	articles = flag.Int("articles", 150, "how many articles TestKill pushes")
	junks    = flag.Int("junk", 60, "how many pieces of junk TestJunk sends")
)

// process is a marsad in a process of its own.
type process struct {
	cmd  *exec.Cmd
	addr string
}

func startProcess(t *testing.T, data string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{"up", "--data", data, "--listen", "127.0.0.1:0", "--set", "log.level=warn"}, args...)...)
	cmd.Env = append(os.Environ(), asMarsad+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	t.Cleanup(p.kill)
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.Contains(lines.Text(), "ready") {
		t.Fatalf("marsad said %q", lines.Text())
	}
	go io.Copy(io.Discard, out)
	a, err := app.ReadAddress(data)
	if err != nil {
		t.Fatal(err)
	}
	p.addr = a.HTTP
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// TestKill kills marsad again and again while articles are pushed: every
// article that was answered with 202 is found, once.
func TestKill(t *testing.T) {
	data := t.TempDir()
	p := startProcess(t, data)
	var mu sync.Mutex // guards p and sent
	acked := make(chan int, *articles)
	address := func() string { mu.Lock(); defer mu.Unlock(); return p.addr }
	go func() {
		for i := 0; i < *articles; {
			if push(address(), i) {
				acked <- i
				i++
			}
		}
		close(acked)
	}()
	every := *articles / (*kills + 1)
	done := 0
	for i := range acked {
		if done++; i > 0 && i%every == 0 && i/every <= *kills {
			mu.Lock()
			p.kill()
			p = startProcess(t, data)
			mu.Unlock()
		}
	}
	if done != *articles {
		t.Fatalf("%d of %d articles were accepted", done, *articles)
	}
	c := &client{base: "http://" + p.addr, http: newHTTP()}
	deadline := time.Now().Add(time.Minute)
	for {
		var res found
		if err := c.get(t.Context(), "/v1/search?size=0&q=source:kill", &res); err != nil {
			t.Fatal(err)
		}
		if res.Total == *articles {
			break
		}
		if res.Total > *articles || time.Now().After(deadline) {
			t.Fatalf("%d articles are found, %d were accepted", res.Total, *articles)
		}
	}
	for _, i := range []int{0, *articles / 2, *articles - 1} {
		var res found
		if err := c.get(t.Context(), "/v1/search?q="+url.QueryEscape(fmt.Sprintf("title:number%d", i)), &res); err != nil || res.Total != 1 {
			t.Errorf("article %d is found %d times (%v)", i, res.Total, err)
		}
	}
}

// push sends one article and tells whether it was accepted. After a failure
// the caller sends it again: that is what at-least-once asks of a source.
func push(addr string, i int) bool {
	body := fmt.Sprintf(`{"source":{"id":"kill"},"guid":"kill-%d","title":"number%d of many","body":"Rabat et Paris, بالمغرب وفرنسا"}`, i, i)
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/v1/articles", strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusAccepted
}

// SIGTERM ends the process in order and soon, with status 0, and a stream that
// is open does not hold it up.
func TestTerminate(t *testing.T) {
	p := startProcess(t, t.TempDir())
	res, err := http.Get("http://" + p.addr + "/v1/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if !push(p.addr, 1) {
		t.Fatal("not accepted")
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func run(args ...string) (int, string, string) {
	return runIn("", args...)
}

func runIn(in string, args ...string) (int, string, string) {
	var out, errOut bytes.Buffer
	code := Run(context.Background(), args, strings.NewReader(in), &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestUsageErrors(t *testing.T) {
	empty := t.TempDir()
	tests := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"upp"}, 2, "upp"},
		{[]string{"up", "extra"}, 2, "extra"},
		{[]string{"up", "--port", "1"}, 2, "--port"},
		{[]string{"up", "--set", "no.such=1", "--data", empty}, 2, "no.such is not known"},
		{[]string{"up", "--config", filepath.Join(empty, "none.yaml")}, 2, "none.yaml"},
		{[]string{"up", "--set", "log.level=loud", "--data", empty}, 2, "log.level"},
		{[]string{"search"}, 2, "one query"},
		{[]string{"search", "x", "--data", empty}, 1, "no marsad runs"},
		{[]string{"publish"}, 2, "at least one file"},
		{[]string{"enrich", filepath.Join(empty, "none.txt")}, 1, "none.txt"},
		{[]string{"dlq", "replay"}, 2, "filter"},
		{[]string{"ledger", "--data", empty}, 2, "no Elasticsearch is named"},
		{[]string{"ledger", "--set", "elasticsearch.addresses=[http://127.0.0.1:9]", "--data", empty}, 1, "no marsad runs"},
	}
	for _, tt := range tests {
		if code, _, said := run(tt.args...); code != tt.code || !strings.Contains(said, tt.says) {
			t.Errorf("%q: exit %d, %q; want %d with %q", tt.args, code, said, tt.code, tt.says)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"up", "--help"}, {"dlq", "replay", "--help"}, {"completion", "bash"}} {
		if code, out, _ := run(args...); code != 0 || len(out) < 100 {
			t.Errorf("%q: exit %d, %d bytes", args, code, len(out))
		}
	}
}
