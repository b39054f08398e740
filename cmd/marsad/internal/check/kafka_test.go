package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/marsad-news/marsad/pkg/bus"
)

// sound is a cluster of three brokers without a flaw.
func sound() bus.ClusterState {
	s := bus.ClusterState{ID: "c", Brokers: []bus.BrokerState{{ID: 1}, {ID: 2}, {ID: 3}}}
	for _, t := range bus.Topics() {
		settings := t.Settings()
		settings[bus.SettingMinInSync], settings[bus.SettingRetentionBytes] = "2", "-1"
		if t.Compacted {
			settings[bus.SettingRetention] = "604800000"
		}
		s.Topics = append(s.Topics, bus.TopicState{Name: t.Name, Partitions: t.Partitions, Replicas: 3, InSync: 3, Settings: settings})
	}
	return s
}

// has looks for a finding of that level whose text holds what and do.
func has(findings []Finding, level Level, what, do string) bool {
	for _, f := range findings {
		if f.Level == level && strings.Contains(f.What, what) && strings.Contains(f.Do, do) {
			return true
		}
	}
	return false
}

func list(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s\t%s\t%s → %s\n", f.Level, f.Subject, f.What, f.Do)
	}
	return b.String()
}

// Each flaw of a topic is found, alone, and says what to do.
func TestTopics(t *testing.T) {
	const raw, seen, held, enriched = 0, 1, 2, 4
	for name, c := range map[string]struct {
		topic   int
		spoil   func(*bus.TopicState)
		level   Level
		what    string
		do      string
		repairs string // what Fix would do; empty means nothing
	}{
		"missing": {enriched, func(t *bus.TopicState) { *t = bus.TopicState{Name: t.Name, Err: kafka.UnknownTopicOrPartition} },
			Fail, "articles.enriched is missing", "--fix", "creates topic articles.enriched with 12 partitions"},
		"missing beside others": {held, func(t *bus.TopicState) { *t = bus.TopicState{Name: t.Name, Err: kafka.UnknownTopicOrPartition} },
			Fail, "articles.held is missing", "--fix", "creates topic articles.held with 12 partitions"},
		"not to be seen": {raw, func(t *bus.TopicState) { *t = bus.TopicState{Name: t.Name, Err: kafka.TopicAuthorizationFailed} },
			Fail, "cannot be described", "allow Describe", ""},
		"leaderless": {raw, func(t *bus.TopicState) { t.Leaderless = []int{3} },
			Fail, "no leader for partitions [3]", "start the brokers", ""},
		"fewer in sync than needed": {raw, func(t *bus.TopicState) { t.InSync = 1 },
			Fail, "writes are refused", "start the brokers", ""},
		"fewer in sync": {raw, func(t *bus.TopicState) { t.InSync = 2 },
			Warn, "2 of 3 copies in sync", "start the brokers", ""},
		"more needed than there are": {raw, func(t *bus.TopicState) { t.Settings[bus.SettingMinInSync] = "4" },
			Fail, "every write is refused", "to 2", ""},
		"one acknowledges": {raw, func(t *bus.TopicState) { t.Settings[bus.SettingMinInSync] = "1" },
			Warn, "min.insync.replicas=1", "to 2", ""},
		"one copy": {raw, func(t *bus.TopicState) { t.Replicas, t.InSync, t.Settings[bus.SettingMinInSync] = 1, 1, "1" },
			Warn, "one copy though there are 3 brokers", "three copies", ""},
		"identity deleted": {seen, func(t *bus.TopicState) { t.Settings[bus.SettingCleanup] = "compact,delete" },
			Fail, "cleanup.policy=compact,delete", "cleanup.policy=compact", "sets cleanup.policy=compact of topic articles.seen (was compact,delete)"},
		"articles compacted": {raw, func(t *bus.TopicState) { t.Settings[bus.SettingCleanup] = "compact" },
			Fail, "thinned out", "cleanup.policy=delete", "sets cleanup.policy=delete of topic articles.raw (was compact)"},
		"small batches": {enriched, func(t *bus.TopicState) { t.Settings[bus.SettingMaxMessage] = "1048588" },
			Fail, "max.message.bytes=1048588, should have 16777216", "max.message.bytes=16777216", "sets max.message.bytes=16777216 of topic articles.enriched (was 1048588)"},
		"short retention": {enriched, func(t *bus.TopicState) { t.Settings[bus.SettingRetention] = "3600000" },
			Warn, "kept 1h0m0s", "retention.ms=2592000000", "sets retention.ms=2592000000 of topic articles.enriched (was 3600000)"},
		"kept for ever": {enriched, func(t *bus.TopicState) { t.Settings[bus.SettingRetention] = "-1" },
			Info, "kept for ever", "retention.ms", ""},
		"deleted by size": {enriched, func(t *bus.TopicState) { t.Settings[bus.SettingRetentionBytes] = "1000" },
			Warn, "retention.bytes=1000", "-1", ""},
		"settings hidden": {raw, func(t *bus.TopicState) { t.Settings, t.SettingsErr = nil, kafka.TopicAuthorizationFailed },
			Warn, "cannot be read", "DescribeConfigs", ""},
		"fewer partitions than raw": {seen, func(t *bus.TopicState) { t.Partitions = 6 },
			Fail, "articles.raw has 12 partitions, articles.seen has 6", "--partitions 12", ""},
		"more partitions than raw": {held, func(t *bus.TopicState) { t.Partitions = 24 },
			Fail, "articles.raw has 12 partitions, articles.held has 24", "stop ingest", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound()
			c.spoil(&s.Topics[c.topic])
			got := topics(nil, s, false)
			if !has(got, c.level, c.what, c.do) {
				t.Errorf("not found in\n%s", list(got))
			}
			flaws, repairs := 0, ""
			for _, f := range got {
				if f.Level != OK {
					flaws++
				}
				if f.Repair != nil {
					repairs = f.Repair.Does
				}
			}
			if flaws != 1 || repairs != c.repairs {
				t.Errorf("%d findings, repair %q, want one and %q:\n%s", flaws, repairs, c.repairs, list(got))
			}
		})
	}
	if got := topics(nil, sound(), false); len(got) != len(bus.Topics()) || Failed(got) > 0 {
		t.Errorf("of a sound cluster:\n%s", list(got))
	}
}

