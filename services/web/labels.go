package web

import (
	"strings"

	"github.com/marsad-news/marsad/pkg/kb"
	"github.com/marsad-news/marsad/pkg/medtop"
)

// baseLabels names entities by the knowledge base and topics by IPTC.
type baseLabels struct {
	base   *kb.Base
	topics *medtop.Vocabulary
}

// NewLabels gives the names of the knowledge base's entities and of IPTC's
// Media Topics.
func NewLabels(base *kb.Base, topics *medtop.Vocabulary) Labels {
	return baseLabels{base: base, topics: topics}
}

func (l baseLabels) Label(id, lang string) string {
	if strings.HasPrefix(id, "medtop:") {
		return l.topics.Label(id, lang)
	}
	return l.base.Label(id, lang)
}
