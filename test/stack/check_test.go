package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/test/stack"
)

// finding is a line of "marsad check --json".
type finding struct {
	Level, Subject, What, Do string
}

// checker runs "marsad check" on a Kafka and the Elasticsearch of all tests.
type checker struct {
	t      *testing.T
	binary string
	args   []string
}

func newChecker(t *testing.T, kafkaAddr, prefix string) checker {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "marsad")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir, build.Env = "../../cmd/marsad", append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building marsad: %v\n%s", err, out)
	}
	return checker{t, binary, []string{
		"check", "--json", "--data", t.TempDir(), "--set", "kafka.brokers=[" + kafkaAddr + "]",
		"--set", "elasticsearch.addresses=[http://" + elasticsearch.Addr + "]", "--set", "elasticsearch.prefix=" + prefix,
	}}
}

// run gives the findings and the exit status.
func (c checker) run(flags ...string) ([]finding, int) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), c.binary, append(c.args, flags...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	var findings []finding
	for line := range strings.Lines(string(out)) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			c.t.Fatalf("%q: %v", line, err)
		}
		findings = append(findings, f)
	}
	return findings, cmd.ProcessState.ExitCode()
}

// want has the check fail in exactly these ways, each a piece of what it says
// and of what it says to do.
func (c checker) want(want map[string]string) {
	c.t.Helper()
	findings, code := c.run()
	wantCode := 0
	if len(want) > 0 {
		wantCode = 1
	}
	failed := 0
	for _, f := range findings {
		if f.Level == "fail" {
			failed++
		}
	}
	for what, do := range want {
		found := false
		for _, f := range findings {
			found = found || f.Level == "fail" && strings.Contains(f.What, what) && strings.Contains(f.Do, do)
		}
		if !found {
			c.t.Errorf("%q with %q is not found", what, do)
		}
	}
	if failed != len(want) || code != wantCode || c.t.Failed() {
		c.t.Fatalf("exit %d, %d fail, want %d of\n%s", code, failed, len(want), lines(findings))
	}
}

func lines(findings []finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s\t%s\t%s → %s\n", f.Level, f.Subject, f.What, f.Do)
	}
	return b.String()
}

