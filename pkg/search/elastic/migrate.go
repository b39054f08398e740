package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// MigrateOptions says what Migrate does. The zero value is fine.
type MigrateOptions struct {
	All  bool                             // also months whose mapping is of this version already
	Keep bool                             // leave the old indices, blocked and behind no alias
	Step func(format string, args ...any) // is told of each step before it is taken; nil tells nobody
}

// fewChanges is how many documents a pass over the changes may find for the
// migration to go on.
const fewChanges = 1000

// Migrate copies months into new indices that have the mapping of today, and
// puts these behind the aliases, while writers write and readers read:
//
//	next index, behind articles-next-*   writers write to both from here on
//	copy by point in time                versions and tombstones kept
//	copy what changed meanwhile          again, until little did
//	one call swaps all aliases           readers and writers at the same moment
//	block the old index, copy the rest   what a slow writer still put there
//	compare every id and version, delete the old index
//
// Nothing depends on writers being quick or on their writes to both: what
// reaches an old index before it is blocked is copied. A migration that was
// interrupted anywhere goes on when Migrate is called again. Only one may run
// at a time.
func (x *Index) Migrate(ctx context.Context, o MigrateOptions) error {
	if o.Step == nil {
		o.Step = func(string, ...any) {}
	}
	live, err := x.templateVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading index template %q: %w", x.config.Prefix, err)
	}
	if live > MappingVersion {
		return fmt.Errorf("the index template is of version %d, this program knows %d: migrate with the newer program", live, MappingVersion)
	}
	if err := x.putTemplate(ctx); err != nil {
		return err
	}
	months, err := x.generations(ctx)
	if err != nil {
		return err
	}
	if err := x.finishOld(ctx, o, months); err != nil {
		return err
	}
	var moves []*move
	for _, name := range slices.Sorted(maps.Keys(months)) {
		g := months[name]
		if g.current != "" && (o.All || g.next != "" || g.version < MappingVersion) {
			moves = append(moves, &move{month: name, from: g.current, to: g.next, generation: g.highest + 1, after: -1})
		}
	}
	if len(moves) == 0 {
		o.Step("nothing is to be migrated: every month has a mapping of version %d", MappingVersion)
		return nil
	}
	return x.migrate(ctx, o, moves)
}

// move is the migration of one month.
type move struct {
	month, from, to string
	generation      int   // of the index to be made, where to is ""
	after           int64 // sequence number up to which all is copied
}

