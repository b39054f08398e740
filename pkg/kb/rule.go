package kb

import (
	"strings"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/text"
)

// The sizes from which a city is meant when its bare name is written.
const (
	freeLatin  = 300_000
	freeHome   = 100_000 // of countries whose cities news in our languages names most
	freeArabic = 500_000
)

// cityRule is the rule for Latin names of a city that nobody has looked at.
func cityRule(e *Entry) Rule {
	limit := freeLatin
	if e.Kind == Capital || home(e.Country) {
		limit = freeHome
	}
	if e.Population >= limit {
		return Free
	}
	return Context
}

func home(country string) bool {
	switch country {
	case "FR", "MA", "DZ", "TN", "LY", "EG", "SD", "MR", "LB", "SY", "JO", "IQ", "PS", "SA", "AE", "QA", "KW", "BH", "OM", "YE":
		return true
	}
	return false
}

// arabicRule is the same for an Arabic name; other is its name in a second
// source. Arabic has no capitals, so that a name which is a word with an
// article, or which one source alone has, needs a cue.
func arabicRule(e *Entry, name, other string) Rule {
	folded := text.Join(name)
	single := !strings.Contains(folded, " ")
	switch {
	case e.Kind == Capital && folded != text.Join(other) && long(name) && !strings.HasPrefix(folded, "ال"):
		return Context
	case folded != text.Join(other), single && strings.HasPrefix(folded, "ال"), !long(name):
		return Cue
	case e.Kind == Capital || e.Population >= freeArabic:
		return Free
	}
	return Context
}

// long says that an Arabic name has at least five letters.
func long(name string) bool { return utf8.RuneCountInString(text.Join(name)) >= 5 }

// initials says that a name consists of single letters, or has no words.
func initials(name string) bool {
	for w := range strings.FieldsSeq(text.Join(name)) {
		if utf8.RuneCountInString(w) > 1 {
			return false
		}
	}
	return true
}

// exonym says whether to believe the French name that a source gives for a
// city. It has machine translations ("Praia" → "Plage"), so that the name
// must begin as the English one and the city be large.
func exonym(e *Entry, name string) bool {
	en, fr := text.Join(e.labels[english]), text.Join(name)
	return e.Population >= freeLatin && len(en) >= 2 && len(fr) >= 4 && en[:2] == fr[:2]
}

// demonym enters nationality adjectives: English and French ones from the
// table, Arabic ones formed from the name of the country.
func (l *loader) demonym(f []string) error {
	for _, list := range f[1:] {
		for _, word := range strings.Split(list, "|") {
			if word = text.Join(word); word != "" && !strings.Contains(word, " ") {
				for _, ending := range []string{"", "s", "e", "es"} {
					l.speak(word+ending, f[0])
				}
			}
		}
	}
	if e := l.keys[f[0]]; e != nil {
		for _, word := range arabicDemonyms(text.Join(e.labels[arabic])) {
			l.speak(word, f[0])
		}
	}
	return nil
}

// speak lets a word stand for a country, the largest that claims it.
func (l *loader) speak(word, country string) {
	held, e := l.keys[l.demonyms[word]], l.keys[country]
	if held == nil || e != nil && e.Population > held.Population {
		l.demonyms[word] = country
	}
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
