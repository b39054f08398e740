// Package check looks at what Marsad runs on, before it is run or when it does
// not run as it should, and says of each finding what to do about it.
//
//	configuration ─► Config
//	Kafka         ─► Kafka          brokers, topics, groups, permissions
//	Elasticsearch ─► Elasticsearch  nodes, template, indices, privileges, dry run
//	                    └─► Fix creates and corrects what can be without harm
package check

import (
	"context"
	"fmt"
	"time"
)

// Level is how bad a finding is.
type Level string

// The levels. Only Fail keeps Marsad from working as it promises.
const (
	OK   Level = "ok"
	Info Level = "info" // worth knowing
	Warn Level = "warn" // works, but not as well or as long as it should
	Fail Level = "fail" // loses something, or does not work
)

// The subjects, in the order in which they are looked at.
const (
	subjectConfig      = "configuration"
	subjectKafka       = "Kafka"
	subjectTopics      = "topics"
	subjectGroups      = "groups"
	subjectPermissions = "permissions"
	subjectElastic     = "Elasticsearch"
	subjectTemplate    = "template"
	subjectIndices     = "indices"
	subjectPrivileges  = "privileges"
	subjectDryRun      = "dry run"
)

// Finding is one thing that was looked at.
type Finding struct {
	Level   Level   `json:"level"`
	Subject string  `json:"subject"`
	What    string  `json:"what"`
	Do      string  `json:"do,omitempty"` // empty where nothing needs doing
	Repair  *Repair `json:"-"`            // nil where Fix leaves it to people
}

// Repair is what Fix does about a finding.
type Repair struct {
	Does  string // as in "creates topic articles.raw"
	Apply func(context.Context) error
}

// step bounds what is asked at a time, so that a host that does not answer is
// reported and not waited for.
const step = 8 * time.Second

// within calls ask, which must end when its context does.
func within[T any](ctx context.Context, limit time.Duration, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return ask(ctx)
}

// Fix applies the repairs of findings and gives what became of each.
func Fix(ctx context.Context, findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if f.Repair == nil {
			continue
		}
		_, err := within(ctx, 2*step, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.Repair.Apply(ctx) })
		if err != nil {
			out = append(out, Finding{Level: Fail, Subject: f.Subject, What: fmt.Sprintf("--fix %s: %v", f.Repair.Does, err), Do: f.Do})
			continue
		}
		out = append(out, Finding{Level: Info, Subject: f.Subject, What: "--fix " + f.Repair.Does})
	}
	return out
}

// Failed counts the findings that fail.
func Failed(findings []Finding) int {
	n := 0
	for _, f := range findings {
		if f.Level == Fail {
			n++
		}
	}
	return n
}
