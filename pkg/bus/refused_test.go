package bus_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An offset that the user may not see was taken for none.
func TestCommittedSaysWhatIsRefused(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	broker.ControlKey(int16(kmsg.OffsetFetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		resp := r.ResponseKind().(*kmsg.OffsetFetchResponse)
		topic := kmsg.NewOffsetFetchResponseTopic()
		topic.Topic = bus.TopicRaw
		topic.Partitions = []kmsg.OffsetFetchResponseTopicPartition{{Offset: -1, ErrorCode: int16(kafka.TopicAuthorizationFailed)}}
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	if offsets, err := c.Committed(t.Context(), "g", bus.TopicRaw); !errors.Is(err, kafka.TopicAuthorizationFailed) {
		t.Errorf("Committed gives %v, error %v", offsets, err)
	}
}

// Dead letters that cannot be written hold the stage up; it must say so.
func TestUnwrittenDeadLetterIsNotReady(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	var open atomic.Bool
	broker.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		if open.Load() || len(req.Topics) != 1 || req.Topics[0].Topic != bus.TopicDead {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = bus.TopicDead
		for _, p := range req.Topics[0].Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition, part.ErrorCode = p.Partition, int16(kafka.TopicAuthorizationFailed)
			topic.Partitions = append(topic.Partitions, part)
		}
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	write(t, c, 0, 1)
	consumer, _ := start(t, c, func(context.Context, []bus.Record) error {
		return &bus.BatchError{Records: []bus.RecordError{{Err: kafka.InvalidMessage, Do: bus.Reject}}}
	}, nil)
	unready(t, consumer, "give this user the permission")
	open.Store(true)
	eventually(t, "ready", func() bool { return consumer.Ready() == nil })
	if got := deadLetters(t, c); len(got) != 1 {
		t.Errorf("%d dead letters, want 1", len(got))
	}
}

// Why a group cannot be joined is in Ready.
func TestReadySaysWhyNotJoined(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	broker.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		resp := r.ResponseKind().(*kmsg.JoinGroupResponse)
		resp.ErrorCode = int16(kafka.GroupAuthorizationFailed)
		return resp, nil, true
	})
	consumer, _ := start(t, c, func(context.Context, []bus.Record) error { return nil }, nil)
	unready(t, consumer, "is not a member of group g: [30] Group Authorization Failed")
	eventually(t, "ready", func() bool { return consumer.Ready() == nil }) // only the first was refused
}

func unready(t *testing.T, c *bus.Consumer, want string) {
	t.Helper()
	eventually(t, "not ready with the reason", func() bool {
		err := c.Ready()
		return err != nil && strings.Contains(err.Error(), want)
	})
}
