package article

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // the charsets of mail
	"github.com/emersion/go-message/mail"
)

// Bounds on a mail message, beside MaxItem for the whole.
const (
	maxMailDepth  = 10
	maxMailParts  = 200
	maxMailHeader = 256 << 10 // bytes
)

// decodeMail reads one message (RFC 5322, MIME): Subject is the title, the
// first text that is no attachment the body, plain text before HTML.
func decodeMail(b []byte) (Raw, error) {
	e, err := message.ReadWithOptions(bytes.NewReader(b), &message.ReadOptions{MaxHeaderBytes: maxMailHeader})
	if err != nil && e == nil {
		return Raw{}, invalid("", "not a mail message: %.200s", err)
	}
	w := mailText{left: maxMailParts}
	if err := w.part(e, err, 0); err != nil {
		return Raw{}, err
	}
	h := mail.Header{Header: e.Header}
	r := Raw{Schema: SchemaVersion, Body: firstOf(w.plain, textOfHTML(w.html)), Language: language(&h), Byline: strings.ToValidUTF8(byline(&h), "\uFFFD")}
	if r.Title, err = h.Subject(); err != nil {
		return Raw{}, invalid("subject", "%.200s", err)
	}
	if !utf8.ValidString(r.Title) {
		return Raw{}, invalid("subject", "is not UTF-8: write other charsets as RFC 2047 says")
	}
	r.Title = strings.Join(strings.Fields(r.Title), " ")
	r.GUID = strings.ToValidUTF8(strings.Trim(strings.TrimSpace(h.Get("Message-Id")), "<>"), "\uFFFD")
	if r.Published, err = mailDate(&h); err != nil {
		return Raw{}, err
	}
	if r.Title == "" && r.Body == "" {
		return Raw{}, invalid("subject", "and text are both empty: give at least one")
	}
	return r, nil
}

func mailDate(h *mail.Header) (time.Time, error) {
	s := strings.TrimSpace(h.Get("Date"))
	if s == "" {
		return time.Time{}, nil
	}
	t, err := h.Date()
	if err != nil {
		return time.Time{}, invalid("date", "%.60q is no date of mail, such as Sat, 24 Oct 2026 09:00:00 +0000", s)
	}
	return t.UTC(), nil
}

// byline is the name in From, else the address.
func byline(h *mail.Header) string {
	from, err := h.AddressList("From")
	if err != nil || len(from) == 0 {
		s, _ := h.Text("From") // undecoded where the charset is not known
		return oneLine(s)
	}
	var names []string
	for _, a := range from {
		names = append(names, firstOf(a.Name, a.Address))
	}
	return strings.Join(names, ", ")
}

// language is the first of Content-Language.
func language(h *mail.Header) string {
	s, _, _ := strings.Cut(h.Get("Content-Language"), ",")
	return strings.ToValidUTF8(strings.TrimSpace(s), "")
}

// mailText gathers the first plain text and the first HTML of a message.
type mailText struct {
	plain, html string
	left        int // parts that may still be read
}

// part looks into e, which was read with err.
func (w *mailText) part(e *message.Entity, err error, depth int) error {
	if w.left--; w.left < 0 || depth > maxMailDepth {
		return invalid("", "message has more than %d parts, or is nested deeper than %d", maxMailParts, maxMailDepth)
	}
	if parts := e.MultipartReader(); parts != nil {
		return w.parts(parts, depth)
	}
	kind, params, _ := e.Header.ContentType() // text/plain where there is none
	kind, _, _ = strings.Cut(kind, ";")       // of one that is not well formed
	disposition, _, _ := e.Header.ContentDisposition()
	into := map[string]*string{"text/plain": &w.plain, "text/html": &w.html, "application/xhtml+xml": &w.html}[strings.ToLower(kind)]
	if into == nil || *into != "" || strings.EqualFold(disposition, "attachment") {
		return nil
	}
	if err != nil { // of a part that is wanted
		return invalid("body", "%.200s", err)
	}
	text, err := io.ReadAll(io.LimitReader(e.Body, MaxItem+1))
	switch i := firstInvalidUTF8(text); {
	case err != nil:
		return invalid("body", "is not readable: %.200s", err)
	case len(text) > MaxItem:
		return invalid("body", "is over %d bytes", MaxItem)
	case i >= 0:
		return invalid("body", "not UTF-8: byte 0x%02x at offset %d; name the charset in the part's Content-Type", text[i], i)
	}
	*into = strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
	if into == &w.plain && strings.EqualFold(params["format"], "flowed") {
		*into = unflow(*into, strings.EqualFold(params["delsp"], "yes"))
	}
	return nil
}

func (w *mailText) parts(r message.MultipartReader, depth int) error {
	for {
		e, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && e == nil {
			if w.plain != "" || w.html != "" {
				return nil // the end is cut off, as list servers do; the text is there
			}
			return invalid("body", "parts are not readable: %.200s", err)
		}
		if err := w.part(e, err, depth+1); err != nil {
			return err
		}
	}
}

// unflow joins the lines that format=flowed (RFC 3676) broke with a space at
// their end.
func unflow(s string, delSpace bool) string {
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimPrefix(line, " ") // space-stuffing
		soft := strings.HasSuffix(line, " ") && line != "-- "
		if soft && delSpace {
			line = line[:len(line)-1]
		}
		b.WriteString(line)
		if !soft {
			b.WriteByte('\n')
		}
	}
	return strings.TrimSpace(b.String())
}

// isMail tells whether head begins with the header of a mail message: lines of
// fields alone up to the first blank one, From and another usual field among
// them.
func isMail(head []byte) bool {
	from, other := false, false
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok || bytes.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7F }) {
			return false
		}
		switch strings.ToLower(string(name)) {
		case "from":
			from = true
		case "date", "message-id", "mime-version", "received":
			other = true
		}
	}
	return from && other
}
