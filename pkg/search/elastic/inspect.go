package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Status is the HTTP status of an answer that became err, 0 where err is not
// an answer of Elasticsearch's.
func Status(err error) int {
	var r *reply
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

// masterWait bounds how long a node waits for the cluster's master before it
// answers.
const masterWait = 3 * time.Second

// Version asks a node for its version, such as 8.19.21.
func (x *Index) Version(ctx context.Context) (string, error) {
	var root struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	err := x.do(ctx, esapi.InfoRequest{}, &root)
	if Status(err) != http.StatusMethodNotAllowed {
		return root.Version.Number, err
	}
	var info struct { // a server without the module that answers GET /
		Nodes map[string]struct {
			Version string `json:"version"`
		} `json:"nodes"`
	}
	if err := x.do(ctx, esapi.NodesInfoRequest{NodeID: []string{"_local"}, FilterPath: []string{"nodes.*.version"}}, &info); err != nil {
		return "", err
	}
	for _, n := range info.Nodes {
		return n.Version, nil
	}
	return "", errors.New("Elasticsearch names no node")
}

// Health is the state of the cluster, as far as our indices need it.
type Health struct {
	Status     string // green, yellow or red, of our indices alone
	Nodes      int    // that hold data
	Unassigned int    // copies of our indices that no node has
	Blocks     []string
	Disks      []Disk
}

// Disk is the disk of a node.
type Disk struct {
	Node string
	Used int // per cent
}

// Health asks for the cluster's state.
func (x *Index) Health(ctx context.Context) (Health, error) {
	var health struct {
		Status     string `json:"status"`
		Nodes      int    `json:"number_of_data_nodes"`
		Unassigned int    `json:"unassigned_shards"`
	}
	if err := x.do(ctx, esapi.ClusterHealthRequest{Index: []string{x.pattern()}, MasterTimeout: masterWait, Timeout: masterWait}, &health); err != nil {
		return Health{}, fmt.Errorf("asking for the cluster's health: %w", err)
	}
	h := Health{Status: health.Status, Nodes: health.Nodes, Unassigned: health.Unassigned}
	var settings map[string]map[string]json.RawMessage
	if err := x.do(ctx, esapi.ClusterGetSettingsRequest{FlatSettings: yes(), MasterTimeout: masterWait}, &settings); err != nil {
		return Health{}, fmt.Errorf("asking for the cluster's settings: %w", err)
	}
	for _, scope := range settings {
		for name, value := range scope {
			if strings.HasPrefix(name, "cluster.blocks.") && string(value) == `"true"` && !slices.Contains(h.Blocks, name) {
				h.Blocks = append(h.Blocks, name)
			}
		}
	}
	slices.Sort(h.Blocks)
	var disks []struct {
		Node string `json:"node"`
		Used string `json:"disk.percent"`
	}
	if err := x.do(ctx, esapi.CatAllocationRequest{Format: "json", H: []string{"node", "disk.percent"}, MasterTimeout: masterWait}, &disks); err != nil {
		return Health{}, fmt.Errorf("asking for the nodes' disks: %w", err)
	}
	for _, d := range disks {
		if used, err := strconv.Atoi(d.Used); err == nil { // a line for copies without a node has none
			h.Disks = append(h.Disks, Disk{d.Node, used})
		}
	}
	return h, nil
}

// pattern names all indices of ours, and their aliases.
func (x *Index) pattern() string { return x.config.Prefix + "-*" }

// Privileges lists what the services do that this user may not, such as
// "manage on articles-*". known is false where security is off, so that
// everybody may do everything.
func (x *Index) Privileges(ctx context.Context) (denied []string, known bool, err error) {
	b, err := body(object{
		"cluster": []string{"monitor", "manage_index_templates"},
		"index": []object{{
			"names":      []string{x.readers(), x.pattern(), x.trialPrefix() + "*"},
			"privileges": []string{"manage", "read", "write"},
		}},
	})
	if err != nil {
		return nil, false, err
	}
	var answer struct {
		Cluster map[string]bool            `json:"cluster"`
		Index   map[string]map[string]bool `json:"index"`
	}
	err = x.do(ctx, esapi.SecurityHasPrivilegesRequest{Body: b}, &answer)
	switch Status(err) {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed: // no handler: security is off
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("asking for privileges: %w", err)
	}
	for _, p := range slices.Sorted(maps.Keys(answer.Cluster)) {
		if !answer.Cluster[p] {
			denied = append(denied, p+" on the cluster")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(answer.Index)) {
		for _, p := range slices.Sorted(maps.Keys(answer.Index[name])) {
			if !answer.Index[name][p] {
				denied = append(denied, p+" on "+name)
			}
		}
	}
	return denied, true, nil
}
