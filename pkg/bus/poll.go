package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	fetchapi "github.com/segmentio/kafka-go/protocol/fetch"
)

// pollEvery is the time between requests to a broker, unless set otherwise.
const pollEvery = 10 * time.Millisecond

// pollShort is how long a request may wait at the broker where a partition is
// left out of it: that may want more at any time.
const pollShort = 20 * time.Millisecond

// poller fetches from the partitions of a topic by one request a broker at a
// time, for all partitions that want more. A call is answered once its
// partition has records, has failed, or has waited for fetchWait. (kafka-go's
// Client fetches from one partition only.) Safe for concurrent use; calls for
// one partition come one after the other.
type poller struct {
	cluster *Cluster
	topic   string
	every   time.Duration // between one request to a broker and the next, unless more is known to be there

	mu      sync.Mutex
	calls   []*poll               // that wait for an answer; those that wait longest for records first
	leaders map[int]int           // of the partitions that ever asked
	ends    map[int]int64         // of those partitions, as last told
	polling map[int]chan struct{} // by leader, where it is being asked: has the next request sent at once
}

// poll is a call: fetch from a partition, from offset on.
type poll struct {
	partition int
	offset    int64
	leader    int
	until     time.Time
	answer    chan polled // holds one
	request   *request    // it is part of, nil while it waits
	done      bool        // answered, or the caller is gone
}

type polled struct {
	fetchapi.ResponsePartition
	err    error
	shared bool // err is of the whole request, which may be another partition's fault
}

// request is a request on its way.
type request struct {
	cancel context.CancelFunc
	open   int // calls whose caller is there
}

func newPoller(c *Cluster, topic string, every time.Duration) *poller {
	return &poller{
		cluster: c, topic: topic, every: every,
		leaders: map[int]int{}, ends: map[int]int64{}, polling: map[int]chan struct{}{},
	}
}

// fetch reads what follows offset: at least one batch if there is any, at most
// about fetchBytes; it waits up to about fetchWait for the first record.
func (p *poller) fetch(ctx context.Context, partition int, offset int64) (fetched, error) {
	leaders, err := p.cluster.layouts.leaders(ctx, p.topic)
	if err == nil && partition >= len(leaders) {
		err = kafka.UnknownTopicOrPartition
	}
	if err != nil {
		return fetched{}, fmt.Errorf("fetching %s/%d at %d: %w", p.topic, partition, offset, err)
	}
	c := &poll{
		partition: partition, offset: offset, leader: leaders[partition],
		until: time.Now().Add(fetchWait), answer: make(chan polled, 1),
	}
	p.join(c)
	select {
	case a := <-c.answer:
		if a.err != nil {
			p.cluster.layouts.forget(p.topic)
		}
		if a.shared {
			return p.cluster.fetch(ctx, p.topic, partition, offset, fetchBytes)
		}
		if a.err != nil {
			return fetched{}, fmt.Errorf("fetching %s/%d at %d: %w", p.topic, partition, offset, a.err)
		}
		at := fetched{next: offset, first: a.LogStartOffset, end: a.HighWatermark}
		return at.read(place{p.topic, partition}, a.RecordSet.Records)
	case <-ctx.Done():
		p.leave(c)
		return fetched{}, ctx.Err()
	}
}

func (p *poller) join(c *poll) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
	p.leaders[c.partition] = c.leader
	hurry, polling := p.polling[c.leader]
	if !polling {
		hurry = make(chan struct{}, 1)
		p.polling[c.leader] = hurry
		go p.run(c.leader, hurry)
	}
	if c.offset < p.ends[c.partition] {
		select {
		case hurry <- struct{}{}:
		default:
		}
	}
}

// leave takes back a call, and the request that nobody else waits for.
func (p *poller) leave(c *poll) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.done = true
	p.calls = slices.DeleteFunc(p.calls, func(o *poll) bool { return o == c })
	if c.request != nil {
		if c.request.open--; c.request.open == 0 {
			c.request.cancel()
		}
	}
}

// run sends requests to a leader as long as there are calls for it.
func (p *poller) run(leader int, hurry <-chan struct{}) {
	pause := time.NewTicker(p.every)
	defer pause.Stop()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		calls, wait := p.take(leader, cancel)
		if calls == nil {
			cancel()
			return
		}
		answers, err := p.request(ctx, calls, wait)
		cancel()
		p.settle(calls, answers, err)
		select {
		case <-pause.C:
		case <-hurry:
		}
	}
}

// take gives the calls for the next request to leader, and how long it may
// wait at the broker; nil where there are none, and polling it ends.
func (p *poller) take(leader int, cancel context.CancelFunc) (calls []*poll, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &request{cancel: cancel}
	for _, c := range p.calls {
		if c.leader == leader {
			c.request = r
			calls = append(calls, c)
		}
	}
	if r.open = len(calls); r.open == 0 {
		delete(p.polling, leader)
		return nil, 0
	}
	all := 0
	for _, l := range p.leaders {
		if l == leader {
			all++
		}
	}
	if len(calls) < all {
		return calls, pollShort
	}
	return calls, fetchWait
}

// request asks the broker and gives its answers by partition.
func (p *poller) request(ctx context.Context, calls []*poll, wait time.Duration) (map[int]polled, error) {
	topic := fetchapi.RequestTopic{Topic: p.topic}
	for _, c := range calls {
		topic.Partitions = append(topic.Partitions, fetchapi.RequestPartition{
			Partition: int32(c.partition), CurrentLeaderEpoch: -1, //nolint:gosec // Kafka numbers partitions by int32
			FetchOffset: c.offset, LogStartOffset: -1, PartitionMaxBytes: fetchBytes,
		})
	}
	res, err := p.cluster.transport.RoundTrip(ctx, p.cluster.client.Addr, &fetchapi.Request{
		ReplicaID: -1, MaxWaitTime: int32(wait.Milliseconds()), MinBytes: 1, MaxBytes: int32(fetchBytes * len(calls)), //nolint:gosec // some MiB
		SessionID: -1, SessionEpoch: -1, Topics: []fetchapi.RequestTopic{topic},
	})
	if err != nil {
		return nil, err
	}
	answer, ok := res.(*fetchapi.Response)
	if !ok {
		return nil, fmt.Errorf("the broker answers a fetch with %T", res)
	}
	if answer.ErrorCode != 0 {
		return nil, kafka.Error(answer.ErrorCode)
	}
	answers := make(map[int]polled, len(calls))
	for _, t := range answer.Topics {
		for _, a := range t.Partitions {
			got := polled{ResponsePartition: a}
			if a.ErrorCode != 0 {
				got.err = kafka.Error(a.ErrorCode)
			}
			answers[int(a.Partition)] = got
		}
	}
	return answers, nil
}

var errLeftOut = errors.New("the broker's answer leaves the partition out")

// settle answers the calls that have records, failed or waited long enough.
// The others go on waiting, before those that come: a broker gives a batch
// larger than a fetch only to the first partition that has any.
func (p *poller) settle(calls []*poll, answers map[int]polled, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for _, c := range calls {
		c.request = nil
		a, ok := answers[c.partition]
		p.ends[c.partition] = a.HighWatermark
		switch {
		case err != nil:
			a.err, a.shared = err, len(calls) > 1
		case !ok:
			a.err = errLeftOut
		case a.err == nil && a.RecordSet.Records == nil && now.Before(c.until):
			continue
		}
		if !c.done {
			c.done = true
			c.answer <- a
		}
	}
	p.calls = slices.DeleteFunc(p.calls, func(c *poll) bool { return c.done })
}
