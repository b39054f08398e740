package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describegroups"
)

// Permission is one thing that the services do on a cluster.
type Permission struct {
	Operation string // Read or Write, as Kafka's ACLs call it
	Resource  string // topic or group
	Name      string
	// Err is nil where it is allowed. It is kafka.TopicAuthorizationFailed or
	// kafka.GroupAuthorizationFailed where it is denied; anything else means that
	// it could not be told.
	Err error
}

// Denied is true where the cluster refused for want of a permission.
func (p Permission) Denied() bool {
	return errors.Is(p.Err, kafka.TopicAuthorizationFailed) || errors.Is(p.Err, kafka.GroupAuthorizationFailed) ||
		errors.Is(p.Err, kafka.ClusterAuthorizationFailed)
}

// Permissions tries whether this user may read and write each of topics, which
// exist, and join each of groups. Nothing is written, no group is joined.
func (i *Inspector) Permissions(ctx context.Context, topics, groups []string) []Permission {
	var out []Permission
	for _, t := range topics {
		out = append(out,
			Permission{"Read", "topic", t, i.mayRead(ctx, t)},
			Permission{"Write", "topic", t, i.mayWrite(ctx, t)})
	}
	for _, g := range groups {
		out = append(out, Permission{"Read", "group", g, i.mayJoin(ctx, g)})
	}
	return out
}

// mayRead fetches from the end of the first partition.
func (i *Inspector) mayRead(ctx context.Context, topic string) error {
	res, err := i.cluster.client.Fetch(ctx, &kafka.FetchRequest{Topic: topic, Offset: kafka.LastOffset, MaxBytes: 1})
	if err != nil {
		return fmt.Errorf("fetching from %s: %w", topic, err)
	}
	return res.Error
}

// mayWrite sends a batch of no bytes to the first partition. Brokers look at
// the permission first, then refuse it as a batch before anything is written.
func (i *Inspector) mayWrite(ctx context.Context, topic string) error {
	res, err := i.cluster.client.RawProduce(ctx, &kafka.RawProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(make([]byte, 4))}, // a length of zero
	})
	switch {
	case err != nil:
		return fmt.Errorf("sending an empty batch to %s: %w", topic, err)
	case errors.Is(res.Error, kafka.InvalidRecord), errors.Is(res.Error, kafka.InvalidMessage):
		return nil
	}
	return res.Error
}

// mayJoin asks what this user may do with the group.
func (i *Inspector) mayJoin(ctx context.Context, group string) error {
	g, err := i.describeGroup(ctx, group)
	switch {
	case err != nil:
		return err
	case g.AuthorizedOperations == math.MinInt32:
		return errors.New("this broker does not say who may do what with a group")
	case g.AuthorizedOperations&(1<<operationRead) == 0:
		return kafka.GroupAuthorizationFailed
	}
	return nil
}

// operationRead is READ among the protocol's ACL operations.
const operationRead = 3

// describeGroup asks the group's coordinator; a group that does not exist is
// Dead. It waits for a coordinator: the first question about a group on a new
// cluster is what gives the cluster one.
func (i *Inspector) describeGroup(ctx context.Context, group string) (*describegroups.ResponseGroup, error) {
	back := backoff{min: 20 * time.Millisecond, max: 500 * time.Millisecond}
	for {
		m, err := i.cluster.transport.RoundTrip(ctx, i.cluster.client.Addr, &describegroups.Request{
			Groups: []string{group}, IncludeAuthorizedOperations: true, // which kafka.Client does not offer
		})
		if err != nil {
			return nil, fmt.Errorf("describing group %s: %w", group, err)
		}
		res, ok := m.(*describegroups.Response)
		if !ok || len(res.Groups) != 1 {
			return nil, fmt.Errorf("describing group %s: Kafka's answer is about something else", group)
		}
		switch code := kafka.Error(res.Groups[0].ErrorCode); code {
		case 0:
			return &res.Groups[0], nil
		case kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup:
			if back.wait(ctx) == nil {
				continue
			}
			return nil, fmt.Errorf("describing group %s: %w", group, code)
		default:
			return nil, fmt.Errorf("describing group %s: %w", group, code)
		}
	}
}

// GroupState is how far a consumer group has come in a topic.
type GroupState struct {
	Group, Topic string
	Err          error  // why it could not be told; nothing else holds then
	State        string // as Kafka says: Stable, Empty …; Dead if it does not exist
	Members      int
	Committed    int   // partitions with a committed offset
	Lag          int64 // records not committed yet; of a partition without a commit, all that it keeps
	Behind       []int // partitions where retention deleted records before they were handled
	Ahead        []int // partitions whose committed offset is beyond the end: another topic of that name
}

// Group asks how far group has come in topic.
func (i *Inspector) Group(ctx context.Context, group, topic string) GroupState {
	s := GroupState{Group: group, Topic: topic}
	g, err := i.describeGroup(ctx, group)
	if err != nil {
		s.Err = err
		return s
	}
	s.State, s.Members = g.GroupState, len(g.Members)
	first, next, err := i.cluster.Offsets(ctx, topic)
	if err != nil {
		s.Err = err
		return s
	}
	committed, err := i.cluster.Committed(ctx, group, topic)
	if err != nil {
		s.Err = err
		return s
	}
	for p := range len(next) {
		at, ok := committed[p]
		switch {
		case !ok:
			at = first[p]
		case at < first[p]:
			s.Behind = append(s.Behind, p)
		case at > next[p]:
			s.Ahead = append(s.Ahead, p)
		}
		s.Lag += max(next[p]-max(at, first[p]), 0)
	}
	s.Committed = len(committed)
	return s
}
