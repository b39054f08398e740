package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestOffsetsAt(t *testing.T) {
	c := bustest.New(t, 2)
	p := bus.NewProducer(c, bus.TopicRaw)
	defer p.Close()
	before, zero := time.Now(), 0
	for i := range 3 {
		if err := p.Write(t.Context(), bus.Message{Partition: &zero, Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	r, ok, err := c.ReadOne(t.Context(), bus.TopicRaw, 0, 2)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, tt := range []struct {
		name string
		at   time.Time
		want map[int]int64
	}{
		{"before all", before.Add(-time.Hour), map[int]int64{0: 0, 1: 0}},
		{"before time began", time.UnixMilli(-1), map[int]int64{0: 0, 1: 0}},
		{"after all", r.Time.Add(time.Millisecond), map[int]int64{0: 3, 1: 0}},
	} {
		got, err := c.OffsetsAt(t.Context(), bus.TopicRaw, tt.at)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A group begins where Start says, once, and is gone once deleted.
func TestStartAndDeleteGroup(t *testing.T) {
	c := bustest.New(t, 1)
	write(t, c, 0, 10)
	var asked atomic.Int32
	from7 := func(cfg *bus.ConsumerConfig) {
		cfg.Start = func(_ context.Context, partition int) (int64, error) {
			if partition != 0 {
				t.Errorf("asked for partition %d", partition)
			}
			if asked.Add(1) == 1 {
				return 0, errors.New("not now")
			}
			return 7, nil
		}
	}
	s := newSeen()
	h := func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }
	_, stop := start(t, c, h, from7)
	s.wait(t, 3)
	if err := c.DeleteGroup(t.Context(), "g"); err == nil {
		t.Error("a group with a member was deleted")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	write(t, c, 10, 12)
	_, stop = start(t, c, h, from7)
	s.wait(t, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("Start was asked %d times, want twice for the first consumer and not for the second", n)
	}
	if diff := cmp.Diff(map[string]int{"7": 1, "8": 1, "9": 1, "10": 1, "11": 1}, s.counts); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	for range 2 { // the second time it is not there
		if err := c.DeleteGroup(t.Context(), "g"); err != nil {
			t.Error(err)
		}
	}
	if got, err := c.Committed(t.Context(), "g", bus.TopicRaw); err != nil || len(got) != 0 {
		t.Errorf("committed %v, error %v after deletion", got, err)
	}
}

// The markers that transactions leave in a partition are passed over, also the
// last one, behind which nothing comes.
func TestTransactionMarkers(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	writer, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...), kgo.TransactionalID("t"), kgo.DefaultProduceTopic(bus.TopicRaw))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for i := range 2 {
		if err := writer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := writer.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := writer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
	}
	s := newSeen()
	_, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }, nil)
	s.wait(t, 2)
	waitCommitted(t, c, 4) // record, marker, record, marker
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"0": 1, "1": 1}, s.counts); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// What a leader does not show yet is waited for, and not taken for a hole.
func TestReadAllWaitsForLeader(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 5)
	broker.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.FetchRequest)
		res := req.ResponseKind().(*kmsg.FetchResponse)
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
		topic.Partitions = append(topic.Partitions, kmsg.NewFetchResponseTopicPartition()) // empty, high watermark 0
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	n := 0
	end, err := c.ReadAll(t.Context(), bus.TopicRaw, 0, func(bus.Record) error { n++; return nil })
	if err != nil || end != 5 || n != 5 {
		t.Errorf("read %d records up to %d, error %v, want all 5", n, end, err)
	}
}
