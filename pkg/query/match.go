package query

import (
	"slices"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
)

// Match tells whether the article is one that the query asks for. Its time
// grows with the query; for phrases and prefixes also with the number of
// places in the article where they might be.
func (q *Query) Match(d *Doc) bool { return d.holds(q.root) }

func (d *Doc) holds(n Node) bool {
	switch n := n.(type) {
	case And:
		for _, child := range n.Of {
			if !d.holds(child) {
				return false
			}
		}
		return true
	case Or:
		for _, child := range n.Of {
			if d.holds(child) {
				return true
			}
		}
		return false
	case Not:
		return !d.holds(n.Of)
	case Term, Phrase:
		return d.leaf(n, nil)
	case Keyword:
		return d.keyword(n)
	case All:
		return true
	}
	return false
}

// leaf tells whether a term or phrase holds. Given marks it and what it calls
// go on to mark all matches.
func (d *Doc) leaf(n Node, m marks) bool {
	switch n := n.(type) {
	case Term:
		if n.Prefix {
			return d.prefix(n, m)
		}
		id, ok := d.ids[n.Form]
		return ok && d.postings(d.of(id), n.Field, true, m)
	case Phrase:
		return d.phraseIn(n, m)
	}
	return false
}

func (d *Doc) prefix(n Term, m marks) bool {
	restored, any := restores(n.Form), false
	for _, id := range d.beginning(n.Form) {
		if d.postings(d.of(id), n.Field, restored, m) {
			if m == nil {
				return true
			}
			any = true
		}
	}
	return any
}

// postings looks for readings in the field.
func (d *Doc) postings(posts []int32, f Field, restored bool, m marks) bool {
	any := false
	for _, s := range d.spans(f) {
		i, ok := d.within(posts, s)
		for ; ok && i < len(posts); i++ {
			r := d.readings[posts[i]]
			if int(r.token) >= s.to {
				break
			}
			if r.restored && !restored {
				continue
			}
			if m == nil {
				return true
			}
			any = true
			d.mark(m, posts[i], r.token)
		}
	}
	return any
}

// phraseIn looks around each place of the phrase's rarest word.
func (d *Doc) phraseIn(n Phrase, m marks) bool {
	rarest := 0
	d.phrase = d.phrase[:0]
	for i, form := range n.Forms {
		id, ok := d.ids[form]
		if !ok {
			return false
		}
		d.phrase = append(d.phrase, id)
		if len(d.of(id)) < len(d.of(d.phrase[rarest])) {
			rarest = i
		}
	}
	posts, any := d.of(d.phrase[rarest]), false
	for _, s := range d.spans(n.Field) {
		i, ok := d.within(posts, s)
		for ; ok && i < len(posts); i++ {
			first := int(d.readings[posts[i]].token) - rarest
			if first+rarest >= s.to {
				break
			}
			if first < s.from || first+len(d.phrase) > s.to || !d.phraseAt(first) {
				continue
			}
			if m == nil {
				return true
			}
			any = true
			d.mark(m, d.reads(first, d.phrase[0]), int32(first+len(d.phrase)-1))
		}
	}
	return any
}

// phraseAt tells whether the words of d.phrase stand from that token on.
func (d *Doc) phraseAt(token int) bool {
	for i, id := range d.phrase {
		if d.reads(token+i, id) < 0 {
			return false
		}
	}
	return true
}

// reads gives the reading of the token as that form, or -1.
func (d *Doc) reads(token int, form int32) int32 {
	for r := d.first[token]; r < d.first[token+1]; r++ {
		if d.readings[r].form == form {
			return r
		}
	}
	return -1
}

func (d *Doc) keyword(n Keyword) bool {
	a := d.article
	switch n.Field {
	case Lang:
		return isWithin(a.Language, n.Value)
	case Source:
		return a.Source.ID == n.Value
	case SourceCountry:
		return a.Source.Country == n.Value
	case Country:
		return slices.ContainsFunc(a.Entities, func(e article.Entity) bool { return e.Country == n.Value })
	case Entity:
		return slices.ContainsFunc(a.Entities, func(e article.Entity) bool { return e.ID == n.Value })
	case Topic:
		return slices.ContainsFunc(a.Topics, func(t article.Topic) bool {
			return t.ID == n.Value || slices.Contains(t.Broader, n.Value)
		})
	}
	return false
}

// isWithin tells whether the language tag is the wider one or begins with its
// subtags.
func isWithin(tag, wider string) bool {
	n := len(wider)
	return len(tag) >= n && strings.EqualFold(tag[:n], wider) && (len(tag) == n || tag[n] == '-')
}
