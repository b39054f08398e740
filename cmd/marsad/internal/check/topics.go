package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
)

// topics compares the cluster's topics with ours.
func topics(cluster *bus.Cluster, s bus.ClusterState, embedded bool) []Finding {
	var out []Finding
	for n, want := range bus.Topics() {
		got := s.Topics[n]
		c := comparison{cluster: cluster, want: want, got: got}
		switch {
		case got.Missing():
			c.missing(partitions(want, s, embedded))
		case got.Err != nil:
			c.add(Fail, fmt.Sprintf("cannot be described: %v", got.Err), "allow Describe, Read and Write on topic "+want.Name)
		default:
			c.copies(len(s.Brokers))
			c.settings()
		}
		if len(c.out) == 0 {
			c.out = []Finding{{Level: OK, Subject: subjectTopics, What: fmt.Sprintf("%s: partitions %d, copies %d, cleanup.policy %s",
				want.Name, got.Partitions, got.Replicas, got.Settings[bus.SettingCleanup])}}
		}
		out = append(out, c.out...)
	}
	return append(out, identity(s)...)
}

// identityTopics hold what belongs together in partitions of the same number.
func identityTopics() []string { return []string{bus.TopicRaw, bus.TopicSeen, bus.TopicHeld} }

// partitions is how many a missing topic is created with.
func partitions(t bus.Topic, s bus.ClusterState, embedded bool) int {
	if slices.Contains(identityTopics(), t.Name) {
		for _, other := range s.Topics { // articles.raw comes first
			if slices.Contains(identityTopics(), other.Name) && other.Partitions > 0 {
				return other.Partitions
			}
		}
	}
	if embedded {
		return 1
	}
	return t.Partitions
}

// identity compares the numbers of partitions that must be the same.
func identity(s bus.ClusterState) []Finding {
	counts := map[string]int{}
	for _, t := range s.Topics {
		counts[t.Name] = t.Partitions
	}
	raw := counts[bus.TopicRaw]
	var out []Finding
	for _, name := range identityTopics()[1:] {
		n := counts[name]
		if n == 0 || raw == 0 || n == raw {
			continue
		}
		f := Finding{
			Level: Fail, Subject: subjectTopics,
			What: fmt.Sprintf("%s has %d partitions, %s has %d: identity is kept in partitions of the same number, articles would come in twice", bus.TopicRaw, raw, name, n),
			Do:   fmt.Sprintf("stop ingest. If no article was taken in yet, delete %s and run \"marsad check --fix\"; ", name),
		}
		if n < raw {
			f.Do += fmt.Sprintf("if %s always had %d, run kafka-topics.sh --alter --topic %s --partitions %d; ", bus.TopicRaw, raw, name, raw)
		}
		f.Do += fmt.Sprintf("if the number of %s was changed, sources have moved to other partitions: go back to topics of the former number and publish anew", bus.TopicRaw)
		out = append(out, f)
	}
	return out
}

// comparison gathers what is found about one topic.
type comparison struct {
	cluster *bus.Cluster
	want    bus.Topic
	got     bus.TopicState
	out     []Finding
}

func (c *comparison) add(level Level, what, do string) *Finding {
	c.out = append(c.out, Finding{Level: level, Subject: subjectTopics, What: c.want.Name + " " + what, Do: do})
	return &c.out[len(c.out)-1]
}

func (c *comparison) missing(partitions int) {
	f := c.add(Fail, "is missing", `run "marsad check --fix"`)
	f.Repair = &Repair{
		Does: fmt.Sprintf("creates topic %s with %d partitions", c.want.Name, partitions),
		Apply: func(ctx context.Context) error {
			return c.cluster.CreateTopics(ctx, []bus.Topic{c.want}, partitions)
		},
	}
}

