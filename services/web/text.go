package web

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// directionSample is how many letters decide on a text's direction.
const directionSample = 400

// direction gives the dir attribute of a text: by the script of most of its
// letters, as a headline may begin with a foreign name; without letters by the
// language.
func direction(lang, s string) string {
	left, right := 0, 0
	for _, r := range s {
		if left+right >= directionSample {
			break
		}
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			left++
		case bidi.R, bidi.AL:
			right++
		}
	}
	switch {
	case right > left:
		return "rtl"
	case left > right:
		return "ltr"
	}
	return languageDirection(lang)
}

// languageDirection gives the dir attribute of a language's texts.
func languageDirection(lang string) string {
	base, rest, _ := strings.Cut(strings.ToLower(lang), "-")
	switch base {
	case "ar", "fa", "he", "ur", "ckb", "ps", "ug", "sd", "yi", "dv", "arc", "syr":
		if strings.HasPrefix(rest, "latn") {
			return "ltr"
		}
		return "rtl"
	case "", "und", "mul", "zxx":
		return "auto"
	}
	if strings.HasPrefix(rest, "arab") || strings.HasPrefix(rest, "hebr") {
		return "rtl"
	}
	return "ltr"
}

// shown makes a text harmless to look at: characters that turn the direction
// of what stands behind them, and controls, are left out.
func shown(s string) string {
	if strings.IndexFunc(s, isTrick) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isTrick(r) {
			return -1
		}
		return r
	}, s)
}

func isTrick(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || // bidi embeddings, overrides, isolates
		r == 0xFEFF || unicode.IsControl(r) && r != '\n' && r != '\t'
}

// webAddress gives u if it is an address of the web that may be linked, else
// "".
func webAddress(u string) string {
	p, err := url.Parse(strings.TrimSpace(u))
	if err != nil || p.Host == "" || p.User != nil || p.Scheme != "http" && p.Scheme != "https" {
		return ""
	}
	return p.String()
}

// byteOffsets gives the byte offset in s of each code point position; those
// behind the end are at the end. positions are sorted.
func byteOffsets(s string, positions []int) []int {
	out := make([]int, 0, len(positions))
	n := 0
	for i := range s {
		for len(out) < len(positions) && positions[len(out)] <= n {
			out = append(out, i)
		}
		if len(out) == len(positions) {
			return out
		}
		n++
	}
	for len(out) < len(positions) {
		out = append(out, len(s))
	}
	return out
}

// Part is a piece of plain text.
type Part struct {
	Text string `json:"text"`
	Mark bool   `json:"mark,omitempty"` // it is what the query found
}

// Bounds on snippets, in code points but for the number.
const (
	maxSnippets   = 3   // of a body
	snippetBefore = 60  // shown before what was found
	snippetAfter  = 120 // and behind it
	leadLength    = 220 // of a body in which nothing was found
	maxTitleShown = 400
)

// window is a part of a text to show, in code points.
type window struct {
	Range
	marks []Range
}

// snippets cuts s around marks, which are sorted and do not overlap. Without
// marks the beginning is shown.
func snippets(s string, marks []Range) [][]Part {
	windows := windowsOf(marks)
	if len(windows) == 0 {
		windows = []window{{Range: Range{0, leadLength}}}
	}
	var at []int
	for _, w := range windows {
		at = append(at, w.Start)
		for _, m := range w.marks {
			at = append(at, m.Start, m.End)
		}
		at = append(at, w.End)
	}
	var out [][]Part
	offsets := byteOffsets(s, at)
	for _, w := range windows {
		n := 2*len(w.marks) + 2
		if parts := cut(s, offsets[:n]); len(parts) > 0 {
			out = append(out, parts)
		}
		offsets = offsets[n:]
	}
	return out
}

// windowsOf puts marks into windows, those near one another into the same.
func windowsOf(marks []Range) []window {
	var out []window
	for _, m := range marks {
		if n := len(out); n > 0 && m.Start-snippetBefore <= out[n-1].End {
			if m.End-out[n-1].Start < 3*snippetAfter {
				out[n-1].marks = append(out[n-1].marks, m)
				out[n-1].End = max(out[n-1].End, min(m.End+snippetAfter, out[n-1].Start+3*snippetAfter))
			}
			continue
		}
		if len(out) == maxSnippets {
			break
		}
		out = append(out, window{Range: Range{max(0, m.Start-snippetBefore), m.End + snippetAfter}, marks: []Range{m}})
	}
	for i := 1; i < len(out); i++ {
		out[i-1].End = min(out[i-1].End, out[i].Start)
	}
	return out
}

// cut gives the parts of s between the byte offsets: begin, begin and end of
// each mark, end. Words cut at either side are left out, with an ellipsis.
func cut(s string, at []int) []Part {
	begin, end, marks := at[0], at[len(at)-1], at[1:len(at)-1]
	left, right := end, begin // what must be shown begins and ends here
	if len(marks) > 0 {
		left, right = marks[0], marks[len(marks)-1]
	}
	before, after := "", ""
	if begin > 0 {
		before = "…"
		if i := strings.IndexFunc(s[begin:left], unicode.IsSpace); i >= 0 {
			begin += i
		}
	}
	if end < len(s) {
		after = " …"
		if i := strings.LastIndexFunc(s[right:end], unicode.IsSpace); i > 0 {
			end = right + i
		}
	}
	if len(marks) == 0 {
		return appendPart(nil, before+strings.TrimSpace(s[begin:end])+after, false)
	}
	parts := appendPart(nil, before+strings.TrimLeftFunc(s[begin:left], unicode.IsSpace), false)
	for i := 0; i < len(marks); i += 2 {
		parts = appendPart(parts, s[marks[i]:marks[i+1]], true)
		if i+2 < len(marks) {
			parts = appendPart(parts, s[marks[i+1]:marks[i+2]], false)
		}
	}
	return appendPart(parts, strings.TrimRightFunc(s[right:end], unicode.IsSpace)+after, false)
}

// appendPart adds text on one line.
func appendPart(parts []Part, text string, mark bool) []Part {
	if text == "" {
		return parts
	}
	return append(parts, Part{Text: strings.Map(oneLine, text), Mark: mark})
}

func oneLine(r rune) rune {
	if unicode.IsSpace(r) {
		return ' '
	}
	return r
}

// marked splits s at marks, which are sorted and do not overlap, showing at
// most limit code points.
func marked(s string, marks []Range, limit int) []Part {
	at := []int{0}
	for _, m := range marks {
		if m.End > limit {
			break
		}
		at = append(at, m.Start, m.End)
	}
	return cut(s, byteOffsets(s, append(at, limit)))
}

// tidy sorts ranges and leaves out those that overlap earlier ones, are empty
// or lie outside of n code points.
func tidy(rs []Range, n int) []Range {
	slices.SortFunc(rs, func(a, b Range) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	out := rs[:0]
	for _, r := range rs {
		if r.Start >= 0 && r.Start < r.End && r.End <= n && (len(out) == 0 || r.Start >= out[len(out)-1].End) {
			out = append(out, r)
		}
	}
	return out
}

// clip shortens s to at most n code points.
func clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return s[:byteOffsets(s, []int{n})[0]] + "…"
}