func startKafka(t *testing.T) *stack.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	s, err := stack.StartKafka(ctx, stack.Options{Dir: t.TempDir(), Heap: "512m"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestCheck goes from empty servers by --fix to sound ones, and then breaks
// them in several ways at once.
func TestCheck(t *testing.T) {
	x := open(t)
	call(t, http.MethodDelete, "/_index_template/"+x.prefix, "")
	k := startKafka(t)
	c := newChecker(t, k.Addr, x.prefix)
	empty := map[string]string{"index template is missing": "--fix"}
	for _, topic := range bus.Topics() {
		empty[topic.Name+" is missing"] = "--fix"
	}
	c.want(empty)
	if findings, code := c.run("--fix"); code != 0 {
		t.Fatalf("--fix: exit %d\n%s", code, lines(findings))
	}
	c.want(nil)

	if _, err := x.Write(t.Context(), []article.Article{full("a")}); err != nil {
		t.Fatal(err)
	}
	c.want(nil)
	cluster, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{k.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	if err := cluster.AlterTopic(t.Context(), bus.TopicEnriched, map[string]string{bus.SettingMaxMessage: "1048588"}); err != nil {
		t.Fatal(err)
	}
	removeTopic(t, k.Addr, bus.TopicClean)
	index := x.prefix + "-2026.10-000001"
	call(t, http.MethodPost, "/_aliases", `{"actions":[{"remove":{"index":"`+index+`","alias":"`+x.prefix+`-all"}}]}`)
	call(t, http.MethodPut, "/"+index+"/_settings", `{"index.blocks.write":true}`)
	c.want(map[string]string{
		"articles.clean is missing": "--fix",
		"articles.enriched has max.message.bytes=1048588, should have 16777216": "--add-config max.message.bytes=16777216",
		"no index of 2026.10 is behind the alias " + x.prefix + "-all":          "--fix",
		index + " has index.blocks.write":                                       `{"index.blocks.write":null}`,
	})
	c.run("--fix")
	c.want(map[string]string{index + " has index.blocks.write": `{"index.blocks.write":null}`})
	call(t, http.MethodPut, "/"+index+"/_settings", `{"index.blocks.write":null}`)
	c.want(nil)
	k.Pause() // connections are accepted, nothing is answered
	c.want(map[string]string{"cannot be reached": "kafka.brokers"})
	k.Resume()
}

// removeTopic deletes a topic and waits until it is gone.
func removeTopic(t *testing.T, addr, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := &kafka.Client{Addr: kafka.TCP(addr), Transport: &kafka.Transport{MetadataTTL: 200 * time.Millisecond}}
	res, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err = errors.Join(err, res.Errors[topic]); err != nil {
		t.Fatal(err)
	}
	for {
		meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			t.Fatal(err)
		}
		if errors.Is(meta.Topics[0].Error, kafka.UnknownTopicOrPartition) {
			return
		}
	}
}

// TestCheckPermissions has Kafka's own authorizer refuse what its ACLs do not
// allow. Trying writes nothing.
func TestCheckPermissions(t *testing.T) {
	x := open(t)
	k := startKafka(t)
	k.Kill()
	properties, err := os.OpenFile(filepath.Join(k.Dir, "server.properties"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = properties.WriteString("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nallow.everyone.if.no.acl.found=true\n")
	if err := errors.Join(err, properties.Close(), k.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	c := newChecker(t, k.Addr, x.prefix)
	if findings, code := c.run("--fix"); code != 0 {
		t.Fatalf("--fix: exit %d\n%s", code, lines(findings))
	}
	cluster, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{k.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	p := bus.NewProducer(cluster, bus.TopicClean)
	if err := errors.Join(p.Write(t.Context(), bus.Message{Key: []byte("a"), Value: []byte("one")}), p.Close()); err != nil {
		t.Fatal(err)
	}
	before := ends(t, cluster)

	acl := func(kind kafka.ResourceType, name, who string, op kafka.ACLOperationType) kafka.ACLEntry {
		return kafka.ACLEntry{
			Principal: "User:" + who, PermissionType: kafka.ACLPermissionTypeAllow, Operation: op,
			ResourceType: kind, ResourcePatternType: kafka.PatternTypeLiteral, ResourceName: name, Host: "*",
		}
	}
	client := &kafka.Client{Addr: kafka.TCP(k.Addr)}
	res, err := client.CreateACLs(t.Context(), &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{
		acl(kafka.ResourceTypeTopic, bus.TopicClean, "ANONYMOUS", kafka.ACLOperationTypeRead), // so no Write
		acl(kafka.ResourceTypeTopic, bus.TopicHeld, "other", kafka.ACLOperationTypeAll),       // so nothing
		acl(kafka.ResourceTypeGroup, "marsad-index", "other", kafka.ACLOperationTypeAll),
	}})
	if err = errors.Join(append(res.Errors, err)...); err != nil {
		t.Fatal(err)
	}
	c.want(map[string]string{
		"Write on topic articles.clean is denied": "--operation Write --topic articles.clean",
		"articles.held cannot be described":       "allow Describe, Read and Write on topic articles.held",
		"Read on group marsad-index is denied":    "--operation Read --group marsad-index",
	})
	if after := ends(t, cluster); after != before {
		t.Errorf("topics end at %s, before the check at %s", after, before)
	}
}

// ends says where the partitions of the topics that can be read end.
func ends(t *testing.T, c *bus.Cluster) string {
	t.Helper()
	var b strings.Builder
	for _, topic := range []string{bus.TopicRaw, bus.TopicClean, bus.TopicEnriched} {
		_, next, err := c.Offsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, topic, next)
	}
	return b.String()
}
