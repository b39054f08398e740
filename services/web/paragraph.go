package web

import "strings"

// paragraphBuilder gathers the pieces of a body into paragraphs.
type paragraphBuilder struct {
	lang string
	out  []paragraphView
	now  []mentionView
}

// text adds plain text; line breaks end a paragraph.
func (b *paragraphBuilder) text(s string) {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.end()
		}
		if line != "" {
			b.now = append(b.now, mentionView{Text: shown(line)})
		}
	}
}

// mention adds what names an entity.
func (b *paragraphBuilder) mention(s, address, label string) {
	if strings.Contains(s, "\n") {
		b.text(s)
		return
	}
	b.now = append(b.now, mentionView{Text: shown(s), URL: address, Label: shown(label)})
}

// end ends the paragraph; blank ones are left out.
func (b *paragraphBuilder) end() {
	var s strings.Builder
	for _, p := range b.now {
		s.WriteString(p.Text)
	}
	if strings.TrimSpace(s.String()) != "" {
		b.out = append(b.out, paragraphView{Dir: direction(b.lang, s.String()), Parts: b.now})
	}
	b.now = nil
}
