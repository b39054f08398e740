package web

import (
	"cmp"
	"net/url"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// articleView is what an article's page shows. All texts are plain.
type articleView struct {
	Problem    *Problem
	ID         string
	Lang, Dir  string
	Title      string
	Byline     string
	Source     linkView
	Address    string // of the article at its publisher; only http and https
	Host       string
	Published  timeView
	Received   timeView
	Corrected  bool
	Revision   int64
	Language   linkView
	Paragraphs []paragraphView
	Topics     []topicView
	Entities   []linkView
}

type paragraphView struct {
	Dir   string
	Parts []mentionView
}

// mentionView is a piece of a paragraph; one with an address names an entity.
type mentionView struct{ Text, URL, Label string }

type topicView struct {
	linkView
	Percent  int
	Evidence []string
}

func newArticleView(a *article.Article, n *names) *articleView {
	none := links{}
	v := &articleView{
		ID: a.ID, Lang: languageAttribute(a), Dir: direction(a.Language, a.Title+"\n"+a.Body),
		Title: shown(titleOf(a)), Byline: shown(clip(a.Byline, maxTitleShown)),
		Source:    linkView{Label: shown(cmp.Or(a.Source.Name, a.Source.ID)), URL: none.toggle("source", a.Source.ID)},
		Address:   webAddress(a.URL),
		Published: timeOf(a.Published), Received: timeOf(a.Received),
		Corrected: a.Revision > 1, Revision: a.Revision,
		Paragraphs: paragraphs(a, n),
	}
	if u, err := url.Parse(v.Address); err == nil {
		v.Host = shown(u.Hostname())
	}
	if a.Language != "" {
		v.Language = linkView{Label: n.of(search.FacetLanguage, a.Language), URL: none.toggle("lang", a.Language)}
	}
	for _, t := range a.Topics {
		tv := topicView{Percent: int(t.Score*100 + .5)}
		tv.Label, tv.URL = shown(n.of(search.FacetTopic, t.ID)), none.toggle("topic", t.ID)
		for _, e := range t.Evidence {
			tv.Evidence = append(tv.Evidence, shown(e))
		}
		v.Topics = append(v.Topics, tv)
	}
	for _, e := range mostSalient(a.Entities, len(a.Entities)) {
		v.Entities = append(v.Entities, linkView{
			Kind: string(e.Type), Label: shown(n.of(search.FacetEntity, e.ID)), Count: e.Count, URL: none.toggle("entity", e.ID),
		})
	}
	return v
}

// paragraphs splits the body at its line breaks and marks the entities in it.
func paragraphs(a *article.Article, n *names) []paragraphView {
	var places []Range
	type named struct {
		entity *article.Entity
		text   string
	}
	mentions := map[Range]named{}
	for i := range a.Entities {
		for _, m := range a.Entities[i].Mentions {
			if r := (Range{m.Start, m.End}); m.Field == "body" {
				places = append(places, r)
				mentions[r] = named{&a.Entities[i], m.Text}
			}
		}
	}
	places = tidy(places, utf8.RuneCountInString(a.Body))
	at := make([]int, 0, 2*len(places))
	for _, r := range places {
		at = append(at, r.Start, r.End)
	}
	at = byteOffsets(a.Body, at)
	b := paragraphBuilder{lang: a.Language}
	last := 0
	for i, r := range places {
		begin, end, m := at[2*i], at[2*i+1], mentions[r]
		if a.Body[begin:end] != m.text { // the offsets are not this text's
			continue
		}
		b.text(a.Body[last:begin])
		b.mention(m.text, links{}.toggle("entity", m.entity.ID), n.of(search.FacetEntity, m.entity.ID))
		last = end
	}
	b.text(a.Body[last:])
	b.end()
	return b.out
}
