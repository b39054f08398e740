package web

import (
	"cmp"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// interfaceLanguage is the language of names and of the page.
const interfaceLanguage = "en"

// names gives names to the values of facets. What the labels do not know is
// taken from the articles at hand.
type names struct {
	labels    Labels // may be nil
	seen      map[string]string
	languages display.Namer
	regions   display.Namer
}

func (s *Service) namesOf(hits []search.Hit) *names {
	n := &names{
		labels: s.deps.Labels, seen: map[string]string{},
		languages: display.English.Tags(), regions: display.English.Regions(),
	}
	for i := range hits {
		n.learn(&hits[i].Article)
	}
	return n
}

// learn takes in the names that a brings with it.
func (n *names) learn(a *article.Article) {
	n.seen[key(search.FacetSource, a.Source.ID)] = a.Source.Name
	for i := range a.Entities {
		e := &a.Entities[i]
		n.seen[key(search.FacetEntity, e.ID)] = cmp.Or(e.Labels[interfaceLanguage], e.Name)
	}
	for _, t := range a.Topics {
		n.seen[key(search.FacetTopic, t.ID)] = t.Name
	}
}

func key(f search.FacetField, value string) string { return string(f) + "\x00" + value }

// of names a facet's value, by itself where no name is known.
func (n *names) of(f search.FacetField, value string) string {
	name := ""
	switch f {
	case search.FacetLanguage:
		if value == "und" {
			return "Unknown"
		}
		if tag, err := language.Parse(value); err == nil {
			name = n.languages.Name(tag)
		}
	case search.FacetCountry:
		if region, err := language.ParseRegion(value); err == nil && region.IsCountry() {
			name = n.regions.Name(region)
		}
	case search.FacetEntity, search.FacetTopic:
		if n.labels != nil {
			name = n.labels.Label(value, interfaceLanguage)
		}
	}
	return cmp.Or(name, n.seen[key(f, value)], value)
}

func (n *names) buckets(f search.FacetField, bs []search.Bucket) []FacetBucket {
	out := make([]FacetBucket, 0, len(bs))
	for _, b := range bs {
		out = append(out, FacetBucket{Value: b.Value, Label: n.of(f, b.Value), Count: b.Count})
	}
	return out
}
