package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Inspector asks a cluster about the topics and groups of Marsad. It changes
// nothing and writes nothing. Safe for concurrent use. What it says of topics
// is at most five seconds old; make a new one to see what was just changed.
type Inspector struct{ cluster *Cluster }

// Inspector returns an Inspector with connections of its own: close it.
func (c *Cluster) Inspector() *Inspector {
	// A topic that is asked for by name and may not be seen is told from one that
	// is missing; among all topics it would be left out.
	t := &kafka.Transport{
		Dial: c.transport.Dial, DialTimeout: c.transport.DialTimeout, ClientID: c.transport.ClientID,
		TLS: c.transport.TLS, SASL: c.transport.SASL, MetadataTTL: c.transport.MetadataTTL,
	}
	for _, topic := range Topics() {
		t.MetadataTopics = append(t.MetadataTopics, topic.Name)
	}
	return &Inspector{&Cluster{cfg: c.cfg, transport: t, client: &kafka.Client{Addr: c.client.Addr, Transport: t}}}
}

// Close closes the connections.
func (i *Inspector) Close() { i.cluster.Close() }

// ClusterState is what a cluster says of itself and of Marsad's topics.
type ClusterState struct {
	ID      string
	Brokers []BrokerState
	Topics  []TopicState // in the order of Topics
}

// BrokerState is a broker under the address by which the cluster sends clients
// to it.
type BrokerState struct {
	ID      int
	Address string // host:port, of advertised.listeners
	Err     error  // why no connection could be opened; nil if one could
}

// TopicState is a topic as a cluster has it.
type TopicState struct {
	Name string
	// Err says why the topic could not be described, nil if it could. It is
	// kafka.UnknownTopicOrPartition where the topic is missing and
	// kafka.TopicAuthorizationFailed where this user may not see it; the fields
	// below are empty then.
	Err        error
	Partitions int
	Replicas   int   // copies of each partition, of the one with the fewest
	Leaderless []int // partitions that nobody can read or write now
	InSync     int   // copies in sync, of the partition with the fewest
	Settings   map[string]string
	// SettingsErr says why Settings is empty, nil if it is not.
	SettingsErr error
}

// Missing is true where the cluster has no such topic.
func (t TopicState) Missing() bool { return errors.Is(t.Err, kafka.UnknownTopicOrPartition) }

// The settings of a topic that TopicState has, by Kafka's names.
const (
	SettingCleanup        = "cleanup.policy"
	SettingRetention      = "retention.ms"
	SettingRetentionBytes = "retention.bytes"
	SettingMaxMessage     = "max.message.bytes"
	SettingMinInSync      = "min.insync.replicas"
)

// Describe asks for brokers, topics and the topics' settings in effect. It
// opens a connection to each broker and closes it again. Its error means that
// the cluster cannot be reached or lets nobody in.
func (i *Inspector) Describe(ctx context.Context) (ClusterState, error) {
	want := Topics()
	names := make([]string, len(want))
	for n, t := range want {
		names[n] = t.Name
	}
	meta, err := i.cluster.client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return ClusterState{}, fmt.Errorf("asking for metadata: %w", err)
	}
	s := ClusterState{ID: meta.ClusterID, Brokers: dialAll(ctx, meta.Brokers)}
	for _, t := range meta.Topics {
		s.Topics = append(s.Topics, topicState(t))
	}
	i.settings(ctx, s.Topics)
	return s, nil
}

// dialAll tries to reach each broker where the cluster says it is.
func dialAll(ctx context.Context, brokers []kafka.Broker) []BrokerState {
	out := make([]BrokerState, len(brokers))
	dialer := net.Dialer{Timeout: 3 * time.Second}
	var wg sync.WaitGroup
	for n, b := range brokers {
		out[n] = BrokerState{ID: b.ID, Address: net.JoinHostPort(b.Host, strconv.Itoa(b.Port))}
		wg.Go(func() {
			var conn net.Conn
			if conn, out[n].Err = dialer.DialContext(ctx, "tcp", out[n].Address); out[n].Err == nil {
				conn.Close() // it was there, however it ends
			}
		})
	}
	wg.Wait()
	return out
}

func topicState(t kafka.Topic) TopicState {
	s := TopicState{Name: t.Name, Err: t.Error, Partitions: len(t.Partitions)}
	for n, p := range t.Partitions {
		if p.Error != nil || p.Leader.Host == "" {
			s.Leaderless = append(s.Leaderless, p.ID)
		}
		if n == 0 {
			s.Replicas, s.InSync = len(p.Replicas), len(p.Isr)
		}
		s.Replicas, s.InSync = min(s.Replicas, len(p.Replicas)), min(s.InSync, len(p.Isr))
	}
	return s
}

// settings fills in the settings of the topics that are there.
func (i *Inspector) settings(ctx context.Context, topics []TopicState) {
	req := &kafka.DescribeConfigsRequest{}
	at := map[string]*TopicState{}
	for n := range topics {
		if topics[n].Err != nil {
			continue
		}
		at[topics[n].Name] = &topics[n]
		req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topics[n].Name,
			ConfigNames: []string{SettingCleanup, SettingRetention, SettingRetentionBytes, SettingMaxMessage, SettingMinInSync},
		})
	}
	if len(at) == 0 {
		return
	}
	res, err := i.cluster.client.DescribeConfigs(ctx, req)
	for _, t := range at {
		if t.SettingsErr = err; err == nil {
			t.SettingsErr = errors.New("Kafka's answer says nothing of it")
		}
	}
	if err != nil {
		return
	}
	for _, r := range res.Resources {
		t := at[r.ResourceName]
		if t == nil {
			continue
		}
		if t.SettingsErr = r.Error; r.Error != nil {
			continue
		}
		t.Settings = map[string]string{}
		for _, e := range r.ConfigEntries {
			t.Settings[e.ConfigName] = e.ConfigValue
		}
	}
}

// AlterTopic sets settings of a topic and leaves its other settings as they
// are.
func (c *Cluster) AlterTopic(ctx context.Context, topic string, settings map[string]string) error {
	resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}
	for name, value := range settings {
		resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{
			Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet,
		})
	}
	res, err := c.client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{resource},
	})
	if err != nil {
		return fmt.Errorf("setting %v of topic %s: %w", settings, topic, err)
	}
	for _, r := range res.Resources {
		if r.Error != nil {
			return fmt.Errorf("setting %v of topic %s: %w", settings, topic, r.Error)
		}
	}
	return nil
}
