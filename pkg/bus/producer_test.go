package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// values reads back what is in all partitions of a topic, in order.
func values(t *testing.T, c *bus.Cluster, topic string, partitions int) (all [][]string) {
	t.Helper()
	for p := range partitions {
		var in []string
		if _, err := c.ReadAll(t.Context(), topic, p, func(r bus.Record) error { in = append(in, string(r.Value)); return nil }); err != nil {
			t.Fatal(err)
		}
		all = append(all, in)
	}
	return all
}

func to(partition int, value string) bus.Message {
	return bus.Message{Partition: &partition, Key: []byte("k"), Value: []byte(value), Headers: []bus.Header{{Key: "h", Value: []byte("v")}}}
}

// What is written while a request is on its way goes in the next one, for all
// topics and partitions together, and each partition keeps its order.
func TestWritesShareRequests(t *testing.T) {
	c, broker := bustest.NewBroker(t, 4)
	requests := make(chan int, 100) // partitions in each
	release, first := make(chan struct{}), true
	broker.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		n := 0
		for _, topic := range req.(*kmsg.ProduceRequest).Topics {
			n += len(topic.Partitions)
		}
		requests <- n
		if first {
			first = false
			<-release
		}
		return nil, nil, false
	})
	clean, seen := bus.NewProducer(c, bus.TopicClean), bus.NewProducer(c, bus.TopicSeen)
	var wg sync.WaitGroup
	write := func(p *bus.Producer, msgs ...bus.Message) {
		wg.Go(func() {
			if err := p.Write(t.Context(), msgs...); err != nil {
				t.Error(err)
			}
		})
	}
	write(clean, to(0, "first"))
	if n := <-requests; n != 1 {
		t.Fatalf("first request has %d partitions", n)
	}
	var msgs []bus.Message
	for i := range 40 {
		msgs = append(msgs, to(i%4, fmt.Sprint(i)))
	}
	write(clean, msgs...)
	write(seen, to(2, "state"))
	bus.AwaitQueued(t, c, 41)
	close(release)
	wg.Wait()
	if n := <-requests; n != 5 || len(requests) > 0 {
		t.Errorf("second request has %d partitions, %d more follow; want one of 5", n, len(requests))
	}
	got := values(t, c, bus.TopicClean, 4)
	if want := "[[first 0 4 8 12 16 20 24 28 32 36]"; !strings.HasPrefix(fmt.Sprint(got), want) {
		t.Errorf("written %v, want %s", got, want)
	}
	if got := values(t, c, bus.TopicSeen, 4); fmt.Sprint(got) != "[[] [] [state] []]" {
		t.Errorf("written %v", got)
	}
	if err := bus.CloseAll(clean, seen); err != nil {
		t.Error(err)
	}
	if err := clean.Write(t.Context(), to(0, "late")); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after Close: %v", err)
	}
}

// answer has the broker answer the next produce requests with these codes, for
// each partition but keep, whose records are not written either then.
func answer(broker *kfake.Cluster, codes ...*kerr.Error) {
	for _, e := range codes {
		broker.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			in := req.(*kmsg.ProduceRequest)
			res := in.ResponseKind().(*kmsg.ProduceResponse)
			for _, topic := range in.Topics {
				rt := kmsg.NewProduceResponseTopic()
				rt.Topic = topic.Topic
				for _, p := range topic.Partitions {
					rp := kmsg.NewProduceResponseTopicPartition()
					rp.Partition, rp.ErrorCode = p.Partition, e.Code
					rt.Partitions = append(rt.Partitions, rp)
				}
				res.Topics = append(res.Topics, rt)
			}
			return res, nil, true
		})
	}
}

func TestWriteTriesAgain(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	p := bus.NewProducer(c, bus.TopicClean)
	answer(broker, kerr.NotLeaderForPartition, kerr.NotEnoughReplicas)
	if err := p.Write(t.Context(), to(0, "a"), to(0, "b")); err != nil {
		t.Fatal(err)
	}
	answer(broker, kerr.TopicAuthorizationFailed)
	err := p.Write(t.Context(), to(0, "c"), to(0, "d"))
	if !errors.Is(err, kafka.TopicAuthorizationFailed) || !strings.Contains(err.Error(), "2 of 2 records") || !strings.Contains(err.Error(), "permission") {
		t.Errorf("refused: %v", err)
	}
	answer(broker, kerr.RequestTimedOut, kerr.RequestTimedOut, kerr.RequestTimedOut, kerr.RequestTimedOut, kerr.RequestTimedOut)
	if err := p.Write(t.Context(), to(0, "e")); !errors.Is(err, kafka.RequestTimedOut) {
		t.Errorf("after five tries: %v", err)
	}
	if err := p.Write(t.Context(), to(0, "f")); err != nil {
		t.Error(err)
	}
	if got := values(t, c, bus.TopicClean, 1); fmt.Sprint(got) != "[[a b f]]" {
		t.Errorf("written %v", got)
	}
}

// Each leader has its own requests, and one that moved is found.
func TestWriteToManyBrokers(t *testing.T) {
	c, broker := bustest.NewBrokers(t, 3, 6)
	p := bus.NewProducer(c, bus.TopicClean)
	msgs := func(value string) (msgs []bus.Message) {
		for i := range 6 {
			msgs = append(msgs, to(i, value))
		}
		return msgs
	}
	if err := p.Write(t.Context(), msgs("a")...); err != nil {
		t.Fatal(err)
	}
	for i := range int32(6) {
		if err := broker.MoveTopicPartition(bus.TopicClean, i, (broker.LeaderFor(bus.TopicClean, i)+1)%3); err != nil {
			t.Fatal(err)
		}
	}
	for { // until the library has asked again who leads what
		if err := p.Write(t.Context(), msgs("b")...); err == nil {
			break
		}
	}
	for i, got := range values(t, c, bus.TopicClean, 6) {
		if len(got) < 2 || got[0] != "a" || got[len(got)-1] != "b" {
			t.Errorf("partition %d has %v", i, got)
		}
	}
}

// A caller that gives up gets its own error; Close says what is open.
func TestWriteHeld(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	p := bus.NewProducer(c, bus.TopicClean)
	if err := p.Write(t.Context(), to(0, "a")); err != nil {
		t.Fatal(err)
	}
	bustest.BlackHole(broker)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Write(ctx, to(0, "b")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "not acknowledged") {
		t.Errorf("closed while writing: %v", err)
	}
}

func TestWriteRefusesWhatCannotFit(t *testing.T) {
	c := bustest.New(t, 1)
	p := bus.NewProducer(c, bus.TopicSeen)
	err := p.Write(t.Context(), to(0, "a"), to(0, strings.Repeat("x", 1<<20)))
	if !errors.Is(err, kafka.MessageSizeTooLarge) || !strings.Contains(err.Error(), "record 1 of 2") {
		t.Errorf("too large: %v", err)
	}
	if err := p.Write(t.Context(), to(7, "a")); err == nil || !strings.Contains(err.Error(), "partition 7 of 1") {
		t.Errorf("no such partition: %v", err)
	}
	if err := bus.NewProducer(c, "nowhere").Write(t.Context(), to(0, "a")); !errors.Is(err, kafka.UnknownTopicOrPartition) {
		t.Errorf("no such topic: %v", err)
	}
	if got := values(t, c, bus.TopicSeen, 1); fmt.Sprint(got) != "[[]]" {
		t.Errorf("written %v", got)
	}
}
