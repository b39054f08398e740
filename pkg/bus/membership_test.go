package bus_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// never is longer than any test.
const never = time.Hour

// With Kafka black-holed Run ends all the same, and names what was done but
// could not be committed. Producers close as well.
func TestDrainKafkaBlackHoled(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 3)
	s, p := newSeen(), bus.NewProducer(c, bus.TopicClean)
	stuck := make(chan struct{})
	h := func(ctx context.Context, rs []bus.Record) error {
		if string(rs[0].Value) == "2" {
			bustest.BlackHole(broker)
			close(stuck)
			return p.Write(ctx, bus.Message{Value: []byte("lost")})
		}
		s.add(rs...)
		return nil
	}
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) {
		cfg.BatchRecords, cfg.CommitInterval, cfg.DrainTimeout = 1, never, 100*time.Millisecond
	})
	<-stuck
	// Longer than drain and leaving take, shorter than the library's time-outs.
	deadline := time.AfterFunc(10*time.Second, func() { panic("the consumer or a producer hangs on a black-holed broker") })
	defer deadline.Stop()
	err := stop()
	if err == nil || !strings.Contains(err.Error(), "articles.raw/0 is done up to 2 but not committed") {
		t.Errorf("Run = %v, want what was not committed", err)
	}
	if err := bus.CloseAll(p, bus.NewProducer(c, bus.TopicDead)); err == nil || !strings.Contains(err.Error(), bus.TopicClean) {
		t.Errorf("CloseAll = %v, want the writes under way named", err)
	}
}

// With the handler black-holed Run commits what is finished and leaves the
// group in order.
func TestDrainHandlerBlackHoled(t *testing.T) {
	c := bustest.New(t, 1)
	write(t, c, 0, 3)
	stuck := make(chan struct{})
	h := func(ctx context.Context, rs []bus.Record) error {
		if string(rs[0].Value) == "2" {
			close(stuck)
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) {
		cfg.BatchRecords, cfg.CommitInterval, cfg.DrainTimeout = 1, never, 100*time.Millisecond
	})
	<-stuck
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	waitCommitted(t, c, 2)
	if err := c.DeleteGroup(t.Context(), "g"); err != nil { // refused while it has members
		t.Error(err)
	}
}

// A consumer learns from a refused commit that its partitions are lost, drops
// its work at once, and joins again by itself.
func TestLostPartitions(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 3)
	var dropped atomic.Bool
	s := newSeen()
	h := func(ctx context.Context, rs []bus.Record) error {
		if string(rs[0].Value) == "2" && !dropped.Load() {
			refuseCommit(broker)
			<-ctx.Done()
			dropped.Store(true)
			return ctx.Err()
		}
		s.add(rs...)
		return nil
	}
	var opened atomic.Int32
	_, stop := start(t, c, h, func(cfg *bus.ConsumerConfig) {
		cfg.BatchRecords, cfg.CommitInterval = 1, 300*time.Millisecond
		cfg.Open = func(context.Context, int) (bus.Handler, error) { opened.Add(1); return h, nil }
	})
	s.wait(t, 3)
	waitCommitted(t, c, 3)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := opened.Load(); n < 2 {
		t.Errorf("the partition was opened %d times, want again after it was lost", n)
	}
}

// refuseCommit has the broker refuse the next commit as that of a stranger,
// and the heartbeats until it has.
func refuseCommit(broker *kfake.Cluster) {
	const unknownMember = 25
	var refused atomic.Bool
	broker.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
		refused.Store(true)
		req := r.(*kmsg.OffsetCommitRequest)
		res := req.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, topic := range req.Topics {
			rt := kmsg.NewOffsetCommitResponseTopic()
			rt.Topic = topic.Topic
			for _, p := range topic.Partitions {
				rp := kmsg.NewOffsetCommitResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, unknownMember
				rt.Partitions = append(rt.Partitions, rp)
			}
			res.Topics = append(res.Topics, rt)
		}
		return res, nil, true
	})
	broker.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if !refused.Load() {
			broker.KeepControl()
			return nil, nil, false
		}
		res := r.ResponseKind().(*kmsg.HeartbeatResponse)
		res.ErrorCode = unknownMember
		return res, nil, true
	})
}

// Failures to join show in Ready and are tried again with pauses.
func TestJoinFailures(t *testing.T) {
	const rebalanceInProgress = 27 // for which the library itself does not wait
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 1)
	var tries atomic.Int32
	var heal atomic.Bool
	broker.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		if heal.Load() {
			return nil, nil, false
		}
		tries.Add(1)
		res := r.ResponseKind().(*kmsg.JoinGroupResponse)
		res.ErrorCode = rebalanceInProgress
		return res, nil, true
	})
	s := newSeen()
	began := time.Now()
	consumer, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }, nil)
	eventually(t, "six tries", func() bool { return tries.Load() >= 6 })
	if d := time.Since(began); d < 375*time.Millisecond { // four pauses, with the least jitter
		t.Errorf("six tries within %v", d)
	}
	if err := consumer.Ready(); err == nil || !strings.Contains(err.Error(), "group g") || !strings.Contains(err.Error(), "Rebalance In Progress") {
		t.Errorf("Ready = %v, want the group's error", err)
	}
	heal.Store(true)
	s.wait(t, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// A broker that falls silent while a client logs in does not hold it for ever.
func TestLoginHeld(t *testing.T) {
	plain := plain.Mechanism{Username: "marsad", Password: "secret"}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", plain.Username, plain.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: broker.ListenAddrs(), SASL: plain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.CreateTopics(t.Context(), bus.Topics(), 1); err != nil {
		t.Fatal(err)
	}
	write(t, c, 0, 1)
	hold(broker, kmsg.SASLHandshake)
	s := newSeen()
	_, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }, nil)
	s.wait(t, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// A member that the library forgets without having left, as it does when the
// broker goes away, is ended by the consumer: the group would wait for it.
func TestForgottenMemberLeaves(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	write(t, c, 0, 1)
	s := newSeen()
	_, stop := start(t, c, func(_ context.Context, rs []bus.Record) error { s.add(rs...); return nil }, nil)
	s.wait(t, 1)
	waitCommitted(t, c, 1)
	gone := errors.New("the broker goes away")
	cut := func(kmsg.Request) (kmsg.Response, error, bool) { return nil, gone, true }
	left := make(chan string, 10)
	broker.ControlKey(int16(kmsg.Heartbeat), cut)
	broker.ControlKey(int16(kmsg.JoinGroup), cut)
	broker.ControlKey(int16(kmsg.LeaveGroup), cut) // the library's own
	broker.ControlKey(int16(kmsg.LeaveGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		for _, m := range r.(*kmsg.LeaveGroupRequest).Members {
			left <- m.MemberID
		}
		return nil, nil, false
	})
	select {
	case id := <-left:
		if id == "" {
			t.Error("a member without a name left")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the forgotten member did not leave")
	}
	write(t, c, 1, 2)
	s.wait(t, 2)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
