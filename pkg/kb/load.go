package kb

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
)

//go:embed data/*.tsv
var data embed.FS

// Load builds the base from its embedded tables. It takes some 100 ms; an
// error means that the tables contradict each other and names file and line.
func Load() (*Base, error) {
	l := loader{
		Base:    &Base{byID: map[string]*Entry{}, names: newTrie(), demonyms: map[string]string{}},
		keys:    map[string]*Entry{},
		qids:    map[string]string{},
		odbl:    map[string][]string{},
		rank:    map[*Entry]int{},
		capital: map[string]*Entry{},
	}
	for _, step := range []struct {
		file   string
		fields int
		read   func(f []string) error
	}{
		{"qids.tsv", 3, l.qid},
		{"places-odbl.tsv", 10, l.open},
		{"countries.tsv", 8, l.country},
		{"regions.tsv", 4, l.region},
		{"extra.tsv", 7, l.extra},
		{"cities.tsv", 8, l.city},
		{"places-odbl.tsv", 10, l.division},
		{"names.tsv", 4, l.name},
		{"words.tsv", 2, l.word},
		{"demonyms-odbl.tsv", 3, l.demonym},
	} {
		if err := each(step.file, step.fields, step.read); err != nil {
			return nil, err
		}
	}
	return l.finish(), nil
}

