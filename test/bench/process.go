package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func goBuild(ctx context.Context, module, pkg, target string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", target, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w: %s", pkg, err, out)
	}
	return nil
}

// process is a service in a process of its own.
type process struct {
	name string
	addr string // of its HTTP
	cmd  *exec.Cmd
	log  string
}

// start starts a service and waits until it is ready.
func (b *bench) start(ctx context.Context, name string, env ...string) (*process, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{name: name, addr: l.Addr().String(), log: filepath.Join(b.dir, name+".log")}
	l.Close() // the service takes it over
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.CommandContext(ctx, filepath.Join(b.dir, name))
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(append(os.Environ(),
		"MARSAD_LISTEN="+p.addr, "MARSAD_KAFKA_BROKERS=["+b.kafka.Addr+"]", "MARSAD_LOG_LEVEL=warn"), env...)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := p.ready(limit)
		if err == nil {
			return p, nil
		}
		select {
		case <-limit.Done():
			return nil, errors.Join(fmt.Errorf("%s is not ready: %w", name, err), p.stop())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (p *process) ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// stop ends the process in order; an error holds the end of what it logged.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		b, _ := os.ReadFile(p.log) // for the message only
		return fmt.Errorf("%s: %w: %s", p.name, err, b[max(0, len(b)-2000):])
	}
	return nil
}

// cpu is the processor time that an ended process took.
func (p *process) cpu() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// memory is the peak resident set of a running process, in bytes. The
// accounting of ended children would count what this process had when it
// started them.
func (p *process) memory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell the peak resident set")
}
