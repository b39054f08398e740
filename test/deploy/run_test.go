package deploy

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hosts finds the host:port of servers in settings.
var hosts = regexp.MustCompile(`[a-z][a-z0-9.-]*:[0-9]+`)

// TestOutage runs each service with the environment of its pod while there is
// neither Kafka nor Elasticsearch: it must be alive, or Kubernetes would
// restart it, not ready, and end within its time when it is told to.
func TestOutage(t *testing.T) {
	objects := build(t, "base")
	for _, w := range workloads(objects) {
		if !w.service {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, w, objects)
			for i, e := range env {
				if name, value, _ := strings.Cut(e, "="); name == "MARSAD_LISTEN" {
					env[i] = "MARSAD_LISTEN=127.0.0.1:0"
				} else {
					env[i] = name + "=" + hosts.ReplaceAllString(value, "127.0.0.1:1") // nobody listens there
				}
			}
			cmd := exec.Command(filepath.Join(binaries, target(t, w.container().Image)), w.container().Args...)
			cmd.Env = env
			address, ended := start(t, cmd)
			if got := status(t, "http://"+address+w.container().LivenessProbe.HTTPGet.Path); got != http.StatusOK {
				t.Errorf("liveness answers %d", got)
			}
			if got := status(t, "http://"+address+w.container().ReadinessProbe.HTTPGet.Path); got != http.StatusServiceUnavailable {
				t.Errorf("readiness answers %d", got)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			grace := time.Duration(*w.pod.Spec.TerminationGracePeriodSeconds) * time.Second
			if l := w.container().Lifecycle; l != nil {
				grace -= time.Duration(l.PreStop.Sleep.Seconds) * time.Second
			}
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(grace):
				t.Errorf("it runs on %v after SIGTERM, Kubernetes would kill it", grace)
			}
		})
	}
}

// start runs a service and gives the address that it says it listens on, and
// how it ends. It ends with the test at the latest.
func start(t *testing.T, cmd *exec.Cmd) (address string, ended <-chan error) {
	t.Helper()
	r, w := io.Pipe()
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done, addresses := make(chan error, 1), make(chan string, 1)
	go func() {
		err := cmd.Wait()
		w.Close()
		done <- err
	}()
	read := make(chan struct{})
	go func() { // until the process ends
		defer close(read)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			var l struct{ Msg, Listen string }
			if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "started" {
				addresses <- l.Listen
			}
		}
		_, _ = io.Copy(io.Discard, r) // after a line too long
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-read
	})
	select {
	case a := <-addresses:
		return a, done
	case err := <-done:
		t.Fatalf("it ended at once: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("it did not start within a minute")
	}
	return "", nil
}

func status(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
