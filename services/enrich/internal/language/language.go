// Package language is the stage that says which language an article is in.
package language

import (
	"context"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/text"
	tag "golang.org/x/text/language"
)

// Undetermined is the language of articles whose language cannot be told.
const Undetermined = "und"

// minConfidence is how sure detection must be; short titles give little.
const minConfidence = 0.2

// maxSample bounds the bytes of the body that are looked at.
const maxSample = 4 << 10

// Identifier is the stage. It is safe for concurrent use.
type Identifier struct{ detector *text.Detector }

// New makes an Identifier.
func New() *Identifier { return &Identifier{detector: text.NewDetector()} }

// Name is the name of the stage.
func (*Identifier) Name() string { return "language" }

// Apply sets the language of a: a valid one that was given stays, in its
// canonical form, otherwise it is detected from title and body.
func (d *Identifier) Apply(_ context.Context, a *article.Article) error {
	if given, ok := canonical(a.Language); ok {
		a.Language = given
		return nil
	}
	sample := a.Body
	if len(sample) > maxSample {
		sample = sample[:maxSample]
	}
	lang, confidence := d.detector.Detect(a.Title + "\n" + sample)
	if lang == "" || confidence < minConfidence {
		lang = Undetermined
	}
	a.Language = lang
	return nil
}

// canonical gives the canonical BCP 47 form of a language, false if it is
// none or says nothing. Publishers also write "ar_MA".
func canonical(given string) (string, bool) {
	given = strings.TrimSpace(given)
	if given == "" || len(given) > 64 {
		return "", false
	}
	t, err := tag.Parse(strings.ReplaceAll(given, "_", "-"))
	if err != nil || t.IsRoot() {
		return "", false
	}
	if base, _ := t.Base(); base.String() == Undetermined || base.String() == "mul" || base.String() == "zxx" {
		return "", false
	}
	return t.String(), true
}
