package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/marsad-news/marsad/pkg/query"
)

// Problem is an error as told to clients, RFC 9457.
type Problem struct {
	Type      string `json:"type"` // urn:marsad:problem: and a name
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`    // what is wrong and what to do
	Parameter string `json:"parameter,omitempty"` // of the request that is at fault
	Position  *Range `json:"position,omitempty"`  // in the query, of a syntax error
	Hint      string `json:"hint,omitempty"`      // what to write instead
	retry     string // Retry-After, seconds; empty for none
}

// Range is a part of a text in Unicode code points, End exclusive.
type Range struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

const problemType = "urn:marsad:problem:"

func badParameter(name, format string, args ...any) *Problem {
	return &Problem{
		Type: problemType + "parameter", Title: "A parameter cannot be used", Status: http.StatusBadRequest,
		Detail: name + ": " + fmt.Sprintf(format, args...), Parameter: name,
	}
}

func badQuery(err error) *Problem {
	p := &Problem{
		Type: problemType + "query", Title: "The query cannot be read", Status: http.StatusBadRequest,
		Detail: err.Error(), Parameter: "q",
	}
	var syntax *query.SyntaxError
	if errors.As(err, &syntax) {
		p.Detail, p.Hint = syntax.Msg, syntax.Hint
		p.Position = &Range{Start: syntax.Pos.Start, End: syntax.Pos.End}
	}
	return p
}

func unavailable(detail string) *Problem {
	return &Problem{
		Type: problemType + "unavailable", Title: "Not available for now", Status: http.StatusServiceUnavailable,
		Detail: detail, retry: "5",
	}
}

func notFound(id string) *Problem {
	return &Problem{
		Type: problemType + "not-found", Title: "No such article", Status: http.StatusNotFound,
		Detail: fmt.Sprintf("no article has the id %.80q", id),
	}
}

func gone(id string) *Problem {
	return &Problem{
		Type: problemType + "gone", Title: "The article was retracted", Status: http.StatusGone,
		Detail: fmt.Sprintf("the publisher has retracted article %.80q", id),
	}
}

// refuse answers with p.
func refuse(w http.ResponseWriter, p *Problem) {
	if p.retry != "" {
		w.Header().Set("Retry-After", p.retry)
	}
	answer(w, p.Status, "application/problem+json", p)
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, contentType string, v any) {
	b, err := encode(v)
	if err != nil {
		http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) //nolint:errcheck // the client may be gone: nothing to be done
}

// encode writes v as one line of JSON, HTML characters as they are.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