// copies looks at leaders and replicas.
func (c *comparison) copies(brokers int) {
	if len(c.got.Leaderless) > 0 {
		c.add(Fail, fmt.Sprintf("has no leader for partitions %v: they can be neither read nor written", c.got.Leaderless), "start the brokers that are down")
	}
	need, err := strconv.Atoi(c.got.Settings[bus.SettingMinInSync])
	switch {
	case err != nil: // not known; the settings say why
	case need > c.got.Replicas:
		c.add(Fail, fmt.Sprintf("has %d copies, %s is %d: every write is refused", c.got.Replicas, bus.SettingMinInSync, need),
			fmt.Sprintf("set %s of the topic to %d, or give it more copies by kafka-reassign-partitions.sh", bus.SettingMinInSync, max(c.got.Replicas-1, 1)))
	case c.got.InSync < need && len(c.got.Leaderless) == 0:
		c.add(Fail, fmt.Sprintf("has partitions with %d copies in sync, %s is %d: writes are refused", c.got.InSync, bus.SettingMinInSync, need), "start the brokers that are down")
	case c.got.Replicas > 1 && need < 2:
		c.add(Warn, fmt.Sprintf("has %s=%d: what one broker alone has acknowledged is lost with it", bus.SettingMinInSync, need),
			fmt.Sprintf("set %s of the topic to 2", bus.SettingMinInSync))
	case c.got.InSync < c.got.Replicas:
		c.add(Warn, fmt.Sprintf("has partitions with %d of %d copies in sync", c.got.InSync, c.got.Replicas), "start the brokers that are down")
	}
	if c.got.Replicas == 1 && brokers > 1 {
		c.add(Warn, fmt.Sprintf("has one copy though there are %d brokers: it is lost with its broker", brokers),
			"give it three copies by kafka-reassign-partitions.sh, and set default.replication.factor=3 on the brokers")
	}
}

// settings compares the settings in effect with ours.
func (c *comparison) settings() {
	if c.got.SettingsErr != nil {
		c.add(Warn, fmt.Sprintf("has settings that cannot be read: %v", c.got.SettingsErr), "allow DescribeConfigs on topic "+c.want.Name)
		return
	}
	want := c.want.Settings()
	if got := c.got.Settings[bus.SettingCleanup]; got != want[bus.SettingCleanup] {
		harm := "records are thinned out by key before they are read, and the rest is never deleted"
		if c.want.Compacted {
			harm = "what is known of an article is deleted after a time, and the article comes in again as a new one"
		}
		c.alter(Fail, bus.SettingCleanup, got, harm)
	}
	if got := c.number(bus.SettingMaxMessage); got < int64(c.want.MaxMessageBytes) {
		c.alter(Fail, bus.SettingMaxMessage, strconv.FormatInt(got, 10), "Marsad sends batches of up to our number of bytes, and Kafka would refuse the larger ones (MESSAGE_TOO_LARGE)")
	}
	if c.want.Compacted {
		return
	}
	switch got := c.number(bus.SettingRetention); {
	case got == -1:
		c.add(Info, "is kept for ever: retracted text stays in Kafka", "set retention.ms if it should not")
	case got < c.want.Retention.Milliseconds():
		kept := time.Duration(got) * time.Millisecond
		c.alter(Warn, bus.SettingRetention, strconv.FormatInt(got, 10), fmt.Sprintf("records are kept %v, ours are meant to be kept %v", kept, c.want.Retention))
	}
	if got := c.number(bus.SettingRetentionBytes); got >= 0 {
		c.add(Warn, fmt.Sprintf("has %s=%d: records are deleted by size, perhaps before they are handled", bus.SettingRetentionBytes, got),
			fmt.Sprintf("set %s of the topic to -1, or be sure that it holds what comes in within %v", bus.SettingRetentionBytes, c.want.Retention))
	}
}

// number is a setting's value; one that is not a number counts as the lowest.
func (c *comparison) number(name string) int64 {
	n, err := strconv.ParseInt(c.got.Settings[name], 10, 64)
	if err != nil {
		return -1 << 63
	}
	return n
}

// alter is a finding about a setting that Fix sets to ours.
func (c *comparison) alter(level Level, name, got, harm string) {
	want := c.want.Settings()[name]
	f := c.add(level, fmt.Sprintf("has %s=%s, should have %s: %s", name, got, want, harm),
		fmt.Sprintf(`run "marsad check --fix", or kafka-configs.sh --alter --topic %s --add-config %s=%s`, c.want.Name, name, want))
	f.Repair = &Repair{
		Does: fmt.Sprintf("sets %s=%s of topic %s (was %s)", name, want, c.want.Name, got),
		Apply: func(ctx context.Context) error {
			return c.cluster.AlterTopic(ctx, c.want.Name, map[string]string{name: want})
		},
	}
}
