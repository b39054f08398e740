package chaos

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/marsad-news/marsad/pkg/bus"
)

// maxMemory is what index may take, in bytes.
const maxMemory = 512 << 20

const indexGroup = "marsad-index"

// TestOutage has Elasticsearch down under full input: index keeps its
// membership and its bound on memory, goes on by itself, and loses nothing.
func TestOutage(t *testing.T) {
	r := newRig(t)
	index := r.services["index"]
	l := startLoad(r, random(t))
	stop := l.flow(400)
	l.wait(400, time.Minute)
	pid := index.cmd.Process.Pid
	r.elasticsearch.Kill()
	down := time.Now()
	var peak int64
	for time.Since(down) < *outage {
		time.Sleep(500 * time.Millisecond)
		rss, err := index.memory("VmRSS")
		if err != nil {
			t.Fatal(err)
		}
		peak = max(peak, rss)
		if err := r.member(indexGroup); err != nil {
			t.Errorf("%v after Elasticsearch went down: %v", time.Since(down).Round(time.Second), err)
			break
		}
	}
	waiting := r.waiting(indexGroup, bus.TopicEnriched)
	if err := r.elasticsearch.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	up := time.Now()
	r.readyAll(time.Minute)
	ready := time.Since(up)
	stop()
	l.finish(2 * time.Minute)
	r.balance(5 * time.Minute)
	most, err := index.memory("VmHWM")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Elasticsearch was down for %v; %d articles waited; index was ready %v after it came back; resident at most %d MiB while it was down, %d MiB in all",
		outage, waiting, ready.Round(time.Millisecond), peak>>20, most>>20)
	if most > maxMemory {
		t.Errorf("index took %d MiB, at most %d are allowed", most>>20, maxMemory>>20)
	}
	if index.cmd.Process.Pid != pid || !index.alive() {
		t.Error("index did not live through it")
	}
	l.verify()
}

// member is nil while a group has one member, with all partitions.
func (r *rig) member(group string) error {
	client := &kafka.Client{Addr: kafka.TCP(r.kafka.Addr)}
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
	defer cancel()
	res, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return err
	}
	if len(res.Groups) != 1 || res.Groups[0].Error != nil {
		return errors.New("the broker does not know the group " + group)
	}
	if g := res.Groups[0]; g.GroupState != "Stable" || len(g.Members) != 1 {
		return fmt.Errorf("group %s is %s with %d members", group, g.GroupState, len(g.Members))
	}
	return nil
}
