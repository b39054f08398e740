package query

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/text"
)

// Doc is an article made ready to be matched with many queries: its words are
// told apart once. A Doc refers to the article, which must not change
// meanwhile. It is for one goroutine at a time, matching included.
type Doc struct {
	article *article.Article
	tokens  []text.Token // the title's, then the body's
	title   int          // how many are the title's
	leads   span         // tokens of the lead, once known
	led     bool         // leads is known

	// The index: which words can be read as a form.
	ids      map[string]int32 // form → its number
	forms    []string         // number → form
	sorted   []int32          // numbers in the order of their forms, once known
	readings []reading        // by token
	first    []int32          // token → its first reading; one more for the end
	posts    []int32          // readings by form, then by token
	post     []int32          // number → its first of posts; one more for the end

	cores  []text.Core // scratch of Reset
	phrase []int32     // scratch of Match: numbers of a phrase's forms
}

// span is a range of tokens, to exclusive.
type span struct{ from, to int }

// reading is a form that a token matches.
type reading struct {
	form, token int32
	skip        uint16 // letters before the form in the token's
	restored    bool   // لل was read as ل and ال
}

// Beyond these sizes of an index Reset does not keep its memory: clearing it
// would slow down all articles after a huge one.
const (
	keptForms  = 1 << 15
	keptTokens = 1 << 17
)

// NewDoc prepares a for matching. A nil article is an empty one.
func NewDoc(a *article.Article) *Doc {
	d := &Doc{}
	d.Reset(a)
	return d
}

// Reset prepares a for matching in place of the article before, reusing
// memory.
func (d *Doc) Reset(a *article.Article) {
	if a == nil {
		a = &article.Article{}
	}
	if len(d.forms) > keptForms || len(d.tokens) > keptTokens {
		*d = Doc{}
	}
	d.article, d.leads, d.led, d.sorted = a, span{}, false, d.sorted[:0]
	d.tokens = text.AppendTokens(d.tokens[:0], a.Title)
	d.title = len(d.tokens)
	d.tokens = text.AppendTokens(d.tokens, a.Body)
	d.read()
	d.sort()
}

// read lists the readings of all tokens.
func (d *Doc) read() {
	if d.ids == nil {
		d.ids = make(map[string]int32, len(d.tokens)/2)
	}
	clear(d.ids)
	clear(d.forms) // lets go of the text before
	d.forms, d.readings, d.first = d.forms[:0], d.readings[:0], d.first[:0]
	for i, t := range d.tokens {
		d.first = append(d.first, int32(len(d.readings)))
		if t.Script != text.Arabic {
			d.readings = append(d.readings, reading{form: d.number(t.Form), token: int32(i)})
			continue
		}
		d.cores = text.AppendCores(d.cores[:0], t.Form)
		for _, c := range d.cores {
			d.readings = append(d.readings, reading{
				form: d.number(c.Form), token: int32(i), skip: uint16(c.Skip),
				restored: !strings.HasSuffix(t.Form, c.Form),
			})
		}
	}
	d.first = append(d.first, int32(len(d.readings)))
}

// number gives the number of a form, a new one the first time.
func (d *Doc) number(form string) int32 {
	id, ok := d.ids[form]
	if !ok {
		id = int32(len(d.forms))
		d.ids[form] = id
		d.forms = append(d.forms, form)
	}
	return id
}

// sort lists the readings by form, by counting.
func (d *Doc) sort() {
	d.post = slices.Grow(d.post[:0], len(d.forms)+1)[:len(d.forms)+1]
	clear(d.post)
	for _, r := range d.readings {
		d.post[r.form]++
	}
	sum := int32(0)
	for i, n := range d.post { // the end of each form, for now
		sum += n
		d.post[i] = sum
	}
	d.posts = slices.Grow(d.posts[:0], len(d.readings))[:len(d.readings)]
	for i := len(d.readings) - 1; i >= 0; i-- {
		form := d.readings[i].form
		d.post[form]--
		d.posts[d.post[form]] = int32(i)
	}
}

// of gives the readings as that form, in the order of the text.
func (d *Doc) of(id int32) []int32 { return d.posts[d.post[id]:d.post[id+1]] }

// within gives the first of the readings that is of a token in s, and how many
// readings were before it; ok is false if there is none.
func (d *Doc) within(posts []int32, s span) (i int, ok bool) {
	i, _ = slices.BinarySearchFunc(posts, s.from, func(r int32, from int) int {
		return int(d.readings[r].token) - from
	})
	return i, i < len(posts) && int(d.readings[posts[i]].token) < s.to
}

// spans gives the tokens of a text field: one range or two, the second empty.
func (d *Doc) spans(f Field) [2]span {
	switch title, body := (span{0, d.title}), (span{d.title, len(d.tokens)}); f {
	case Title:
		return [2]span{title}
	case Body:
		return [2]span{body}
	case Lead:
		return [2]span{d.lead()}
	default:
		return [2]span{title, body}
	}
}

// lead gives the tokens of the lead.
func (d *Doc) lead() span {
	if !d.led {
		start, end := LeadOf(d.article.Body)
		for i := d.title; i < len(d.tokens) && int(d.tokens[i].ByteStart) < end; i++ {
			if int(d.tokens[i].ByteStart) < start {
				continue
			}
			if d.leads.to == 0 {
				d.leads.from = i
			}
			d.leads.to = i + 1
		}
		d.led = true
	}
	return d.leads
}

// beginning gives the forms that begin with the prefix.
func (d *Doc) beginning(prefix string) []int32 {
	if len(d.sorted) == 0 {
		for id := range d.forms {
			d.sorted = append(d.sorted, int32(id))
		}
		slices.SortFunc(d.sorted, func(a, b int32) int { return strings.Compare(d.forms[a], d.forms[b]) })
	}
	from, _ := slices.BinarySearchFunc(d.sorted, prefix, func(id int32, prefix string) int {
		return strings.Compare(d.forms[id], prefix)
	})
	to := from
	for to < len(d.sorted) && strings.HasPrefix(d.forms[d.sorted[to]], prefix) {
		to++
	}
	return d.sorted[from:to]
}

// restores tells whether a prefix finds words whose article لل hides: as
// text.Expand has it, three letters of it must stand in the word.
func restores(prefix string) bool { return utf8.RuneCountInString(prefix) > 3 }
