package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// Bounds on a request's parameters.
const (
	maxQueryString = 64 << 10 // bytes
	maxValue       = 512      // bytes of a filter's value
	maxCursor      = 4 << 10  // bytes
	defaultSize    = 20
)

// filterParams are understood wherever articles are chosen.
func filterParams() []string {
	return []string{"q", "lang", "entity", "topic", "source", "country"}
}

// params are the parameters of a request; empty ones count as absent.
type params url.Values

// readParams refuses names that are not known, unless lenient.
func readParams(r *http.Request, lenient bool, known ...string) (params, *Problem) {
	if len(r.URL.RawQuery) > maxQueryString {
		return nil, &Problem{
			Type: problemType + "parameter", Title: "The address is too long", Status: http.StatusRequestURITooLong,
			Detail: "the parameters have more than " + strconv.Itoa(maxQueryString) + " bytes: use fewer filters or a shorter query",
		}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter("query string", "is not percent-encoded as it should be: %v", err)
	}
	for name, vs := range values {
		if !slices.Contains(known, name) {
			if lenient {
				continue
			}
			return nil, badParameter(strings.ToValidUTF8(name[:min(len(name), 40)], "�"), "is no parameter of this address; there are %s", strings.Join(known, ", "))
		}
		values[name] = slices.DeleteFunc(vs, func(v string) bool { return strings.TrimSpace(v) == "" })
		for _, v := range vs {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, badParameter(name, "is not UTF-8 text")
			}
		}
	}
	return params(values), nil
}

// one gives the value of a parameter that may stand once.
func (p params) one(name string) (string, *Problem) {
	switch vs := p[name]; len(vs) {
	case 0:
		return "", nil
	case 1:
		return strings.TrimSpace(vs[0]), nil
	}
	return "", badParameter(name, "stands more than once")
}

// list gives the values of a parameter that may be repeated or hold several
// values with commas between.
func (p params) list(name string) ([]string, *Problem) {
	var out []string
	for _, v := range p[name] {
		for item := range strings.SplitSeq(v, ",") {
			item = strings.TrimSpace(item)
			if item == "" || slices.Contains(out, item) {
				continue
			}
			if len(item) > maxValue {
				return nil, badParameter(name, "a value has %d bytes, at most %d are allowed", len(item), maxValue)
			}
			if out = append(out, item); len(out) > search.MaxFilters {
				return nil, badParameter(name, "has more than %d values", search.MaxFilters)
			}
		}
	}
	return out, nil
}

// choice gives the value of a parameter with a few possible values.
func (p params) choice(name string, first string, others ...string) (string, *Problem) {
	v, bad := p.one(name)
	switch {
	case bad != nil:
		return "", bad
	case v == "":
		return first, nil
	case v != first && !slices.Contains(others, v):
		return "", badParameter(name, "is %.40q, must be %s", v, strings.Join(append([]string{first}, others...), " or "))
	}
	return v, nil
}

// instant reads a time: RFC 3339, a date, now, or now-2h with the units m, h,
// d and w.
func (p params) instant(name string, now time.Time) (time.Time, *Problem) {
	v, bad := p.one(name)
	if bad != nil || v == "" {
		return time.Time{}, bad
	}
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, v); err == nil {
		return t, nil
	}
	if v == "now" {
		return now, nil
	}
	if ago, ok := strings.CutPrefix(v, "now-"); ok && len(ago) > 1 {
		n, err := strconv.ParseUint(ago[:len(ago)-1], 10, 16)
		if unit := unitOf(ago[len(ago)-1]); err == nil && unit > 0 {
			return now.Add(-time.Duration(n) * unit), nil
		}
	}
	return time.Time{}, badParameter(name, "%.40q is no time: write RFC 3339, such as 2026-10-24T09:00:00Z, or now-1d, now-2h", v)
}

func unitOf(c byte) time.Duration {
	switch c {
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return 24 * time.Hour
	case 'w':
		return 7 * 24 * time.Hour
	}
	return 0
}

// filter chooses articles.
type filter struct {
	query     *query.Query // nil for all
	text      string       // the query as written
	languages []string
	entities  []string
	topics    []string
	sources   []string
	countries []string
}

// filter reads filterParams. The query's text is in the filter even where it
// cannot be parsed.
func (p params) filter() (filter, *Problem) {
	var f filter
	for _, l := range []struct {
		name string
		to   *[]string
	}{
		{"lang", &f.languages}, {"entity", &f.entities}, {"topic", &f.topics},
		{"source", &f.sources}, {"country", &f.countries},
	} {
		var bad *Problem
		if *l.to, bad = p.list(l.name); bad != nil {
			return f, bad
		}
	}
	for i, c := range f.countries {
		f.countries[i] = strings.ToUpper(c)
	}
	var bad *Problem
	if f.text, bad = p.one("q"); bad != nil || f.text == "" {
		return f, bad
	}
	q, err := query.Parse(f.text)
	if err != nil {
		return f, badQuery(err)
	}
	if _, all := q.Root().(query.All); !all {
		f.query = q
	}
	return f, nil
}

// root is the tree of f's query, nil for all.
func (f *filter) root() query.Node {
	if f.query == nil {
		return nil
	}
	return f.query.Root()
}

// passes tells whether a stream with f sends e. Of a retraction only the
// source is left to look at: it passes for all other filters, as what was sent
// of the article before may have matched.
func (f *filter) passes(e *event) bool {
	a := &e.article
	if e.kind == hidden || len(f.sources) > 0 && !slices.Contains(f.sources, a.Source.ID) {
		return false
	}
	if e.kind == retractKind {
		return true
	}
	return f.passesLanguage(a.Language) && f.passesEntities(a.Entities) && f.passesTopics(a.Topics) &&
		(f.query == nil || e.matches(f.query))
}

func (f *filter) passesLanguage(tag string) bool {
	return len(f.languages) == 0 || slices.ContainsFunc(f.languages, func(l string) bool {
		return len(tag) >= len(l) && strings.EqualFold(tag[:len(l)], l) && (len(tag) == len(l) || tag[len(l)] == '-')
	})
}

// passesEntities looks at the entities and at the countries of the places.
func (f *filter) passesEntities(es []article.Entity) bool {
	return (len(f.entities) == 0 || slices.ContainsFunc(es, func(e article.Entity) bool {
		return slices.Contains(f.entities, e.ID)
	})) && (len(f.countries) == 0 || slices.ContainsFunc(es, func(e article.Entity) bool {
		return e.Country != "" && slices.Contains(f.countries, e.Country)
	}))
}

func (f *filter) passesTopics(ts []article.Topic) bool {
	return len(f.topics) == 0 || slices.ContainsFunc(ts, func(t article.Topic) bool {
		return slices.Contains(f.topics, t.ID) ||
			slices.ContainsFunc(t.Broader, func(b string) bool { return slices.Contains(f.topics, b) })
	})
}
