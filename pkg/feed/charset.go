package feed

import (
	"bytes"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// declared finds the encoding in an XML declaration.
var declared = regexp.MustCompile(`^[^>]{0,200}?<\?xml[^>]{0,200}?encoding\s*=\s*["']?\s*([A-Za-z0-9._:-]+)`)

// signature is the encoding that the first bytes tell, nil where they do not: by
// a byte order mark, or by "<" in encodings that do not extend ASCII.
func signature(b []byte) encoding.Encoding {
	for _, s := range []struct {
		head string
		enc  encoding.Encoding
	}{
		{"\xff\xfe\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.ExpectBOM)},
		{"\x00\x00\xfe\xff", utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM)},
		{"<\x00\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
		{"\x00\x00\x00<", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
		{"\xff\xfe", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
		{"\xfe\xff", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
		{"<\x00", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\x00<", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		{"\x4c\x6f\xa7\x94", charmap.CodePage037},
	} {
		if bytes.HasPrefix(b, []byte(s.head)) {
			return s.enc
		}
	}
	return nil
}

// decode gives the document as UTF-8 without control characters. What the first
// bytes say comes first, then contentType, then the XML declaration; a text that
// is no UTF-8 though it should be, or says nothing, is guessed.
func decode(b []byte, contentType string) string {
	return clean(text(b, contentType))
}

func text(b []byte, contentType string) string {
	if enc := signature(b); enc != nil {
		return decodeAs(b, enc)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	enc, label := named(b, contentType)
	switch {
	case strings.HasPrefix(label, "utf-16"), label == "utf-8", enc == nil:
		return guess(b)
	case singleByte(label) && !ascii(b) && utf8.Valid(b):
		return string(b) // what is UTF-8 by chance is no text
	}
	return decodeAs(b, enc)
}

// named is the encoding that is named, nil where there is none or it is not
// known.
func named(b []byte, contentType string) (enc encoding.Encoding, label string) {
	var labels []string
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		labels = append(labels, params["charset"])
	}
	if m := declared.FindSubmatch(b[:min(len(b), 1024)]); m != nil {
		labels = append(labels, string(m[1]))
	}
	for _, s := range labels {
		if strings.EqualFold(strings.TrimSpace(s), "us-ascii") && len(labels) > 1 {
			continue // the default of text/xml once, which nobody meant
		}
		if enc, label := lookup(strings.ToLower(strings.Trim(s, " \"'"))); enc != nil {
			return enc, label
		}
	}
	return nil, ""
}

// codePage finds the number in the names that IBM's and Microsoft's code pages
// go by.
var codePage = regexp.MustCompile(`^(?:cs)?(?:ibm|cp|pc|pcp|pc8codepage|windows)?[-_]?(\d{3,4})`)

// lookup finds an encoding by a label in lower case: those of the web, those of
// IANA, and those that are met beside.
func lookup(label string) (encoding.Encoding, string) {
	if enc, err := htmlindex.Get(label); err == nil {
		name, _ := htmlindex.Name(enc)
		return enc, name
	}
	if enc, err := ianaindex.IANA.Encoding(label); err == nil && enc != nil {
		return enc, label
	}
	switch label {
	case "macroman":
		return charmap.Macintosh, "macintosh"
	case "maccyrillic", "mac-cyrillic":
		return charmap.MacintoshCyrillic, "macintosh"
	case "ms-cyrl":
		return charmap.Windows1251, "windows-1251"
	}
	m := codePage.FindStringSubmatch(label)
	if m == nil {
		return nil, ""
	}
	for _, prefix := range []string{"ibm", "windows-"} {
		if enc, err := ianaindex.IANA.Encoding(prefix + m[1]); err == nil && enc != nil {
			return enc, prefix + m[1]
		}
	}
	return nil, ""
}

func singleByte(label string) bool {
	for _, p := range []string{"iso-8859-", "windows-", "koi8", "macintosh", "ibm"} {
		if strings.HasPrefix(label, p) {
			return true
		}
	}
	return false
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func decodeAs(b []byte, enc encoding.Encoding) string {
	s, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(s)
}

// guess reads text that should be UTF-8 or says nothing: what is not UTF-8 for
// the greater part is windows-1256 or ISO-8859-6 where its bytes above 127 stand
// in words, else windows-1252.
func guess(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	good, bad := 0, 0
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		i += n
	}
	if good >= bad {
		return string(b)
	}
	return decodeAs(b, legacy(b))
}

func legacy(b []byte) encoding.Encoding {
	high, together, win, iso := 0, 0, 0, 0
	for i := 1; i < len(b); i++ {
		c := b[i]
		if c < 0x80 {
			continue
		}
		high++
		if b[i-1] >= 0xC0 {
			together++
		}
		alef := b[i-1] == 0xC7
		switch {
		case alef && c == 0xE1, c >= 0xDB && c <= 0xDF, c == 0xED: // al-, gayn to kaf, ya
			win++
		case alef && c == 0xE4, c == 0xE2, c == 0xEA: // al-, qaf, ya
			iso++
		case c >= 0x80 && c < 0xC0 && c != 0xA0 && c != 0xAC && c != 0xBB && c != 0xBF, c >= 0xF3:
			win++ // ISO-8859-6 has nothing there
		}
	}
	switch {
	case together*2 < high:
		return charmap.Windows1252
	case iso > win:
		return charmap.ISO8859_6
	}
	return charmap.Windows1256
}

// clean makes s valid, drops control characters, and reads those from U+0080 on
// as windows-1252, which they were before a bad conversion.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexFunc(s, func(c rune) bool { return visible(c) != c }) >= 0 {
		s = strings.Map(visible, s)
	}
	return strings.TrimPrefix(s, "\ufeff")
}
