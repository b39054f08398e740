// Package chaos has the services' own binaries, over real Kafka and real
// Elasticsearch, killed, stopped, starved and lied to while articles come in;
// then "marsad ledger" must balance. It runs on Linux.
//
//	load ─HTTP─► ingest ─► enrich ─► index ─► proxy ─► Elasticsearch ◄─ web
//	                └──────── Kafka ──┘         └ faults
package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The defaults are the short form; "make chaos" runs the long one.
var (
	kills    = flag.Int("kills", 6, "how often TestKills kills something")
	articles = flag.Int("articles", 3000, "how many articles TestKills writes")
	outage   = flag.Duration("outage", 15*time.Second, "how long Elasticsearch is down in TestOutage")
	bad      = flag.Int("bad", 2000, "how many articles surround the bad one in TestBadArticle")
	lasting  = flag.Duration("lasting", 3*time.Second, "how long each fault of TestFaults lasts")
	seed     = flag.Uint64("seed", 0, "of what is random; 0 for a new one")
)

// binaries is the folder with the programs under test.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "marsad-chaos-bin-")
		if err == nil {
			defer os.RemoveAll(dir)
			binaries, err = dir, build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Printf("seed %d\n", *seed)
		code := m.Run()
		if shared != nil {
			err = shared.stop()
			if err == nil && code == 0 {
				err = os.RemoveAll(shared.dir)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}())
}

// build builds every program of the project into dir.
func build(dir string) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	for name, at := range map[string]string{
		"ingest": "services/ingest/cmd/ingest", "enrich": "services/enrich/cmd/enrich", "index": "services/index/cmd/index",
		"web": "services/web/cmd/web", "marsad": "cmd/marsad",
	} {
		cmd := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(dir, name), ".")
		cmd.Dir, cmd.Env = filepath.Join(root, at), append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// random gives a source of chance that is the same for the same seed and test.
func random(t *testing.T) *rand.Rand {
	h := uint64(14695981039346656037)
	for _, c := range []byte(t.Name()) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(*seed, h))
}

// eventually polls until check gives nil.
func eventually(ctx context.Context, within time.Duration, check func() error) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-deadline.C:
			return fmt.Errorf("not within %v: %w", within, err)
		case <-tick.C:
		}
	}
}
