package elastic

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
)

// MonthState is a month's indices and what aliases they are behind.
type MonthState struct {
	Month   string // YYYY.MM
	Indices []IndexState
	Next    []string // indices that a migration copies the month to
	Left    []string // indices behind none of our aliases, left by a migration
	Missing []string // aliases that none of the month's indices is behind
	Doubled []string // aliases that more than one of them is behind
	// Unfiltered is true where readers see tombstones: the alias they use has
	// another filter than ours, or none.
	Unfiltered bool
}

// IndexState is an index as the cluster has it.
type IndexState struct {
	Name    string
	Blocks  []string // such as index.blocks.write
	Differs []string // how its mapping differs from ours, at most maxDiffers
}

// liveIndex is an index as Elasticsearch describes it.
type liveIndex struct {
	Aliases map[string]struct {
		Filter map[string]any `json:"filter"`
	} `json:"aliases"`
	Mappings map[string]any    `json:"mappings"`
	Settings map[string]string `json:"settings"`
}

// Months describes the months that the cluster has, oldest first.
func (x *Index) Months(ctx context.Context) ([]MonthState, error) {
	var live map[string]liveIndex
	err := x.do(ctx, esapi.IndicesGetRequest{
		Index: []string{x.pattern()}, FlatSettings: yes(), ExpandWildcards: "open,closed", AllowNoIndices: yes(), MasterTimeout: masterWait,
	}, &live)
	if err != nil {
		return nil, fmt.Errorf("describing the indices %s: %w", x.pattern(), err)
	}
	name := regexp.MustCompile(`^` + x.config.Prefix + `-([0-9]{4}\.[0-9]{2})-[0-9]{6}$`)
	byMonth := map[string][]string{}
	for _, index := range slices.Sorted(maps.Keys(live)) {
		if m := name.FindStringSubmatch(index); m != nil {
			byMonth[m[1]] = append(byMonth[m[1]], index)
		}
	}
	if len(byMonth) == 0 {
		return nil, nil
	}
	want, err := x.wanted(ctx)
	if err != nil {
		return nil, err
	}
	var out []MonthState
	for _, month := range slices.Sorted(maps.Keys(byMonth)) {
		s := MonthState{Month: month}
		for _, index := range byMonth[month] {
			if x.spare(&s, index, live) {
				continue
			}
			differs := differences("", want.Template.Mappings, live[index].Mappings)
			s.Indices = append(s.Indices, IndexState{
				Name: index, Blocks: blocks(live[index].Settings), Differs: differs[:min(len(differs), maxDiffers)],
			})
		}
		x.aliases(&s, live)
		out = append(out, s)
	}
	return out, nil
}

// spare sets an index aside that is of a migration and not in use. Where no
// index of the month is in use, none is spare.
func (x *Index) spare(s *MonthState, index string, live map[string]liveIndex) bool {
	if _, ok := live[index].Aliases[x.next(s.Month)]; ok {
		s.Next = append(s.Next, index)
		return true
	}
	for name, other := range live {
		if _, inUse := other.Aliases[x.writer(s.Month)]; inUse && name != index && len(live[index].Aliases) == 0 {
			s.Left = append(s.Left, index)
			return true
		}
	}
	return false
}

// aliases judges the aliases of a month.
func (x *Index) aliases(s *MonthState, live map[string]liveIndex) {
	for _, alias := range []string{x.readers(), x.everything(), x.writer(s.Month)} {
		behind := 0
		for _, index := range s.Indices {
			a, ok := live[index.Name].Aliases[alias]
			if !ok {
				continue
			}
			behind++
			if alias == x.readers() && !reflect.DeepEqual(a.Filter, readable()) {
				s.Unfiltered = true
			}
		}
		switch {
		case behind == 0:
			s.Missing = append(s.Missing, alias)
		case behind > 1 && alias != x.writer(s.Month): // of a write alias, one index is the one written to
			s.Doubled = append(s.Doubled, alias)
		}
	}
}

// readable is the filter of the alias that readers use, as Elasticsearch gives
// it back.
func readable() map[string]any {
	return map[string]any{"term": map[string]any{fieldStatus: string(article.Usable)}}
}

func blocks(settings map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if strings.HasPrefix(name, "index.blocks.") && settings[name] == "true" {
			out = append(out, name)
		}
	}
	return out
}

// AddAliases puts an index of a month behind the aliases that readers and
// writers use, readers' filter included. Where it is behind one already, that
// one is set anew.
func (x *Index) AddAliases(ctx context.Context, index, month string) error {
	b, err := body(object{"actions": []object{
		{"add": object{"index": index, "alias": x.readers(), "filter": readable()}},
		{"add": object{"index": index, "alias": x.everything()}},
		{"add": object{"index": index, "alias": x.writer(month), "is_write_index": true}},
	}})
	if err != nil {
		return err
	}
	if err := x.do(ctx, esapi.IndicesUpdateAliasesRequest{Body: b, MasterTimeout: masterWait}, nil); err != nil {
		return fmt.Errorf("adding index %s to its aliases: %w", index, asOutage(err))
	}
	return nil
}