// A topic of identity that is missing gets as many partitions as the others
// have; on the embedded broker all get one.
func TestPartitions(t *testing.T) {
	s := sound()
	s.Topics[0].Partitions = 5
	s.Topics[2].Partitions = 0
	for i, want := range []int{5, 5, 5, 12, 12, 3} {
		if got := partitions(bus.Topics()[i], s, false); got != want {
			t.Errorf("%s gets %d, want %d", bus.Topics()[i].Name, got, want)
		}
	}
	if got := partitions(bus.Topics()[3], bus.ClusterState{}, true); got != 1 {
		t.Errorf("embedded: %d", got)
	}
}

func TestGroup(t *testing.T) {
	for name, c := range map[string]struct {
		state    bus.GroupState
		level    Level
		what, do string
	}{
		"at work":   {bus.GroupState{Group: "g", Members: 2, Committed: 3, Lag: 7}, OK, "2 members, 7 records", ""},
		"never ran": {bus.GroupState{Group: "g", Lag: 7}, Info, "has not run yet; 7", ""},
		"stopped":   {bus.GroupState{Group: "g", Committed: 3, Lag: 7}, Warn, "nobody is at work", "start the service"},
		"too late":  {bus.GroupState{Group: "g", Members: 1, Behind: []int{4}}, Fail, "deleted records", "retention.ms"},
		"new topic": {bus.GroupState{Group: "g", Topic: "t", Ahead: []int{4}}, Fail, "made anew", "--reset-offsets"},
		"denied":    {bus.GroupState{Group: "g", Err: kafka.GroupAuthorizationFailed}, Warn, "cannot be described", "allow Read on group g"},
	} {
		if got := []Finding{group(c.state)}; !has(got, c.level, c.what, c.do) {
			t.Errorf("%s: %s", name, list(got))
		}
	}
}

