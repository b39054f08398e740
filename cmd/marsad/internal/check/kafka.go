package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/marsad-news/marsad/pkg/bus"
)

// Group is a consumer group of Marsad's and the topic that it reads.
type Group struct{ Name, Topic string }

// Kafka looks at brokers, topics, groups and permissions. It changes nothing;
// its repairs need cluster open. embedded says that the broker is that of
// "marsad up", where a topic has one partition.
func Kafka(ctx context.Context, cluster *bus.Cluster, embedded bool, groups []Group) []Finding {
	i := cluster.Inspector()
	defer i.Close()
	state, err := within(ctx, step, i.Describe)
	if err != nil {
		return []Finding{unreachable(err)}
	}
	out := brokers(state)
	out = append(out, topics(cluster, state, embedded)...)
	var there []string
	for _, t := range state.Topics {
		if t.Err == nil {
			there = append(there, t.Name)
		}
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
		if !slices.Contains(there, g.Topic) {
			continue // missing, which is said above, or none of ours
		}
		s, _ := within(ctx, step, func(ctx context.Context) (bus.GroupState, error) { return i.Group(ctx, g.Name, g.Topic), nil })
		out = append(out, group(s))
	}
	tried, _ := within(ctx, 2*step, func(ctx context.Context) ([]bus.Permission, error) {
		return i.Permissions(ctx, there, names), nil
	})
	return append(out, permissions(tried)...)
}

// unreachable says what to do about a cluster that does not answer.
func unreachable(err error) Finding {
	f := Finding{Level: Fail, Subject: subjectKafka, What: "cannot be reached: " + err.Error()}
	said := strings.ToLower(f.What)
	contains := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) })
	}
	switch {
	case contains("sasl"):
		f.Do = "check kafka.sasl: mechanism, user name and password must be those of the listener at this port"
	case contains("x509", "certificate"):
		f.Do = "set kafka.tls.ca_file to the authority that signed the broker's certificate, kafka.tls.server_name if it has another name; for mutual TLS cert_file and key_file"
	case contains("tls:", "eof", "connection reset"):
		f.Do = "the port answers in another way than asked: check kafka.tls and kafka.sasl against the listener at this port"
	case contains("no such host"):
		f.Do = "check the names in kafka.brokers"
	default:
		f.Do = "check kafka.brokers, that Kafka runs, and that no firewall lies between"
	}
	return f
}

func brokers(s bus.ClusterState) []Finding {
	var out []Finding
	for _, b := range s.Brokers {
		if b.Err != nil {
			out = append(out, Finding{
				Level: Fail, Subject: subjectKafka, What: fmt.Sprintf("broker %d cannot be reached where the cluster sends clients to it: %v", b.ID, b.Err),
				Do: "start it; if it runs, correct its advertised.listeners to an address that is reached from here",
			})
		}
	}
	if len(out) == 0 {
		out = append(out, Finding{Level: OK, Subject: subjectKafka, What: fmt.Sprintf("cluster %s, all brokers reached: %d", s.ID, len(s.Brokers))})
	}
	return out
}

func group(s bus.GroupState) Finding {
	f := Finding{Level: OK, Subject: subjectGroups, What: fmt.Sprintf("%s: %d members, %d records of %s to go", s.Group, s.Members, s.Lag, s.Topic)}
	switch {
	case s.Err != nil:
		f.Level, f.What = Warn, fmt.Sprintf("%s cannot be described: %v", s.Group, s.Err)
		f.Do = "allow Read on group " + s.Group
	case len(s.Ahead) > 0:
		f.Level = Fail
		f.What = fmt.Sprintf("%s: committed offsets are beyond the end of %s in partitions %v: the topic was made anew, and what came since is skipped", s.Group, s.Topic, s.Ahead)
		f.Do = fmt.Sprintf("stop the service and run kafka-consumer-groups.sh --group %s --topic %s --reset-offsets --to-earliest --execute", s.Group, s.Topic)
	case len(s.Behind) > 0:
		f.Level = Fail
		f.What = fmt.Sprintf("%s: retention deleted records of %s before they were handled, in partitions %v", s.Group, s.Topic, s.Behind)
		f.Do = "start more of the service, or raise retention.ms of the topic; what was deleted must be pushed again by its source"
	case s.Members == 0 && s.Committed == 0:
		f.Level, f.What = Info, fmt.Sprintf("%s has not run yet; %d records of %s wait", s.Group, s.Lag, s.Topic)
	case s.Members == 0:
		f.Level, f.What = Warn, fmt.Sprintf("%s: nobody is at work, %d records of %s wait", s.Group, s.Lag, s.Topic)
		f.Do = "start the service of this group"
	}
	return f
}

func permissions(tried []bus.Permission) []Finding {
	var out []Finding
	for _, p := range tried {
		switch {
		case p.Denied():
			out = append(out, Finding{
				Level: Fail, Subject: subjectPermissions, What: fmt.Sprintf("%s on %s %s is denied", p.Operation, p.Resource, p.Name),
				Do: fmt.Sprintf("kafka-acls.sh --add --allow-principal User:NAME --operation %s --%s %s", p.Operation, p.Resource, p.Name),
			})
		case p.Err != nil:
			out = append(out, Finding{
				Level: Warn, Subject: subjectPermissions, What: fmt.Sprintf("%s on %s %s could not be tried: %v", p.Operation, p.Resource, p.Name, p.Err),
				Do: "mend what the other findings say and check again",
			})
		}
	}
	if len(out) == 0 && len(tried) > 0 {
		out = append(out, Finding{Level: OK, Subject: subjectPermissions, What: "topics can be read and written, groups joined"})
	}
	return out
}
