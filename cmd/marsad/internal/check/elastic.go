package check

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/marsad-news/marsad/pkg/search/elastic"
)

// fullDisk is the use, in per cent, from which Elasticsearch's own defaults
// move data away from a node; at 95 it blocks writes.
const fullDisk = 90

// Elasticsearch looks at the nodes, the template, the months and the
// privileges, and makes a dry run, which removes what it wrote. Its repairs
// need x open, an index of settings.
func Elasticsearch(ctx context.Context, x *elastic.Index, settings elastic.Settings) []Finding {
	out, reached := nodes(ctx, settings)
	if !reached {
		return out
	}
	health, err := within(ctx, step, x.Health)
	out = append(out, cluster(health, err)...)
	state, err := within(ctx, step, x.Template)
	out = append(out, template(x, state, err)...)
	months, err := within(ctx, step, x.Months)
	out = append(out, indices(x, months, err)...)
	out = append(out, privileges(ctx, x))
	return append(out, dryRun(ctx, x))
}

// nodes asks each address by itself; reached is true where one of them is of
// use.
func nodes(ctx context.Context, settings elastic.Settings) (out []Finding, reached bool) {
	for _, address := range settings.Addresses {
		one := settings
		one.Addresses = []string{address}
		f := Finding{Level: Fail, Subject: subjectElastic}
		x, err := elastic.Open(one)
		if err != nil {
			f.What, f.Do = err.Error(), "correct the configuration"
			out = append(out, f)
			continue
		}
		version, err := within(ctx, step, x.Version)
		x.Close()
		if err != nil {
			f.What, f.Do = fmt.Sprintf("%s: %v", address, err), answers(err)
			out = append(out, f)
			continue
		}
		reached = true
		f.Level, f.What = OK, fmt.Sprintf("%s answers, version %s", address, version)
		switch major, _, _ := strings.Cut(version, "."); {
		case major == "8":
		case len(major) == 1 && major < "8":
			f.Level, f.Do = Fail, "upgrade it to version 8"
		default:
			f.Level, f.Do = Warn, "Marsad was tested with version 8 alone"
		}
		out = append(out, f)
	}
	return out, reached
}

// answers says what to do about an error of a request.
func answers(err error) string {
	said := strings.ToLower(err.Error())
	switch status := elastic.Status(err); {
	case status == http.StatusUnauthorized:
		return "check elasticsearch.username and password, or elasticsearch.api_key"
	case status == http.StatusForbidden:
		return "grant the user what \"privileges\" below lists, monitor on the cluster first"
	case status != 0:
		return "look into Elasticsearch's log; is there a proxy in between?"
	case strings.Contains(said, "x509") || strings.Contains(said, "certificate"):
		return "set elasticsearch.ca_file to the authority that signed the certificate (http_ca.crt of Elasticsearch's config)"
	case strings.Contains(said, "http response to https") || strings.Contains(said, "eof") || strings.Contains(said, "malformed http"):
		return "check whether the address begins with http:// or https:// as the server expects"
	}
	return "check elasticsearch.addresses, that Elasticsearch runs, and that no firewall lies between"
}

func cluster(h elastic.Health, err error) []Finding {
	if err != nil {
		return []Finding{{Level: Warn, Subject: subjectElastic, What: err.Error(), Do: answers(err)}}
	}
	var out []Finding
	add := func(level Level, what, do string) {
		out = append(out, Finding{Level: level, Subject: subjectElastic, What: what, Do: do})
	}
	switch h.Status {
	case "red":
		add(Fail, "some of our indices have no copy that works", "start the nodes that are down; GET /_cluster/allocation/explain says why")
	case "yellow":
		add(Warn, fmt.Sprintf("%d copies of our indices have no node", h.Unassigned),
			"start the nodes that are down, or set elasticsearch.replicas below the number of nodes (and number_of_replicas of the indices that are there)")
	}
	for _, b := range h.Blocks {
		add(Fail, b+" is set: nothing can be written", `lift it: PUT /_cluster/settings {"persistent":{"`+b+`":null}}`)
	}
	for _, d := range h.Disks {
		if d.Used >= fullDisk {
			add(Warn, fmt.Sprintf("the disk of node %s is %d %% full; at 95 %% Elasticsearch blocks writes", d.Node, d.Used),
				"make room, add a node, or drop the oldest months")
		}
	}
	if len(out) == 0 {
		add(OK, "healthy, no blocks, room on the disks; data nodes: "+strconv.Itoa(h.Nodes), "")
	}
	return out
}

func template(x *elastic.Index, s elastic.TemplateState, err error) []Finding {
	f := Finding{Level: Fail, Subject: subjectTemplate}
	write := &Repair{Does: "writes the index template", Apply: x.Setup}
	switch {
	case err != nil:
		f.Level, f.What, f.Do = Warn, err.Error(), answers(err)
	case s.Missing:
		f.What, f.Do, f.Repair = "the index template is missing: months would be made without our mapping", `run "marsad check --fix", or start the index service`, write
	case s.Newer:
		f.Level, f.What, f.Do = Warn, "the index template was written by a later Marsad; it is left as it is", "upgrade this marsad"
	case s.Shadowed:
		f.What = "another index template with a higher priority takes our months: " + strings.Join(s.Differs, "; ")
		f.Do = "keep its index_patterns off our names, or lower its priority below ours (200)"
	case len(s.Differs) > 0:
		f.What, f.Do, f.Repair = "the index template is not ours: "+strings.Join(s.Differs, "; "), `run "marsad check --fix", or restart the index service`, write
	default:
		f.Level, f.What = OK, "months are made with our mapping and settings"
	}
	return []Finding{f}
}

