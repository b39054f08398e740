package feed

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

var (
	clock   = regexp.MustCompile(`(\d{1,2})\s?[:h]\s?(\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9})\d*)?)?(?:\s*(am|pm|a\.m\.?|p\.m\.?|صباحا|مساء|ص|م)(?:$|[^\pL]))?`)
	compact = regexp.MustCompile(`\dt(\d{2})(\d{2})?(\d{2})?(?:[.,](\d{1,9})\d*)?()`)
	offset  = regexp.MustCompile(`^\s*\(?(?:utc|gmt)?\s?([+-])(\d{1,2}):?(\d{2})?\b\)?`)
	zone    = regexp.MustCompile(`^\s*\(?([a-z]{1,5})\b\)?`)
	word    = regexp.MustCompile(`\pL+|\d+`)
	ordinal = regexp.MustCompile(`^(\d{4})-(\d{3})(?:t|\s|$)`)
)

// parseDate reads a date in whatever way feeds write it, in UTC: RFC 822, RFC
// 3339, ISO 8601, asctime, with names in Arabic, French, English and some
// neighbours, and seconds since 1970. Without a zone it is UTC; of 3/4/2026 the
// day comes first, unless the clock has am or pm. False where it is no date.
func parseDate(s string) (time.Time, bool) {
	const maxDate = 200
	if len(s) > maxDate {
		return time.Time{}, false
	}
	s = strings.ToLower(strings.TrimSpace(strings.Map(plainDigit, s)))
	if t, ok := digitsAlone(s); ok {
		return sensible(t)
	}
	day, rest, ok := cutClock(s)
	if !ok {
		return time.Time{}, false
	}
	if m := ordinal.FindStringSubmatch(s); m != nil {
		if n := number(m[2]); n >= 1 && n <= 366 {
			return sensible(time.Date(number(m[1]), 1, n, 0, 0, 0, 0, time.UTC).Add(day.clock))
		}
	}
	y, m, d, ok := calendar(rest, day.american)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d {
		return time.Time{}, false
	}
	return sensible(t.Add(day.clock))
}

// sensible refuses what stands for no date, such as the year 1.
func sensible(t time.Time) (time.Time, bool) {
	if t.Year() < 1900 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}

// plainDigit makes digits European, hamzas plain, and drops marks of direction.
func plainDigit(c rune) rune {
	switch {
	case c >= '٠' && c <= '٩':
		return c - '٠' + '0'
	case c >= '۰' && c <= '۹':
		return c - '۰' + '0'
	case c == 'أ' || c == 'إ' || c == 'آ':
		return 'ا'
	case c == '\u00a0' || c == '\u202f' || c == '،':
		return ' '
	case c == '−' || c == '–':
		return '-'
	case c == '\u200e' || c == '\u200f' || c == 'ـ' || unicode.Is(unicode.Mn, c):
		return -1
	}
	return c
}

// digitsAlone reads seconds or milliseconds since 1970, a day or a time without
// any mark.
func digitsAlone(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	switch len(s) {
	case 10:
		return time.Unix(n, 0).UTC(), true
	case 13:
		return time.UnixMilli(n).UTC(), true
	case 8, 14:
		t, err := time.Parse("20060102150405"[:len(s)], s)
		return t, err == nil
	}
	return time.Time{}, false
}

// timeOfDay is a clock with its zone taken off.
type timeOfDay struct {
	clock    time.Duration
	american bool // has am or pm
}

// cutClock takes the time of the day and its zone out of s.
func cutClock(s string) (timeOfDay, string, bool) {
	m := clock.FindStringSubmatchIndex(s)
	keep := 0
	if m == nil {
		m, keep = compact.FindStringSubmatchIndex(s), 1
	}
	if m == nil {
		return timeOfDay{}, s, true
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return s[m[2*i]:m[2*i+1]]
	}
	h, minute, sec, half := number(group(1)), number(group(2)), number(group(3)), group(5)
	if h > 24 || minute > 59 || sec > 60 {
		return timeOfDay{}, "", false
	}
	switch half {
	case "":
	case "pm", "p.m.", "p.m", "مساء", "م":
		h = h%12 + 12
	default:
		h %= 12
	}
	end := m[1]
	if half != "" {
		end = m[11]
	}
	before, after := s[:m[0]+keep], s[end:]
	shift, n := zoneOf(after)
	t := timeOfDay{american: strings.HasPrefix(half, "a") || strings.HasPrefix(half, "p")}
	nanos, _ := strconv.Atoi((group(4) + "000000000")[:9])
	t.clock = time.Duration(h)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(sec)*time.Second + time.Duration(nanos) - shift
	return t, before + " " + after[n:], true
}

// zoneOf reads the zone that s begins with, and tells its length.
func zoneOf(s string) (time.Duration, int) {
	if m := offset.FindStringSubmatch(s); m != nil {
		h, minute := number(m[2]), number(m[3])
		if h > 15 || minute > 59 {
			return 0, 0
		}
		d := time.Duration(h)*time.Hour + time.Duration(minute)*time.Minute
		if m[1] == "-" {
			d = -d
		}
		return d, len(m[0])
	}
	if m := zone.FindStringSubmatch(s); m != nil {
		if hours, ok := namedZone(m[1]); ok {
			return time.Duration(hours * float64(time.Hour)), len(m[0])
		}
	}
	return 0, 0
}

