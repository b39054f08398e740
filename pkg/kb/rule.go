package kb

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/text"
)

// The sizes from which a city is meant when its bare name is written.
const (
	freeLatin  = 300_000
	freeArabic = 1_500_000
)

// cityRule is the rule for names of a city that nobody has looked at.
func (l *loader) cityRule(e *Entry) Rule {
	switch {
	case e.Kind == Capital && e.Population > 100_000, e.Population >= freeArabic:
		return Free
	case arab(e.Country) && e.Population >= freeLatin, e.Population >= freeLatin:
		return Free
	}
	return Context
}

func arab(country string) bool {
	return slices.Contains([]string{"AE", "BH", "DJ", "DZ", "EG", "IQ", "JO", "KM", "KW", "LB", "LY", "MA", "EH",
		"MR", "OM", "PS", "QA", "SA", "SD", "SO", "SY", "TN", "YE"}, country)
}

// long says that an Arabic name has at least five letters.
func long(name string) bool { return utf8.RuneCountInString(text.Join(name)) >= 5 }

// exonym is false for French labels that are plain words, as machine
// translation of the source gives them ("Praia" → "Plage").
func (l *loader) exonym(name string) bool {
	return name != "" && !slices.Contains([]string{"Plage", "Mâle", "Centre", "Port", "Paris", "Of"}, name)
}

// demonym enters nationality adjectives: English and French ones from the
// table, Arabic ones formed from the name of the country.
func (l *loader) demonym(f []string) error {
	for _, list := range f[1:] {
		for _, word := range strings.Split(list, "|") {
			if word = text.Join(word); word != "" && !strings.Contains(word, " ") {
				l.demonyms[word] = f[0]
				l.demonyms[word+"s"] = f[0]
				l.demonyms[word+"e"] = f[0]
			}
		}
	}
	if e := l.keys[f[0]]; e != nil {
		for _, word := range arabicDemonyms(text.Join(e.labels[arabic])) {
			if _, taken := l.demonyms[word]; !taken {
				l.demonyms[word] = f[0]
			}
		}
	}
	return nil
}

// arabicDemonyms are the adjectives of a one-word Arabic country name, folded
// and without article: مغربي, مغربيه … from المغرب. Some may not be in use.
func arabicDemonyms(name string) []string {
	stem := strings.TrimPrefix(name, "ال")
	if strings.Contains(stem, " ") || utf8.RuneCountInString(stem) < 3 {
		return nil
	}
	for _, ending := range []string{"يه", "يا", "ا", "ه"} {
		if cut, ok := strings.CutSuffix(stem, ending); ok && utf8.RuneCountInString(cut) >= 3 {
			stem = cut
			break
		}
	}
	return []string{stem + "ي", stem + "يه", stem + "يين", stem + "يون", stem + "يات"}
}
