package service_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/service"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestRunPartsServesHealthAndStops(t *testing.T) {
	server, err := service.Listen(t.Context(), "127.0.0.1:0", service.NewRegistry(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	notReady := errors.New("not yet")
	running := make(chan struct{})
	ready := make(chan error, 1)
	ready <- notReady
	part := service.Part{
		Run:   func(ctx context.Context) error { close(running); <-ctx.Done(); return nil },
		Ready: func() error { err := <-ready; ready <- err; return err },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.RunParts(ctx, server, []service.Part{part}) }()
	<-running
	base := "http://" + server.Addr()
	if code, _ := get(t, base+"/livez"); code != 200 {
		t.Errorf("livez = %d", code)
	}
	if code, body := get(t, base+"/readyz"); code != 503 || !strings.Contains(body, "not yet") {
		t.Errorf("readyz = %d %s", code, body)
	}
	<-ready
	ready <- nil
	if code, _ := get(t, base+"/readyz"); code != 200 {
		t.Errorf("readyz = %d", code)
	}
	if code, body := get(t, base+"/metrics"); code != 200 || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics = %d", code)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A part that fails stops all of them, and its error comes out.
func TestRunPartsFailure(t *testing.T) {
	server, err := service.Listen(t.Context(), "127.0.0.1:0", service.NewRegistry(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err = service.RunParts(t.Context(), server, []service.Part{
		{Run: func(context.Context) error { return broken }},
		{Run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
	})
	if !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
}

// Parts and server drain at the same time, and the error names what each part
// left undone.
func TestRunPartsDrainTogether(t *testing.T) {
	server, err := service.Listen(t.Context(), "127.0.0.1:0", service.NewRegistry(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	asked, release := make(chan struct{}), make(chan struct{})
	server.Mux.HandleFunc("GET /slow", func(http.ResponseWriter, *http.Request) { close(asked); <-release })
	one, two := errors.New("one"), errors.New("two")
	var wg sync.WaitGroup
	wg.Add(2)
	part := func(err error) service.Part {
		return service.Part{Run: func(ctx context.Context) error { <-ctx.Done(); wg.Done(); wg.Wait(); return err }}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.RunParts(ctx, server, []service.Part{part(one), part(two)}) }()
	answered := make(chan int, 1)
	go func() { code, _ := get(t, "http://"+server.Addr()+"/slow"); answered <- code }()
	<-asked
	cancel()
	wg.Wait() // the parts are told to end while a request is still under way
	close(release)
	if code := <-answered; code != 200 {
		t.Errorf("request under way was answered %d", code)
	}
	if err := <-ended; !errors.Is(err, one) || !errors.Is(err, two) {
		t.Errorf("error = %v, want both parts'", err)
	}
}

// A connection on which nothing was asked does not make the end a failure.
func TestDrainWithSilentConnection(t *testing.T) {
	server, err := service.Listen(t.Context(), "127.0.0.1:0", service.NewRegistry(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, 50*time.Millisecond) }()
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if code, _ := get(t, "http://"+server.Addr()+"/livez"); code != 200 { // the server has accepted both
		t.Errorf("livez = %d", code)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestListenSaysWhere(t *testing.T) {
	a, err := service.Listen(t.Context(), "127.0.0.1:0", service.NewRegistry(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Listen(t.Context(), a.Addr(), service.NewRegistry(), zap.NewNop()); err == nil || !strings.Contains(err.Error(), a.Addr()) {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx, time.Second); err != nil {
		t.Error(err)
	}
}