// namedZone gives a zone's hours ahead of UTC.
func namedZone(name string) (float64, bool) {
	switch name {
	case "z", "gmt", "utc", "ut", "wet", "uct", "zulu":
		return 0, true
	case "cet", "met", "mez", "bst", "west", "wat":
		return 1, true
	case "cest", "mest", "mesz", "eet", "sast", "cat":
		return 2, true
	case "eest", "msk", "eat", "trt":
		return 3, true
	case "gst":
		return 4, true
	case "pkt":
		return 5, true
	case "ist":
		return 5.5, true
	case "jst", "kst":
		return 9, true
	case "aest":
		return 10, true
	case "aedt":
		return 11, true
	case "hkt", "sgt", "awst":
		return 8, true
	case "nzst":
		return 12, true
	case "nzdt":
		return 13, true
	}
	return americanZone(name)
}

func americanZone(name string) (float64, bool) {
	switch name {
	case "art", "brt", "adt":
		return -3, true
	case "ast", "at", "edt":
		return -4, true
	case "est", "et", "cdt":
		return -5, true
	case "cst", "ct", "mdt":
		return -6, true
	case "mst", "mt", "pdt":
		return -7, true
	case "pst", "pt", "akdt":
		return -8, true
	case "akst":
		return -9, true
	case "hst":
		return -10, true
	}
	return 0, false
}

// calendar reads the date in s, which has no clock any more.
func calendar(s string, american bool) (y, m, d int, ok bool) {
	var numbers []string
	words := word.FindAllString(s, 20)
	for i, w := range words {
		if w[0] >= '0' && w[0] <= '9' {
			numbers = append(numbers, w)
			continue
		}
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		if n := month(w, next); n > 0 {
			m = n // the last: mar. is also a French Tuesday
		}
	}
	if m > 0 {
		return withMonth(numbers, m)
	}
	return inNumbers(numbers, american)
}

func withMonth(numbers []string, m int) (int, int, int, bool) {
	switch {
	case len(numbers) < 2:
		return 0, 0, 0, false
	case len(numbers[0]) == 4 || number(numbers[0]) > 31:
		return year(numbers[0]), m, number(numbers[1]), true
	}
	return year(numbers[1]), m, number(numbers[0]), true
}

func inNumbers(numbers []string, american bool) (y, m, d int, ok bool) {
	if len(numbers) == 0 {
		return 0, 0, 0, false
	}
	n := [3]int{0, 1, 1}
	for i, s := range numbers[:min(len(numbers), 3)] {
		n[i] = number(s)
	}
	switch first := numbers[0]; {
	case len(first) == 8:
		n = [3]int{number(first[:4]), number(first[4:6]), number(first[6:])}
	case len(first) == 4, len(numbers) >= 3 && n[0] > 31:
		n[0] = year(first)
	case len(numbers) < 3:
		return 0, 0, 0, false
	case n[1] > 12 || american && n[0] <= 12:
		n = [3]int{year(numbers[2]), n[0], n[1]}
	default:
		n = [3]int{year(numbers[2]), n[1], n[0]}
	}
	return n[0], n[1], n[2], n[1] >= 1 && n[1] <= 12 && n[2] >= 1
}

// year reads a year; one of two digits is from 1970 to 2069.
func year(s string) int {
	n := number(s)
	switch {
	case len(s) > 2:
		return n
	case n < 70:
		return 2000 + n
	}
	return 1900 + n
}

// number reads at most nine digits, as many as there are.
func number(s string) int {
	n, _ := strconv.Atoi(s[:min(len(s), 9)])
	return n
}

// month reads a month's name, in lower case and without hamza; next is the word
// after it. Zero where it is none.
func month(w, next string) int {
	second := next == "الثاني"
	switch w {
	case "jan", "january", "janvier", "janv", "januar", "enero", "ene", "janeiro", "gennaio", "gen", "يناير", "جانفي", "ينایر":
		return 1
	case "feb", "february", "février", "fevrier", "févr", "fevr", "fév", "fev", "februar", "febrero", "fevereiro", "febbraio", "فبراير", "فيفري", "شباط":
		return 2
	case "mar", "march", "mars", "märz", "mär", "marzo", "março", "مارس", "اذار":
		return 3
	case "apr", "april", "avril", "avr", "abril", "abr", "aprile", "ابريل", "افريل", "نيسان":
		return 4
	case "may", "mai", "mayo", "maio", "maggio", "mag", "مايو", "ماي", "ايار":
		return 5
	case "jun", "june", "juin", "juni", "junio", "junho", "giugno", "giu", "يونيو", "يونيه", "جوان", "حزيران":
		return 6
	case "jul", "july", "juillet", "juil", "juli", "julio", "julho", "luglio", "lug", "يوليو", "يوليه", "يوليوز", "جويلية", "تموز":
		return 7
	case "aug", "august", "août", "aout", "agosto", "ago", "اغسطس", "غشت", "اوت", "اب":
		return 8
	case "sep", "sept", "september", "septembre", "septiembre", "setembro", "settembre", "set", "سبتمبر", "شتنبر", "ايلول":
		return 9
	case "oct", "october", "octobre", "oktober", "okt", "octubre", "outubro", "out", "ottobre", "ott", "اكتوبر":
		return 10
	case "nov", "november", "novembre", "noviembre", "novembro", "نوفمبر", "نونبر":
		return 11
	case "dec", "december", "décembre", "decembre", "déc", "dezember", "dez", "diciembre", "dic", "dezembro", "dicembre", "ديسمبر", "دجنبر":
		return 12
	case "تشرين":
		return map[bool]int{false: 10, true: 11}[second]
	case "كانون":
		return map[bool]int{false: 12, true: 1}[second]
	}
	return 0
}
