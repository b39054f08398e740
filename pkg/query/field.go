package query

import (
	"strings"
	"unicode"
)

const fieldNames = "title, body, lead, lang, source, source.country, country, entity and topic"

// fieldNamed gives the field of that name, as written before the colon.
func fieldNamed(name string) (Field, bool) {
	switch f := Field(name); f {
	case Title, Body, Lead, Lang, Source, SourceCountry, Country, Entity, Topic:
		return f, true
	}
	return Any, false
}

// normalise gives the value of a keyword field as [Keyword] holds it. Where
// the value cannot be one of the field's, wrong says what the field holds.
func normalise(f Field, value string) (normal, wrong string) {
	switch f {
	case Lang:
		if !isLanguage(value) {
			return "", "lang: takes a BCP 47 language code, such as ar, fr or ar-MA"
		}
		return strings.ToLower(value), ""
	case Country, SourceCountry:
		if len(value) != 2 || !isASCII(value, unicode.IsLetter) {
			return "", string(f) + ": takes a country's ISO 3166-1 code of two letters, such as MA or FR"
		}
		return strings.ToUpper(value), ""
	case Topic:
		if len(value) == 8 && isASCII(value, unicode.IsDigit) {
			return "medtop:" + value, ""
		}
	case Entity:
		if len(value) > 1 && value[0] == 'q' && isASCII(value[1:], unicode.IsDigit) {
			return "Q" + value[1:], ""
		}
	}
	return value, ""
}

// isLanguage checks the shape of a BCP 47 tag: a primary subtag of two or
// three letters, then subtags of one to eight letters and digits.
func isLanguage(tag string) bool {
	primary, rest, more := strings.Cut(tag, "-")
	if len(primary) < 2 || len(primary) > 3 || !isASCII(primary, unicode.IsLetter) {
		return false
	}
	for more {
		var sub string
		sub, rest, more = strings.Cut(rest, "-")
		if len(sub) < 1 || len(sub) > 8 || !isASCII(sub, isAlphanumeric) {
			return false
		}
	}
	return true
}

func isAlphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// isASCII says whether s is not empty and consists of ASCII characters of
// that kind alone.
func isASCII(s string, kind func(rune) bool) bool {
	for _, r := range s {
		if r > unicode.MaxASCII || !kind(r) {
			return false
		}
	}
	return s != ""
}
