// Package stack runs real Apache Kafka and real Elasticsearch for tests,
// without containers: from the jars of Maven Central, each as one Java process
// on free loopback ports. It needs a JDK 17 and Maven; the jars are fetched
// once and kept in a cache folder. It runs on Unix systems.
//
// The jars of Elasticsearch hold the server and its HTTP transport, but not
// all of its modules: see the README beside this file.
package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Options says how a server is run. The zero value is fine.
type Options struct {
	Dir   string        // data and logs; empty means a new temporary folder, removed by Stop
	Cache string        // jars; empty means $XDG_CACHE_HOME/marsad-stack or ~/.cache/marsad-stack
	Heap  string        // Java's -Xmx; empty means 1g for Kafka, 2g for Elasticsearch
	Wait  time.Duration // from the start of the process until it is ready; zero means 2 min

	Secure *Secure // more listeners of Kafka, with TLS and logins; nil means none
}

// Server is a running server.
type Server struct {
	Addr string        // host:port of Kafka's listener or Elasticsearch's HTTP
	Dir  string        // its data, and its output in Log
	Log  string        // path of what it printed
	Took time.Duration // from the start of the process until it was ready

	Listeners map[string]string // host:port of Kafka's listeners of Options.Secure, by name

	args   []string
	wait   time.Duration
	ready  func(context.Context) error
	cmd    *exec.Cmd
	keep   bool // Dir is the caller's
	ended  bool // by Stop or Kill
	input  *os.File
	exited chan struct{} // closed once the process has ended
	err    error         // of the process, readable once exited is closed
}

// stopWait is how long a server may take to end by itself.
const stopWait = 15 * time.Second

// Done is closed when the process ends, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.exited }

// Stop ends the process: SIGTERM, then SIGKILL after 15 s, to its process
// group alone. It returns once the process is gone, and removes the temporary
// folder, unless the server had ended by itself: then the folder stays and the
// error names the log. It may be called more than once, by one goroutine at a
// time.
func (s *Server) Stop() error {
	select {
	case <-s.exited:
		if !s.ended {
			s.input.Close()
			return fmt.Errorf("the server ended by itself (%w); its output is in %s", s.err, s.Log)
		}
	default:
		s.end()
	}
	if s.keep {
		return nil
	}
	if err := os.RemoveAll(s.Dir); err != nil {
		return fmt.Errorf("removing the server's folder: %w", err)
	}
	return nil
}

func (s *Server) end() {
	s.ended = true
	s.signal(syscall.SIGCONT) // it may be paused
	s.signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopWait):
		s.signal(syscall.SIGKILL)
		<-s.exited
	}
	s.input.Close()
}

// Kill ends the process at once by SIGKILL, as a crash would. Its folder
// stays until Stop.
func (s *Server) Kill() {
	s.ended = true
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.input.Close()
}

// signal goes to the process group, unless the process is gone: its id may
// belong to somebody else by then.
func (s *Server) signal(sig syscall.Signal) {
	select {
	case <-s.exited:
	default:
		_ = syscall.Kill(-s.cmd.Process.Pid, sig) // fails only if it is gone just now
	}
}

// Restart starts the server again after Kill, or after it ended, with the same
// folder and ports, and waits until it is ready. Not to be called while Stop,
// Kill or Restart runs.
func (s *Server) Restart(ctx context.Context) error {
	select {
	case <-s.exited:
	default:
		return errors.New("the server has not ended: call Kill before Restart")
	}
	s.ended = false
	return s.launch(ctx)
}

// Pause stops the process by SIGSTOP: connections stay open and are accepted,
// but nothing is answered until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// run starts java with args and waits until ready gives no error. On failure
// the folder and its log stay, and the error names the log.
func run(ctx context.Context, s *Server, o Options, ready func(context.Context) error, args ...string) error {
	s.args, s.ready, s.wait = args, ready, o.Wait
	if s.wait == 0 {
		s.wait = 2 * time.Minute
	}
	return s.launch(ctx)
}

func (s *Server) launch(ctx context.Context) error {
	start := time.Now()
	if err := s.start(s.args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ready(ctx)
		if err == nil {
			s.Took = time.Since(start)
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-s.exited:
			s.input.Close()
			return fmt.Errorf("the server ended before it was ready (%w); its output is in %s", s.err, s.Log)
		case <-ctx.Done():
			s.end()
			return fmt.Errorf("the server was not ready after %v: %w (%w); its output is in %s",
				time.Since(start).Round(time.Millisecond), err, ctx.Err(), s.Log)
		}
	}
}

// start starts java in a process group of its own. Its standard input is a
// pipe that ends with this process, and the server ends with it.
func (s *Server) start(args []string) error {
	s.Log = filepath.Join(s.Dir, "output.log")
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	s.cmd = exec.CommandContext(context.Background(), "java", args...) // it outlives its start; Stop ends it
	s.cmd.Dir, s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.Dir, r, log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		w.Close()
		return fmt.Errorf("starting java: %w", err)
	}
	s.input, s.exited = w, make(chan struct{})
	go func() {
		if s.err = s.cmd.Wait(); s.err == nil {
			s.err = errors.New("exit status 0")
		}
		close(s.exited)
	}()
	return nil
}

// newServer prepares a server's folder.
func newServer(o Options, name string) (*Server, error) {
	if o.Dir != "" {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return nil, err
		}
		return &Server{Dir: dir, keep: true}, os.MkdirAll(dir, 0o755)
	}
	dir, err := os.MkdirTemp("", "marsad-"+name+"-")
	if err != nil {
		return nil, err
	}
	return &Server{Dir: dir}, nil
}

// freePorts gives n ports that nobody listened on a moment ago.
func freePorts(n int) ([]string, error) {
	ports := make([]string, n)
	for i := range ports {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		defer l.Close() // only now, so that all are different
		ports[i] = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
