package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/segmentio/kafka-go"
)

// kafkaProperties are the settings of a node that is broker and controller.
const kafkaProperties = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[2]s
listeners=PLAINTEXT://127.0.0.1:%[1]s,CONTROLLER://127.0.0.1:%[2]s%[4]s
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]s%[4]s
controller.listener.names=CONTROLLER
log.dirs=%[3]s
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`

// clusterID is any UUID in Kafka's base64: a folder belongs to one node only.
const clusterID = "bWFyc2FkLXN0YWNrLTAwMQ"

// StartKafka starts a cluster of one node (KRaft) and waits until it answers.
// Topics are not created by themselves. The first start on a machine fetches
// some 100 MB. The caller calls Stop. A folder given in o.Dir may be that of a
// server stopped or killed before: its data are still there.
func StartKafka(ctx context.Context, o Options) (*Server, error) {
	installed, err := install(ctx, o.Cache, "kafka", func(string) error { return nil })
	if err != nil {
		return nil, err
	}
	s, err := newServer(o, "kafka")
	if err != nil {
		return nil, err
	}
	classpath := filepath.Join(installed, "classes") + ":" + filepath.Join(installed, "lib", "*")
	properties, err := s.formatKafka(ctx, o.Secure, classpath)
	if err != nil {
		return nil, err
	}
	heap := o.Heap
	if heap == "" {
		heap = "1g"
	}
	if err := run(ctx, s, o, s.controlled, "-Xmx"+heap, "-cp", classpath, "KafkaNode", properties); err != nil {
		return nil, fmt.Errorf("starting Kafka: %w", err)
	}
	return s, nil
}

// formatKafka chooses ports, writes the node's properties and prepares its
// data folder, unless it is there. It returns the path of the properties.
func (s *Server) formatKafka(ctx context.Context, secure *Secure, classpath string) (string, error) {
	ports, err := freePorts(2)
	if err != nil {
		return "", err
	}
	s.Addr = "127.0.0.1:" + ports[0]
	var more, listeners string
	args := []string{"-Xmx256m", "-cp", classpath, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", clusterID}
	if secure != nil {
		if s.Listeners, listeners, err = secure.listeners(); err != nil {
			return "", err
		}
		more = secure.properties()
		args = append(args, secure.scram()...)
	}
	path := filepath.Join(s.Dir, "server.properties")
	settings := fmt.Sprintf(kafkaProperties, ports[0], ports[1], filepath.Join(s.Dir, "data"), listeners) + more
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		return "", err
	}
	if err := command(ctx, s.Dir, "java", append(args, "-c", path)...); err != nil {
		return "", fmt.Errorf("formatting Kafka's folder: %w", err)
	}
	return path, nil
}

// controlled asks whether the broker is in a cluster with a controller.
func (s *Server) controlled(ctx context.Context) error {
	conn, err := kafka.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Controller()
	return err
}