func (x *Index) migrate(ctx context.Context, o MigrateOptions, moves []*move) error {
	for _, m := range moves {
		if m.to == "" {
			m.to = x.index(m.month, m.generation)
			o.Step("making index %s", m.to)
			if err := x.createNext(ctx, m); err != nil {
				return err
			}
		}
	}
	if err := pause(ctx, 2*movingAge); err != nil { // writers write to both by now; if not, there is more to copy later
		return err
	}
	for _, m := range moves {
		for changed := fewChanges; changed >= fewChanges; {
			o.Step("copying from %s to %s", m.from, m.to)
			var err error
			if m.after, changed, err = x.copyIndex(ctx, m.from, x.next(m.month), m.after); err != nil {
				return err
			}
			o.Step("copied %d articles", changed)
		}
	}
	o.Step("putting the new indices behind the aliases")
	if err := x.refreshNew(ctx, moves); err != nil { // what readers saw in the old ones they are to see in the new
		return err
	}
	if err := x.swap(ctx, moves); err != nil {
		return err
	}
	if err := x.refreshNew(ctx, moves); err != nil { // and what came between
		return err
	}
	for _, m := range moves {
		if err := x.finish(ctx, o, m); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) refreshNew(ctx context.Context, moves []*move) error {
	names := make([]string, len(moves))
	for i, m := range moves {
		names[i] = m.to
	}
	if err := x.do(ctx, esapi.IndicesRefreshRequest{Index: names}, nil); err != nil {
		return fmt.Errorf("refreshing the new indices: %w", err)
	}
	return nil
}

// finishOld brings a migration to its end that was interrupted behind its swap.
func (x *Index) finishOld(ctx context.Context, o MigrateOptions, months map[string]*generations) error {
	for _, name := range slices.Sorted(maps.Keys(months)) {
		g := months[name]
		for _, old := range g.old {
			if g.current == "" {
				return fmt.Errorf("index %s is behind no alias, and no other index of its month is: put one behind %s, %s and %s (marsad check tells more)",
					old, x.readers(), x.everything(), x.writer(name))
			}
			if err := x.finish(ctx, o, &move{month: name, from: old, to: g.current, after: -1}); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish makes sure that nothing is left in the old index alone, and deletes
// it.
func (x *Index) finish(ctx context.Context, o MigrateOptions, m *move) error {
	o.Step("closing %s for writing", m.from)
	// The answer comes once writes under way have ended.
	if err := x.do(ctx, esapi.IndicesAddBlockRequest{Index: []string{m.from}, Block: "write"}, nil); err != nil {
		return fmt.Errorf("blocking index %s: %w", m.from, err)
	}
	_, changed, err := x.copyIndex(ctx, m.from, x.writer(m.month), m.after)
	if err != nil {
		return err
	}
	o.Step("copied %d articles that came late; comparing %s with %s", changed, m.from, m.to)
	if err := x.compare(ctx, m.from, m.to); err != nil {
		return err
	}
	if o.Keep {
		o.Step("keeping %s; DELETE /%s when it is needed no more", m.from, m.from)
		return nil
	}
	o.Step("deleting %s", m.from)
	if err := x.do(ctx, esapi.IndicesDeleteRequest{Index: []string{m.from}}, nil); err != nil {
		return fmt.Errorf("deleting index %s: %w", m.from, err)
	}
	return nil
}

// AbortMigration removes the indices that a migration has not swapped in yet,
// and names them. Readers and writers never depended on them.
func (x *Index) AbortMigration(ctx context.Context) (removed []string, err error) {
	months, err := x.generations(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(months)) {
		next := months[name].next
		if next == "" {
			continue
		}
		if err := x.do(ctx, esapi.IndicesDeleteRequest{Index: []string{next}}, nil); err != nil {
			return removed, fmt.Errorf("deleting index %s: %w", next, err)
		}
		removed = append(removed, next)
	}
	return removed, nil
}

// createNext makes the index that a month is copied to.
func (x *Index) createNext(ctx context.Context, m *move) error {
	b, err := body(object{"aliases": object{x.next(m.month): object{"is_write_index": true}}})
	if err != nil {
		return err
	}
	if err := x.do(ctx, esapi.IndicesCreateRequest{Index: m.to, Body: b}, nil); err != nil {
		return fmt.Errorf("creating index %s: %w", m.to, err)
	}
	return nil
}

// swap puts the new indices in the place of the old ones, all in one call.
func (x *Index) swap(ctx context.Context, moves []*move) error {
	var actions []object
	for _, m := range moves {
		for _, alias := range []string{x.readers(), x.everything(), x.writer(m.month)} {
			actions = append(actions, object{"remove": object{"index": m.from, "alias": alias}})
		}
		actions = append(actions,
			object{"remove": object{"index": m.to, "alias": x.next(m.month)}},
			object{"add": object{"index": m.to, "alias": x.readers(), "filter": readable()}},
			object{"add": object{"index": m.to, "alias": x.everything()}},
			object{"add": object{"index": m.to, "alias": x.writer(m.month), "is_write_index": true}})
	}
	b, err := body(object{"actions": actions})
	if err != nil {
		return err
	}
	if err := x.do(ctx, esapi.IndicesUpdateAliasesRequest{Body: b}, nil); err != nil {
		return fmt.Errorf("swapping aliases: %w", err)
	}
	return nil
}

// generations are the indices of a month.
type generations struct {
	current string   // behind the write alias
	version int      // of its mapping
	next    string   // being copied to
	old     []string // behind none of our aliases, oldest first
	highest int      // number of the latest
}

// generations gives the indices of each month.
func (x *Index) generations(ctx context.Context) (map[string]*generations, error) {
	var live map[string]struct {
		Aliases  map[string]struct{} `json:"aliases"`
		Mappings struct {
			Meta struct {
				Version int `json:"version"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	if err := x.do(ctx, esapi.IndicesGetRequest{Index: []string{x.months()}, AllowNoIndices: yes()}, &live); err != nil {
		return nil, fmt.Errorf("looking for the indices of all months: %w", err)
	}
	months := map[string]*generations{}
	for _, name := range slices.Sorted(maps.Keys(live)) {
		month, number, ok := x.parseIndex(name)
		if !ok {
			continue
		}
		g := months[month]
		if g == nil {
			g = &generations{}
			months[month] = g
		}
		g.highest = max(g.highest, number)
		aliases := live[name].Aliases
		_, writes := aliases[x.writer(month)]
		_, copied := aliases[x.next(month)]
		switch {
		case writes && g.current != "":
			return nil, fmt.Errorf("indices %s and %s are both behind %s: take one of them off the alias", g.current, name, x.writer(month))
		case writes:
			g.current, g.version = name, live[name].Mappings.Meta.Version
		case copied:
			g.next = name
		case !x.read(aliases):
			g.old = append(g.old, name)
		default:
			return nil, fmt.Errorf("index %s is behind an alias of readers but not behind %s: run \"marsad check\"", name, x.writer(month))
		}
	}
	return months, nil
}

// read tells whether an index with these aliases is read.
func (x *Index) read(aliases map[string]struct{}) bool {
	_, a := aliases[x.readers()]
	_, b := aliases[x.everything()]
	return a || b
}

var indexName = regexp.MustCompile(`^(\d{4}\.\d{2})-(\d{6})$`)

// parseIndex gives month and number of the name of an index of ours.
func (x *Index) parseIndex(name string) (month string, number int, ok bool) {
	rest, ours := strings.CutPrefix(name, x.config.Prefix+"-")
	parts := indexName.FindStringSubmatch(rest)
	if !ours || parts == nil {
		return "", 0, false
	}
	number, err := strconv.Atoi(parts[2])
	return parts[1], number, err == nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("interrupted; run it again to go on"), ctx.Err())
	case <-t.C:
		return nil
	}
}
