package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func compose(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "deploy/compose/compose.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context()) // checks the schema, names and dependencies
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestCompose(t *testing.T) {
	project := compose(t)
	ours := map[string]bool{}
	for name, s := range project.Services {
		if s.MemLimit == 0 {
			t.Errorf("%s may take all memory", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to the network, and nothing asks for a password", name, p.Published)
			}
		}
		for dependency, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionHealthy && project.Services[dependency].HealthCheck == nil {
				t.Errorf("%s waits for %s to be healthy, which nothing checks", name, dependency)
			}
		}
		if s.Build == nil {
			continue
		}
		if s.Build.Target != target(t, s.Image) {
			t.Errorf("%s: image %s is built from target %s", name, s.Image, s.Build.Target)
		}
		ours[s.Build.Target] = true
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s may do more than it needs", name)
		}
		accepts(t, s.Build.Target, s.Command, settings(s))
		resolves(t, project, s)
	}
	if len(ours) != len(programs) {
		t.Errorf("compose has %d of the %d programs", len(ours), len(programs))
	}
}

func settings(s types.ServiceConfig) []string {
	var out []string
	for name, value := range s.Environment {
		out = append(out, name+"="+*value)
	}
	return out
}

// resolves sees that the servers which s is given are services of the project.
func resolves(t *testing.T, project *types.Project, s types.ServiceConfig) {
	t.Helper()
	for _, e := range settings(s) {
		for _, address := range hosts.FindAllString(e, -1) {
			host, port, _ := strings.Cut(address, ":")
			server, ok := project.Services[host]
			if !ok {
				t.Errorf("%s is given %s, which is no service", s.Name, address)
				continue
			}
			listeners := server.Environment["KAFKA_ADVERTISED_LISTENERS"]
			exposed := slices.ContainsFunc(server.Ports, func(p types.ServicePortConfig) bool { return p.Published == port })
			if !exposed && (listeners == nil || !strings.Contains(*listeners, "//"+address)) {
				t.Errorf("%s is given %s, where nothing listens", s.Name, address)
			}
		}
	}
}

// TestComposeVersions holds the servers to those that test/stack runs.
func TestComposeVersions(t *testing.T) {
	project := compose(t)
	kafka := version(t, "java/kafka/pom.xml", `<artifactId>kafka_2.13</artifactId>\s*<version>([0-9.]+)<`)
	elasticsearch := version(t, "elasticsearch.go", `ElasticsearchVersion = "([0-9.]+)"`)
	for name, want := range map[string]string{
		"kafka":         "apache/kafka:" + kafka,
		"elasticsearch": "docker.elastic.co/elasticsearch/elasticsearch:" + elasticsearch,
		"kibana":        "docker.elastic.co/kibana/kibana:" + elasticsearch,
	} {
		if got := project.Services[name].Image; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func version(t *testing.T, file, pattern string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "test/stack", file))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(pattern).FindSubmatch(b)
	if m == nil {
		t.Fatalf("test/stack/%s no longer tells a version by %s", file, pattern)
	}
	return string(m[1])
}
