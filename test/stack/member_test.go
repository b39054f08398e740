package stack_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/test/stack"
)

// memberEnv makes this test binary a member of a consumer group instead:
// "address topic". A process can be stopped and killed, a goroutine cannot.
const memberEnv = "MARSAD_STACK_MEMBER"

// hold is how long a member takes for each batch, for the tests to meet it at
// work.
const hold = 200 * time.Millisecond

// member runs a member of the group named like the topic until SIGTERM. It
// prints "opened" for each partition that it is given, "working" at the
// beginning of a batch, and its values once it is handled.
func member(spec string) int {
	address, name, _ := strings.Cut(spec, " ")
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{address}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	log, err := zap.NewDevelopment(zap.AddStacktrace(zap.DPanicLevel))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var mu sync.Mutex
	x := topic{cluster: c, name: name}
	h := func(_ context.Context, rs []bus.Record) error {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println("working")
		time.Sleep(hold)
		for _, r := range rs {
			fmt.Println(string(r.Value))
		}
		return nil
	}
	consumer, err := bus.NewConsumer(x.config(h, func(cfg *bus.ConsumerConfig) {
		cfg.Log = log
		cfg.Open = func(context.Context, int) (bus.Handler, error) { fmt.Println("opened"); return h, nil }
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := consumer.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a member in a process of its own.
type process struct {
	x       *topic
	cmd     *exec.Cmd
	log     *strings.Builder // readable once it has ended
	working chan struct{}    // has an element after each "working"
	opened  atomic.Int64     // partitions that it was given
	handled atomic.Int64
	read    chan struct{} // closed once all it printed is noted
}

func (x *topic) startProcess(s *stack.Server) *process {
	x.t.Helper()
	p := &process{x: x, log: &strings.Builder{}, working: make(chan struct{}, 1), read: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), os.Args[0])
	p.cmd.Env = append(os.Environ(), memberEnv+"="+s.Addr+" "+x.name)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		x.t.Fatal(err)
	}
	go func() {
		defer close(p.read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			switch lines.Text() {
			case "opened":
				p.opened.Add(1)
			case "working":
				select {
				case p.working <- struct{}{}:
				default:
				}
			default:
				p.handled.Add(1)
				x.note(lines.Text())
			}
		}
	}()
	x.t.Cleanup(func() { _ = p.end(syscall.SIGKILL) }) // fails where the test has ended it
	return p
}

// end sends the process a signal that ends it and waits for its end.
func (p *process) end(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return err
	}
	<-p.read
	return p.cmd.Wait()
}

func (p *process) waitWorking() {
	p.x.t.Helper()
	select {
	case <-p.working:
	case <-time.After(2 * time.Minute):
		p.x.t.Fatal("the process got no work")
	}
}

// testRebalance has members come, leave and crash under load.
func testRebalance(t *testing.T, s *stack.Server) {
	x := newTopic(t, s, "rebalance", 12)
	var first, second atomic.Int64
	counted := func(n *atomic.Int64) bus.Handler {
		return func(ctx context.Context, rs []bus.Record) error {
			n.Add(int64(len(rs)))
			return x.handle(ctx, rs)
		}
	}
	// load writes until is, which is to come true under load.
	load := func(what string, is func() bool) {
		x.t.Helper()
		x.eventually(what, func() bool { x.write(24); return is() })
	}
	_, stop1 := x.start(counted(&first), nil)
	load("one member at work", func() bool { return first.Load() > 100 })
	_, stop2 := x.start(counted(&second), nil)
	third := x.startProcess(s)
	load("three members at work", func() bool { return second.Load() > 50 && third.handled.Load() > 50 })
	third.waitWorking()
	_ = third.end(syscall.SIGKILL) // "signal: killed"
	before := second.Load()
	load("work goes on after a member crashed", func() bool { return second.Load() > before+100 })
	if err := stop2(); err != nil {
		t.Errorf("leaving under load: %v", err)
	}
	x.write(240)
	x.waitAll()
	x.eventually("everything committed", x.allCommitted)
	if err := stop1(); err != nil {
		t.Error(err)
	}
	t.Logf("%d records, members handled %d, %d and %d, repeated %d", x.written, first.Load(), second.Load(), third.handled.Load(), x.repeats())
}

// testFencing stops a member for longer than its session while it is at work.
// What it does after that must not undo what the next owner committed, and it
// joins again by itself.
func testFencing(t *testing.T, s *stack.Server) {
	x := newTopic(t, s, "fencing", 2)
	p := x.startProcess(s)
	x.write(2)
	p.waitWorking()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, stop := x.start(x.handle, nil)
	x.write(100)
	x.waitAll()
	x.eventually("the next owner has committed everything", x.allCommitted)
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	high, opened, late := x.committed(), p.opened.Load(), int64(-1)
	x.eventually("the member works again", func() bool {
		now := x.committed()
		for part, o := range high {
			if now[part] < o {
				t.Fatalf("partition %d: committed went back from %d to %d", part, o, now[part])
			}
		}
		high = now
		x.write(2)
		if late < 0 && p.opened.Load() > opened {
			late = p.handled.Load() // what it finished before it was a member again
		}
		return late >= 0 && p.handled.Load() > late
	})
	x.waitAll()
	x.eventually("everything committed", x.allCommitted)
	if err := errors.Join(stop(), p.end(syscall.SIGTERM)); err != nil {
		t.Errorf("%v; the member's log:\n%s", err, p.log)
	}
	t.Logf("repeated %d of %d; the member's log:\n%s", x.repeats(), x.written, p.log)
}

// testSigterm ends a service while Kafka is silent and a push is under way.
func testSigterm(t *testing.T, s *stack.Server) {
	program := filepath.Join(t.TempDir(), "ingest")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/ingest")
	build.Dir, build.Env = "../../services/ingest", append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building ingest: %v\n%s", err, out)
	}
	addresses := make(chan string, 1)
	var log strings.Builder
	cmd := exec.CommandContext(context.Background(), program, "--set", "listen=127.0.0.1:0", "--set", "kafka.create_topics=true",
		"--set", "kafka.brokers=["+s.Addr+"]")
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&log, lines.Text())
			if _, rest, ok := strings.Cut(lines.Text(), `"listen":"`); ok {
				address, _, _ := strings.Cut(rest, `"`)
				addresses <- address
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // fails where it has ended
	base := "http://" + <-addresses
	post := func() int {
		res, err := http.Post(base+"/v1/articles?source=s", "text/plain", strings.NewReader("Title\n\nBody."))
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{s.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	x := &topic{t: t, cluster: c}
	x.eventually("the service has processed an article", func() bool {
		if post() != http.StatusAccepted {
			return false
		}
		_, next, err := c.Offsets(t.Context(), bus.TopicClean)
		for _, n := range next {
			if err == nil && n > 0 {
				return true
			}
		}
		return false
	})
	s.Pause()
	defer s.Resume()
	pushed := make(chan int, 1)
	go func() { pushed <- post() }()
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-read
	err = cmd.Wait()
	took := time.Since(began)
	t.Logf("ended %v after SIGTERM with Kafka silent: %v", took.Round(time.Millisecond), err)
	if err == nil {
		t.Errorf("the exit status is 0 although not all was done; the log:\n%s", &log)
	}
	if took > 20*time.Second {
		t.Errorf("the end took %v; the log:\n%s", took, &log)
	}
	if code := <-pushed; code == http.StatusAccepted {
		t.Error("a push was accepted although Kafka was silent")
	}
}