// each calls read with the fields of each line of a table behind the head.
func each(file string, fields int, read func([]string) error) error {
	raw, err := data.ReadFile("data/" + file)
	if err != nil {
		return fmt.Errorf("reading the knowledge base: %w", err)
	}
	n := 0
	for line := range strings.Lines(string(raw)) {
		if n++; n == 1 {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != fields {
			return fmt.Errorf("knowledge base, %s line %d: %d fields, want %d", file, n, len(f), fields)
		}
		if err := read(f); err != nil {
			return fmt.Errorf("knowledge base, %s line %d: %w", file, n, err)
		}
	}
	return nil
}

type loader struct {
	*Base
	keys    map[string]*Entry   // key of names.tsv → entry
	qids    map[string]string   // key of names.tsv → Q-id
	odbl    map[string][]string // country or city id → row of places-odbl.tsv
	rank    map[*Entry]int      // 1 for entries with names written by hand
	capital map[string]*Entry   // by country
}

func (l *loader) qid(f []string) error { l.qids[f[0]] = f[1]; return nil }

func (l *loader) open(f []string) error {
	if f[0] != "state" {
		l.odbl[f[1]] = f
	}
	return nil
}

func (l *loader) country(f []string) error {
	e := &Entry{ID: f[0], QID: f[0], Type: article.Place, Kind: Country, Country: f[1], labels: [languages]string{f[6], f[5], f[4]}}
	if p := l.odbl[f[0]]; p != nil {
		e.Location, e.Population = location(p[4], p[5]), number(p[6])
	}
	l.enter(e, f[1])
	l.alias(e, Free, f[4:7]...)
	for _, other := range strings.Split(f[7], "|") {
		if _, name, ok := strings.Cut(other, ":"); ok {
			l.alias(e, Free, name)
		}
	}
	return nil
}

func (l *loader) region(f []string) error {
	e := &Entry{ID: "m49:" + f[0], Type: article.Place, Kind: Region, labels: [languages]string{f[3], f[2], f[1]}}
	l.enter(e, "m49:"+f[0])
	l.alias(e, Free, f[1:]...)
	return nil
}

func (l *loader) extra(f []string) error {
	e := &Entry{ID: "marsad:" + f[0], QID: l.qids[f[0]], Type: article.Place, Kind: Region, Country: f[1], Location: location(f[2], f[3])}
	if e.QID != "" {
		e.ID = e.QID
	}
	for i, names := range map[int]string{english: f[4], french: f[5], arabic: f[6]} {
		e.labels[i], _, _ = strings.Cut(names, "|")
	}
	l.enter(e, f[0])
	for _, names := range f[4:] {
		l.alias(e, Free, strings.Split(names, "|")...)
	}
	return nil
}

// city enters a city; the table is sorted by population, so that the first of
// a name in a country gets the key.
func (l *loader) city(f []string) error {
	key := f[1] + "/" + f[6]
	if l.keys[key] != nil {
		key = ""
	}
	e := &Entry{ID: "geonames:" + f[0], Type: article.Place, Kind: City, Country: f[1], Location: location(f[2], f[3]), Population: number(f[4])}
	if f[5] == "2" {
		e.Kind = Capital
		l.capital[f[1]] = e
	}
	if q := l.qids[key]; q != "" && key != "" {
		e.ID, e.QID = q, q
	}
	e.labels[english] = f[6]
	names := []string{f[6]}
	var other string
	if p := l.odbl[f[0]]; p != nil {
		other = p[9]
		names = append(names, p[7])
		if exonym(e, p[8]) {
			e.labels[french] = p[8]
			names = append(names, p[8])
		}
	}
	l.enter(e, key)
	for _, name := range strings.Split(f[7], "|") {
		if !long(name) && name != other {
			continue
		}
		e.labels[arabic] = cmp.Or(e.labels[arabic], name)
		l.alias(e, arabicRule(e, name, other), name)
	}
	if e.Kind == Capital && long(other) {
		l.alias(e, arabicRule(e, other, other), other)
	}
	if e.Kind == Capital || strings.Contains("|"+f[7]+"|", "|"+other+"|") {
		e.labels[arabic] = cmp.Or(other, e.labels[arabic])
	}
	l.alias(e, cityRule(e), names...)
	return nil
}

func (l *loader) division(f []string) error {
	if f[0] != "state" {
		return nil
	}
	if l.byID[f[1]] != nil {
		return nil
	}
	e := &Entry{ID: f[1], QID: f[2], Type: article.Place, Kind: Division, Country: f[3], Location: location(f[4], f[5]),
		Population: number(f[6]), labels: [languages]string{f[9], f[8], f[7]}}
	l.enter(e, "")
	rule := Context
	if f[3] == "US" || f[3] == "CA" || f[3] == "AU" {
		rule = Free
	}
	l.alias(e, rule, f[7], f[8])
	if long(f[9]) {
		l.alias(e, rule, f[9])
	}
	return nil
}

// name adds names written by hand; they outrank those of the tables.
func (l *loader) name(f []string) error {
	e := l.keys[f[0]]
	if e == nil {
		return fmt.Errorf("no entry has the key %q", f[0])
	}
	l.rank[e] = 1
	names := strings.Split(f[2], "|")
	if i := slot(f[1]); i >= 0 && (e.labels[i] == "" || strings.Contains(f[3], "label")) {
		e.labels[i] = names[0]
	}
	for _, name := range names {
		a := l.names.add(name)
		if a == nil {
			return fmt.Errorf("%q has no words", name)
		}
		a.bear(e)
		a.Rule = flagRule(f[3])
		if strings.Contains(f[3], "caps") {
			a.Caps = true
			a.Dotted = strings.HasSuffix(name, ".")
		}
	}
	return nil
}

func flagRule(flags string) Rule {
	switch {
	case strings.Contains(flags, "cue"):
		return Cue
	case strings.Contains(flags, "ctx"):
		return Context
	case strings.Contains(flags, "sup"):
		return Support
	}
	return Free
}

// word sets the rule of a name that is also an everyday word or a name of
// persons. Names that the base does not have are no error; such a name under
// "drop" is entered without bearers, so that it hides the names within it.
func (l *loader) word(f []string) error {
	rule, ok := map[string]Rule{"free": Free, "name": Name, "ctx": Context, "sup": Support, "cue": Cue, "drop": Drop}[f[1]]
	if !ok {
		return fmt.Errorf("no rule is called %q", f[1])
	}
	a := l.names.find(f[0])
	if a == nil && rule == Drop {
		a = l.names.add(f[0])
	}
	if a != nil {
		a.Rule = rule
	}
	return nil
}

// enter adds e under its id and, if it has one, its key.
func (l *loader) enter(e *Entry, key string) {
	if l.byID[e.ID] != nil {
		return
	}
	l.entries = append(l.entries, e)
	l.byID[e.ID] = e
	if key != "" {
		l.keys[key] = e
	}
}

// alias adds names of e under a rule; a name that somebody bears under a more
// lenient rule keeps that.
func (l *loader) alias(e *Entry, rule Rule, names ...string) {
	for _, name := range names {
		if name = strings.TrimSpace(name); len(strings.Fields(name)) > maxWords/2 || initials(name) {
			continue
		}
		known := l.names.find(name)
		a := l.names.add(name)
		if a == nil {
			continue
		}
		if known == nil || rule < a.Rule {
			a.Rule = rule
		}
		a.bear(e)
	}
}

func location(lat, lon string) *article.Location {
	y, err1 := strconv.ParseFloat(lat, 64)
	x, err2 := strconv.ParseFloat(lon, 64)
	if err1 != nil || err2 != nil {
		return nil
	}
	return &article.Location{Lat: y, Lon: x}
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }

// finish orders the bearers of each name by prominence.
func (l *loader) finish() *Base {
	for _, a := range l.names.aliases {
		if a != nil && len(a.Entries) > 1 {
			slices.SortStableFunc(a.Entries, l.compare)
		}
	}
	return l.Base
}

func (l *loader) compare(x, y *Entry) int {
	return cmp.Or(tier(x)-tier(y), l.rank[y]-l.rank[x], kindOrder(x)-kindOrder(y), y.Population-x.Population)
}

// tier is 0 for states, 1 for all else but small places.
func tier(e *Entry) int {
	if e.Kind == Country {
		return 0
	}
	return 1
}

func kindOrder(e *Entry) int {
	if e.Kind == City && e.Population > 1_000_000 {
		return int(Capital)
	}
	return int(e.Kind)
}
