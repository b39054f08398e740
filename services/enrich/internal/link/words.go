package link

import (
	"strings"

	"github.com/marsad-news/marsad/pkg/text"
)

// cue says whether the words before token i announce a place, or the name
// over n tokens opens a dateline.
func (f *field) cue(i, n int) bool {
	if i == 0 {
		return f.name == "body" && dateline(f.text[f.tokens[n-1].ByteEnd:])
	}
	before := f.tokens[i-1]
	if gap := f.text[before.ByteEnd:f.tokens[i].ByteStart]; !adjacent(gap) && gap != " l'" && gap != " l’" {
		return strings.Contains(gap, "\n") && dateline(f.text[f.tokens[i+n-1].ByteEnd:])
	}
	if before.Script == text.Arabic {
		return behind(before.Form, arabicCue)
	}
	if before.Form == "de" {
		return i > 1 && !f.tokens[i-2].Upper
	}
	return latinCue(before.Form)
}

// dateline says whether rest begins as what follows the place of a dateline.
func dateline(rest string) bool {
	rest = strings.TrimLeft(rest, " \u00a0")
	for _, sign := range []string{"-", "–", "—", "(", ":", "/"} {
		if strings.HasPrefix(rest, sign) {
			return true
		}
	}
	if rest, ok := strings.CutPrefix(rest, ", "); ok {
		return rest != "" && rest[0] >= '0' && rest[0] <= '9'
	}
	return false
}

func latinCue(form string) bool {
	switch form {
	case "in", "at", "near", "from", "to", "city", "town", "province", "around", "outside", "towards", "toward", "via", "capital",
		"across", "into", "northern", "southern", "eastern", "western", "central", "downtown", "and",
		"a", "au", "aux", "en", "vers", "depuis", "dans", "ville", "region", "capitale", "pres", "nord", "sud", "est", "ouest", "et":
		return form != "and" && form != "et"
	}
	return false
}

func arabicCue(form string) bool {
	switch form {
	case "في", "الي", "من", "مدينه", "محافظه", "ولايه", "اقليم", "بلده", "قريه", "قرب", "شمال", "جنوب", "شرق", "غرب", "وسط",
		"شمالي", "جنوبي", "شرقي", "غربي", "ضواحي", "مطار", "ميناء", "نحو", "عاصمه", "العاصمه", "دوله", "جمهوريه", "منطقه", "ريف", "سلطنه", "مملكه":
		return true
	}
	return false
}

// behind says whether is holds for form or for a reading behind particles.
func behind(form string, is func(string) bool) bool {
	var cores [8]text.Core
	for _, c := range text.AppendCores(cores[:0], form) {
		if is(c.Form) {
			return true
		}
	}
	return false
}

// arabicHeads are the words that make one name with the place after them.
func arabicHeads(form string) bool {
	switch form {
	case "جامعه", "صلاه", "اذان", "نادي", "صحيفه", "جريده", "بورصه", "كاس", "ابطال":
		return true
	}
	return false
}

// tails are capitalised words that make one name with the place before them.
func tails(form string) bool {
	switch form {
	case "times", "post", "herald", "tribune", "journal", "gazette", "chronicle", "observer", "telegraph", "today", "daily", "united",
		"fc", "sc", "cf", "ac", "university", "universite", "college", "institute", "school", "hospital", "stock", "exchange", "bank",
		"agreement", "accord", "accords", "protocol", "convention", "treaty", "airways", "airlines", "street", "road", "avenue",
		"rovers", "wanderers", "athletic", "albion", "hotspur", "saint", "match", "club", "symphony", "orchestra", "marathon", "festival",
		"motors", "records", "press", "news", "tv", "championship", "cup", "open", "masters", "county", "square", "stadium", "airport",
		"yankees", "knicks", "mets", "giants", "jets", "lakers", "bulls", "cubs", "bears", "patriots", "cowboys", "dodgers", "lions":
		return true
	}
	return false
}

// heads are capitalised words that make one name with "of" or "de" and the
// place after it.
func heads(form string) bool {
	switch form {
	case "bank", "university", "banque", "universite", "church", "archbishop", "bishop", "duke", "prince", "earl", "treaty", "battle",
		"college", "institute", "stade", "tour", "club", "olympique", "racing", "coupe", "copa":
		return true
	}
	return false
}

// harmless are words that are capitalised beside names without being part of
// them: directions, titles, days and months, what begins a sentence.
func harmless(form string) bool {
	switch form {
	case "in", "at", "from", "to", "the", "of", "and", "near", "for", "with", "on", "by", "as", "when", "while", "after", "before", "since",
		"if", "but", "both", "between", "across", "outside", "around", "inside", "why", "how", "where", "will", "is", "has", "can", "does",
		"le", "la", "les", "a", "au", "aux", "en", "de", "du", "des", "dans", "et", "vers", "depuis", "pour", "par", "avec", "selon", "entre",
		"si", "mais", "quand", "apres", "avant", "chez", "sur", "sous",
		"north", "south", "east", "west", "northern", "southern", "eastern", "western", "central", "greater", "downtown",
		"nord", "sud", "est", "ouest", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
		"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
		"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "president", "king", "minister", "premier", "reuters", "afp", "ap":
		return true
	}
	return false
}