func indices(x *elastic.Index, months []elastic.MonthState, err error) []Finding {
	if err != nil {
		return []Finding{{Level: Warn, Subject: subjectIndices, What: err.Error(), Do: answers(err)}}
	}
	if len(months) == 0 {
		return []Finding{{Level: Info, Subject: subjectIndices, What: "there is no month yet: the first article makes one"}}
	}
	var out []Finding
	for _, m := range months {
		out = append(out, month(x, m)...)
	}
	if len(out) == 0 {
		out = append(out, Finding{Level: OK, Subject: subjectIndices, What: fmt.Sprintf("%s to %s: mapping and aliases are ours, no blocks",
			months[0].Month, months[len(months)-1].Month)})
	}
	return out
}

func month(x *elastic.Index, m elastic.MonthState) []Finding {
	var out []Finding
	add := func(what, do string) *Finding {
		out = append(out, Finding{Level: Fail, Subject: subjectIndices, What: what, Do: do})
		return &out[len(out)-1]
	}
	for _, index := range m.Indices {
		for _, b := range index.Blocks {
			why := "find out who set it, then lift it"
			if strings.HasSuffix(b, "read_only_allow_delete") {
				why = "make room on the disk: Elasticsearch sets it when one is full. If it stays, lift it"
			}
			add(fmt.Sprintf("%s has %s: nothing can be written into it", index.Name, b),
				fmt.Sprintf(`%s: PUT /%s/_settings {"%s":null}`, why, index.Name, b))
		}
		if len(index.Differs) > 0 {
			add(fmt.Sprintf("%s has another mapping: %s", index.Name, strings.Join(index.Differs, "; ")),
				"articles may be refused: run \"marsad index migrate\", which copies the month into a new index with the mapping of today")
		}
	}
	for _, index := range m.Next {
		out = append(out, Finding{Level: Info, Subject: subjectIndices, What: fmt.Sprintf("%s is being migrated to %s", m.Month, index),
			Do: "if no \"marsad index migrate\" runs, run it again to go on, or with --abort to give up"})
	}
	for _, index := range m.Left {
		out = append(out, Finding{Level: Info, Subject: subjectIndices, What: fmt.Sprintf("%s is left over from a migration", index),
			Do: "run \"marsad index migrate\" to compare it with what is in use and delete it"})
	}
	var wrong *Finding
	switch {
	case len(m.Missing) > 0:
		wrong = add(fmt.Sprintf("no index of %s is behind the alias %s", m.Month, strings.Join(m.Missing, ", ")), "add the one that is in use to the alias")
	case m.Unfiltered:
		wrong = add(fmt.Sprintf("the alias that readers use has no filter for %s: they see what was retracted", m.Month), "add the index to the alias with the filter")
	}
	if wrong != nil && len(m.Indices) == 1 {
		wrong.Do = `run "marsad check --fix"`
		wrong.Repair = &Repair{
			Does:  fmt.Sprintf("puts %s behind its aliases", m.Indices[0].Name),
			Apply: func(ctx context.Context) error { return x.AddAliases(ctx, m.Indices[0].Name, m.Month) },
		}
	}
	if len(m.Doubled) > 0 {
		add(fmt.Sprintf("several indices of %s are behind the alias %s: their articles are found twice", m.Month, strings.Join(m.Doubled, ", ")),
			"take the older index off the alias: POST /_aliases with an action remove")
	}
	return out
}

func privileges(ctx context.Context, x *elastic.Index) Finding {
	f := Finding{Level: OK, Subject: subjectPrivileges, What: "the user may do all that the services do"}
	var known bool
	denied, err := within(ctx, step, func(ctx context.Context) (denied []string, err error) {
		denied, known, err = x.Privileges(ctx)
		return denied, err
	})
	switch {
	case err != nil:
		f.Level, f.What, f.Do = Warn, err.Error(), answers(err)
	case !known:
		f.Level, f.What = Info, "cannot be checked: security is off, everybody may do everything"
	case len(denied) > 0:
		f.Level, f.What, f.Do = Fail, "the user lacks "+strings.Join(denied, ", "), "grant them to the role of the user or the API key"
	}
	return f
}

func dryRun(ctx context.Context, x *elastic.Index) Finding {
	n, err := within(ctx, 4*step, x.DryRun)
	if err == nil {
		return Finding{Level: OK, Subject: subjectDryRun, What: fmt.Sprintf("%d sample articles written, found, one of them retracted; all of it removed again", n)}
	}
	f := Finding{Level: Fail, Subject: subjectDryRun, What: strings.ReplaceAll(err.Error(), "\n", "; ")}
	switch status := elastic.Status(err); status {
	case http.StatusUnauthorized, http.StatusForbidden:
		f.Do = answers(err)
	default:
		f.Do = "mend what the other findings say; if there are none, the reason is Elasticsearch's own: look into its log"
	}
	return f
}
