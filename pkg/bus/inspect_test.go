package bus_test

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func inspect(t *testing.T, c *bus.Cluster) *bus.Inspector {
	t.Helper()
	i := c.Inspector()
	t.Cleanup(i.Close)
	return i
}

func TestDescribe(t *testing.T) {
	c := bustest.New(t, 2)
	state, err := inspect(t, c).Describe(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Brokers) != 1 || state.Brokers[0].Err != nil || len(state.Topics) != len(bus.Topics()) {
		t.Fatalf("state is %+v", state)
	}
	for i, want := range bus.Topics() {
		got := state.Topics[i]
		if got.Name != want.Name || got.Err != nil || got.Partitions != 2 || got.Replicas != 1 || got.InSync != 1 || len(got.Leaderless) > 0 {
			t.Errorf("%s is %+v", want.Name, got)
		}
		for name, value := range want.Settings() {
			if got.Settings[name] != value {
				t.Errorf("%s: %s is %q, want %q (%v)", want.Name, name, got.Settings[name], value, got.SettingsErr)
			}
		}
		if got.Settings[bus.SettingMinInSync] != "1" {
			t.Errorf("%s: %s is %q", want.Name, bus.SettingMinInSync, got.Settings[bus.SettingMinInSync])
		}
	}
}

// A cluster without topics says of each that it is missing; AlterTopic changes
// what it is told to, and nothing else.
func TestDescribeMissingAndAltered(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: broker.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	state, err := inspect(t, c).Describe(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range state.Topics {
		if !topic.Missing() {
			t.Errorf("%s: %v", topic.Name, topic.Err)
		}
	}
	if err := c.CreateTopics(within(t), bus.Topics()[:1], 3); err != nil {
		t.Fatal(err)
	}
	if err := c.AlterTopic(within(t), bus.TopicRaw, map[string]string{bus.SettingMaxMessage: "1000"}); err != nil {
		t.Fatal(err)
	}
	state, err = inspect(t, c).Describe(within(t))
	if err != nil {
		t.Fatal(err)
	}
	raw := state.Topics[0]
	if raw.Missing() || raw.Partitions != 3 || raw.Settings[bus.SettingMaxMessage] != "1000" || raw.Settings[bus.SettingRetention] != "604800000" {
		t.Errorf("raw is %+v", raw)
	}
	if err := c.AlterTopic(within(t), bus.TopicSeen, map[string]string{bus.SettingMaxMessage: "1000"}); err == nil {
		t.Error("a missing topic was altered")
	}
}

// Permissions tells what is denied from what is allowed, and writes nothing.
func TestPermissions(t *testing.T) {
	allow := func(kind kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kind, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("PLAIN", "root", "secret"),
		kfake.User("PLAIN", "reader", "secret",
			allow(kmsg.ACLResourceTypeTopic, bus.TopicRaw, kmsg.ACLOperationRead),
			allow(kmsg.ACLResourceTypeTopic, bus.TopicClean, kmsg.ACLOperationWrite),
			allow(kmsg.ACLResourceTypeGroup, "a", kmsg.ACLOperationRead)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	login := func(user string) *bus.Cluster {
		c, err := bus.Open(bus.Settings{
			Brokers: broker.ListenAddrs(), SASL: bus.SASLSettings{Mechanism: "PLAIN", Username: user, Password: "secret"},
		}, "test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	root := login("root")
	if err := root.CreateTopics(within(t), bus.Topics(), 1); err != nil {
		t.Fatal(err)
	}
	stop := working(t, root)
	topics, groups := []string{bus.TopicRaw, bus.TopicClean}, []string{"a", "g"}
	for _, p := range inspect(t, root).Permissions(within(t), topics, groups) {
		if p.Err != nil {
			t.Errorf("root: %s on %s %s: %v", p.Operation, p.Resource, p.Name, p.Err)
		}
	}
	reader := inspect(t, login("reader"))
	var denied []string
	for _, p := range reader.Permissions(within(t), topics, groups) {
		if p.Denied() {
			denied = append(denied, p.Operation+" "+p.Name)
		} else if p.Err != nil {
			t.Errorf("reader: %s on %s %s: %v", p.Operation, p.Resource, p.Name, p.Err)
		}
	}
	if diff := cmp.Diff([]string{"Write " + bus.TopicRaw, "Read " + bus.TopicClean, "Read g"}, denied); diff != "" {
		t.Errorf("denied (-want +got):\n%s", diff)
	}
	state, err := reader.Describe(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if raw, seen := state.Topics[0], state.Topics[1]; raw.Err != nil || raw.SettingsErr == nil || seen.Err == nil || seen.Missing() {
		t.Errorf("raw is %+v, seen is %+v: want the first without settings, the second denied", raw, seen)
	}
	for _, topic := range topics {
		if _, next, err := root.Offsets(within(t), topic); err != nil || next[0] != 0 {
			t.Errorf("%s ends at %v, error %v: something was written", topic, next, err)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// working runs a consumer of group g until stop, and waits until it is a
// member.
func working(t *testing.T, c *bus.Cluster) (stop func() error) {
	t.Helper()
	i := inspect(t, c)
	_, stop = start(t, c, func(context.Context, []bus.Record) error { return nil }, nil)
	ctx := within(t)
	for got := i.Group(ctx, "g", bus.TopicRaw); got.Members == 0 || got.Lag > 0; got = i.Group(ctx, "g", bus.TopicRaw) {
		if ctx.Err() != nil {
			t.Fatalf("the group is %+v", got)
		}
	}
	return stop
}

func TestGroup(t *testing.T) {
	c := bustest.New(t, 2)
	raw := bus.NewProducer(c, bus.TopicRaw)
	t.Cleanup(func() { raw.Close() })
	zero := 0
	for range 3 {
		if err := raw.Write(t.Context(), bus.Message{Partition: &zero, Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	i := inspect(t, c)
	got := i.Group(within(t), "nobody", bus.TopicRaw)
	if got.Err != nil || got.Members != 0 || got.Committed != 0 || got.Lag != 3 || len(got.Behind)+len(got.Ahead) != 0 {
		t.Errorf("a group that never was is %+v", got)
	}
	stop := working(t, c)
	got = i.Group(within(t), "g", bus.TopicRaw)
	if got.Err != nil || got.Members != 1 {
		t.Errorf("a group at work is %+v", got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// On a new cluster groups have no coordinator until it is asked for.
func TestGroupWithoutCoordinator(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	var asked atomic.Int32
	broker.ControlKey(int16(kmsg.DescribeGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		if asked.Add(1) == 3 {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
		g := kmsg.NewDescribeGroupsResponseGroup()
		g.Group, g.ErrorCode = "g", kerr.NotCoordinator.Code
		res.Groups = append(res.Groups, g)
		return res, nil, true
	})
	if got := inspect(t, c).Permissions(within(t), nil, []string{"g"}); got[0].Err != nil || asked.Load() != 3 {
		t.Errorf("%+v asked %d times", got, asked.Load())
	}
}

// Offsets that the topic no longer has, or does not have yet, are named.
func TestGroupOutOfRange(t *testing.T) {
	c, broker := bustest.NewBroker(t, 3)
	raw := bus.NewProducer(c, bus.TopicRaw)
	t.Cleanup(func() { raw.Close() })
	for p := range 3 {
		if err := raw.Write(t.Context(), bus.Message{Partition: &p, Value: []byte("a")}, bus.Message{Partition: &p, Value: []byte("b")}); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...), kgo.MaxVersions(kversion.V3_8_0())) // later versions name topics by id
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group = "g"
	commit.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: bus.TopicRaw}}
	for p, at := range []int64{0, 2, 100} {
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = int32(p), at
		commit.Topics[0].Partitions = append(commit.Topics[0].Partitions, part)
	}
	if _, err := commit.RequestWith(within(t), client); err != nil {
		t.Fatal(err)
	}
	gone := kmsg.NewPtrDeleteRecordsRequest()
	gone.Topics = []kmsg.DeleteRecordsRequestTopic{{
		Topic: bus.TopicRaw, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 1}},
	}}
	if _, err := gone.RequestWith(within(t), client); err != nil {
		t.Fatal(err)
	}
	got := inspect(t, c).Group(within(t), "g", bus.TopicRaw)
	want := bus.GroupState{Group: "g", Topic: bus.TopicRaw, State: "Empty", Committed: 3, Lag: 1, Behind: []int{0}, Ahead: []int{2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the group (-want +got):\n%s", diff)
	}
}

// A broker that nobody can reach where the cluster sends its clients is named.
func TestAdvertisedUnreachable(t *testing.T) {
	c, broker := bustest.NewBroker(t, 1)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().(*net.TCPAddr)
	l.Close()
	broker.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		res := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = 7, "127.0.0.1", int32(closed.Port)
		res.Brokers = append(res.Brokers, b)
		return res, nil, true
	})
	state, err := inspect(t, c).Describe(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(state.Brokers, func(b bus.BrokerState) bool { return b.ID == 7 && b.Address == closed.String() && b.Err != nil }) {
		t.Errorf("brokers are %+v", state.Brokers)
	}
}
