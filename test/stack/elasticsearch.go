package stack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
)

// ElasticsearchVersion is the version that StartElasticsearch runs, that of
// java/elasticsearch/pom.xml.
const ElasticsearchVersion = "8.19.21"

// StartElasticsearch starts a cluster of one node and waits until it answers.
// The first start on a machine fetches 41 MB. The caller calls Stop.
func StartElasticsearch(ctx context.Context, o Options) (*Server, error) {
	installed, err := install(ctx, o.Cache, "elasticsearch", finishElasticsearch)
	if err != nil {
		return nil, err
	}
	s, err := newServer(o, "elasticsearch")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	if err := prepareHome(s.Dir, installed); err != nil {
		return nil, fmt.Errorf("preparing Elasticsearch's home: %w", err)
	}
	s.Addr = "127.0.0.1:" + ports[0]
	heap := o.Heap
	if heap == "" {
		heap = "2g"
	}
	err = run(ctx, s, o, s.healthy,
		"-Xmx"+heap, "-Djava.io.tmpdir="+filepath.Join(s.Dir, "tmp"),
		"-cp", filepath.Join(installed, "classes")+":"+filepath.Join(installed, "lib", "*"),
		"ElasticsearchNode", s.Dir, ports[0], ports[1])
	if err != nil {
		return nil, fmt.Errorf("starting Elasticsearch: %w", err)
	}
	return s, nil
}

// healthy asks whether the cluster takes reads and writes.
func (s *Server) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+s.Addr+"/_cluster/health?wait_for_status=yellow&timeout=1s", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("cluster health answers %s", resp.Status)
	}
	return nil
}

// prepareHome makes the folders of a node; its modules are those of the cache.
func prepareHome(home, installed string) error {
	for _, d := range []string{"config", "plugins", "data", "logs", "tmp"} {
		if err := os.MkdirAll(filepath.Join(home, d), 0o755); err != nil {
			return err
		}
	}
	return os.CopyFS(filepath.Join(home, "modules"), os.DirFS(filepath.Join(installed, "modules")))
}

// finishElasticsearch makes modules of what cannot be on the class path: the
// transport, and the language analysers.
func finishElasticsearch(dir string) error {
	netty := filepath.Join(dir, "modules", "transport-netty4")
	analyzers := filepath.Join(dir, "modules", "language-analyzers")
	for _, d := range []string{netty, analyzers} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	for _, pattern := range []string{"netty-*.jar", "transport-netty4-*.jar"} {
		jars, err := filepath.Glob(filepath.Join(dir, "lib", pattern))
		if err != nil {
			return err
		}
		for _, j := range jars {
			if err := os.Rename(j, filepath.Join(netty, filepath.Base(j))); err != nil {
				return err
			}
		}
	}
	const name = "plugin-descriptor.properties"
	b, err := unzipped(filepath.Join(netty, "transport-netty4-"+ElasticsearchVersion+".jar"), "META-INF/es-plugins/transport-netty4/"+name)
	if err != nil {
		return err
	}
	// The server is on the class path here, so its plugins are no Java modules.
	b = regexp.MustCompile(`(?m)^modulename=.*$`).ReplaceAll(b, nil)
	if err := os.WriteFile(filepath.Join(netty, name), b, 0o644); err != nil {
		return err
	}
	descriptor := "name=language-analyzers\ndescription=Arabic, English and French analysers\nclassname=LanguageAnalyzers\n" +
		"version=" + ElasticsearchVersion + "\nelasticsearch.version=" + ElasticsearchVersion + "\njava.version=17\n"
	if err := os.WriteFile(filepath.Join(analyzers, name), []byte(descriptor), 0o644); err != nil {
		return err
	}
	return moveToJar(dir, filepath.Join(analyzers, "language-analyzers.jar"), "LanguageAnalyzers*.class")
}

// moveToJar packs classes into a jar of their own, off the class path.
func moveToJar(dir, target, pattern string) error {
	classes, err := filepath.Glob(filepath.Join(dir, "classes", pattern))
	if err != nil {
		return err
	}
	if err := jar(target, classes...); err != nil {
		return err
	}
	for _, c := range classes {
		if err := os.Remove(c); err != nil {
			return err
		}
	}
	return nil
}