func TestUnreachable(t *testing.T) {
	for said, do := range map[string]string{
		"dial tcp 10.0.0.1:9092: i/o timeout":                                    "firewall",
		"lookup kafka.invalid: no such host":                                     "names in kafka.brokers",
		"SASL Authentication Failed: wrong":                                      "kafka.sasl",
		"tls: failed to verify certificate: x509: certificate signed by unknown": "kafka.tls.ca_file",
		"tls: first record does not look like a TLS handshake":                   "answers in another way",
		"EOF": "answers in another way",
	} {
		if got := []Finding{unreachable(errors.New(said))}; !has(got, Fail, said, do) {
			t.Errorf("%s: %s", said, list(got))
		}
	}
}

func TestBrokersAndPermissions(t *testing.T) {
	s := sound()
	s.Brokers[1].Err = errors.New("connection refused")
	if got := brokers(s); !has(got, Fail, "broker 2", "advertised.listeners") || len(got) != 1 {
		t.Error(list(got))
	}
	got := permissions([]bus.Permission{
		{Operation: "Read", Resource: "topic", Name: "a"},
		{Operation: "Write", Resource: "topic", Name: "a", Err: kafka.TopicAuthorizationFailed},
		{Operation: "Read", Resource: "group", Name: "g", Err: context.DeadlineExceeded},
	})
	if len(got) != 2 || !has(got, Fail, "Write on topic a is denied", "--operation Write --topic a") || !has(got, Warn, "could not be tried", "again") {
		t.Error(list(got))
	}
}

// On a broker without topics all are missing; Fix creates them, and nothing is
// found after; what is broken then is found and corrected.
func TestKafkaFix(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	cluster := connect(t, broker.ListenAddrs()...)
	groups := []Group{{"g", bus.TopicRaw}}
	run := func() []Finding {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return Kafka(ctx, cluster, false, groups)
	}
	before := run()
	if Failed(before) != len(bus.Topics()) {
		t.Errorf("of an empty broker:\n%s", list(before))
	}
	if done := Fix(t.Context(), before); Failed(done) > 0 || len(done) != len(bus.Topics()) {
		t.Errorf("--fix:\n%s", list(done))
	}
	if after := run(); Failed(after) > 0 || !has(after, OK, "topics can be read and written", "") || !has(after, Info, "g has not run yet", "") {
		t.Errorf("after --fix:\n%s", list(after))
	}
	if err := cluster.AlterTopic(t.Context(), bus.TopicSeen, map[string]string{bus.SettingCleanup: "delete", bus.SettingMaxMessage: "1000"}); err != nil {
		t.Fatal(err)
	}
	broken := run()
	if Failed(broken) != 2 || !has(broken, Fail, "articles.seen has cleanup.policy=delete", "") || !has(broken, Fail, "max.message.bytes=1000", "") {
		t.Errorf("broken:\n%s", list(broken))
	}
	if done := Fix(t.Context(), broken); Failed(done) > 0 || len(done) != 2 {
		t.Errorf("--fix:\n%s", list(done))
	}
	if after := run(); Failed(after) > 0 {
		t.Errorf("after the second --fix:\n%s", list(after))
	}
}

// A broker that accepts and never answers is reported when the time is over.
func TestKafkaSilent(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nobody accepts: the kernel does, and nothing more
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	got := Kafka(ctx, connect(t, l.Addr().String()), false, nil)
	if len(got) != 1 || !has(got, Fail, "cannot be reached", "kafka.brokers") {
		t.Error(list(got))
	}
}

func connect(t *testing.T, brokers ...string) *bus.Cluster {
	t.Helper()
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
