package app

import (
	"strings"

	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/medtop"
)

// labels names entities and topics for people.
type labels struct {
	base   *kb.Base
	topics *medtop.Vocabulary
}

func newLabels(base *kb.Base) (*labels, error) {
	topics, err := medtop.Load()
	if err != nil {
		return nil, err
	}
	return &labels{base: base, topics: topics}, nil
}

// Label is the name of an entity or topic in a language, or "".
func (l *labels) Label(id, lang string) string {
	if strings.HasPrefix(id, "medtop:") {
		return l.topics.Label(id, lang)
	}
	return l.base.Label(id, lang)
}
