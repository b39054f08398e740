package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is one service in a process of its own. Its methods are for one
// goroutine at a time.
type process struct {
	name string // of the binary, and -2, -3 … of further ones
	args []string
	addr string // host:port of HTTP, the same for each start
	log  string // path of what it printed, in all its lives

	cmd    *exec.Cmd
	exited chan struct{} // closed once it has ended
	err    error         // of its end, readable once exited is closed
	ended  bool          // by us
}

func newProcess(dir, name string, args ...string) (*process, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	p := &process{name: name, addr: l.Addr().String(), log: filepath.Join(dir, name+".log")}
	p.args = append([]string{"--set", "listen=" + p.addr}, args...)
	return p, nil
}

// start starts the process. It ends with the test process at the latest: the
// kernel kills it when the thread ends that started it, which waits for it.
func (p *process) start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	binary, _, _ := strings.Cut(p.name, "-")
	cmd := exec.CommandContext(context.Background(), filepath.Join(binaries, binary), p.args...) // ended by terminate or kill
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p.cmd, p.ended, p.exited = cmd, false, make(chan struct{})
	started, exited := make(chan error), p.exited
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(exited)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	return nil
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) signal(sig syscall.Signal) {
	if p.alive() {
		_ = p.cmd.Process.Signal(sig) // fails only if it is gone just now
	}
}

// kill ends it as a crash would.
func (p *process) kill() {
	p.ended = true
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// terminate sends SIGTERM and gives how long it took to end, at most limit;
// then it is killed.
func (p *process) terminate(limit time.Duration) (time.Duration, error) {
	p.ended = true
	start := time.Now()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		return time.Since(start), p.err
	case <-time.After(limit):
		p.signal(syscall.SIGCONT)
		p.kill()
		return time.Since(start), fmt.Errorf("%s did not end within %v of SIGTERM", p.name, limit)
	}
}

// ready asks the process whether it is.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", p.name, strings.TrimSpace(string(b)))
	}
	return err
}

// memory reads a figure of /proc, VmRSS or VmHWM, in bytes.
func (p *process) memory(figure string) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), figure+":"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the kernel gives no " + figure)
}

// lastWords is the last line that it printed.
func (p *process) lastWords(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}
