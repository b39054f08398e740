package chaos

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// proxy stands between index and Elasticsearch and can be told to misbehave.
type proxy struct {
	target string // URL of Elasticsearch

	mu     sync.Mutex
	fault  fault
	lifted chan struct{} // closed when fault is replaced
	hits   int           // requests that the fault met
}

// fault answers a request in Elasticsearch's place; false passes it on as it
// is. lifted is closed when the fault is over.
type fault func(p *proxy, w http.ResponseWriter, req *http.Request, body []byte, lifted <-chan struct{}) bool

func newProxy(target string) *proxy { return &proxy{target: target, lifted: make(chan struct{})} }

// set puts another fault in place of the one that is; nil is none. It gives
// how many requests the last one met.
func (p *proxy) set(f fault) (met int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.lifted)
	met = p.hits
	p.fault, p.lifted, p.hits = f, make(chan struct{}), 0
	return met
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := plainBody(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	f, lifted := p.fault, p.lifted
	p.mu.Unlock()
	if f != nil && f(p, w, req, body, lifted) {
		p.met()
		return
	}
	status, header, answer, err := p.forward(req, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	reply(w, status, answer)
}

// met counts a request that met the fault.
func (p *proxy) met() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hits++
}

// plainBody reads a request's body, unpacked.
func plainBody(req *http.Request) ([]byte, error) {
	b := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(b)
		if err != nil {
			return nil, err
		}
		b = unzipped
	}
	return io.ReadAll(b)
}

// forward asks Elasticsearch, with another body.
func (p *proxy) forward(req *http.Request, body []byte) (int, http.Header, []byte, error) {
	out, err := http.NewRequestWithContext(req.Context(), req.Method, p.target+req.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	out.Header = req.Header.Clone()
	out.Header.Del("Content-Encoding")
	out.Header.Del("Accept-Encoding") // the transport's own, which it unpacks
	res, err := http.DefaultClient.Do(out)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	header := res.Header.Clone()
	header.Del("Content-Length")
	return res.StatusCode, header, answer, err
}

func reply(w http.ResponseWriter, status int, answer []byte) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the client may be gone
}

func isBulk(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "/_bulk") }

// pair is an action of a bulk request and its document.
type pair struct{ action, document []byte }

func (p pair) index() string {
	var a struct {
		Index struct {
			Name string `json:"_index"`
		} `json:"index"`
	}
	_ = json.Unmarshal(p.action, &a) // an unknown index has no name
	return a.Index.Name
}

func pairs(body []byte) ([]pair, error) {
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	if len(lines)%2 != 0 {
		return nil, errors.New("a bulk request with an odd number of lines")
	}
	var out []pair
	for i := 0; i < len(lines); i += 2 {
		out = append(out, pair{lines[i], lines[i+1]})
	}
	return out, nil
}

func join(ps []pair) []byte {
	var b bytes.Buffer
	for _, p := range ps {
		for _, l := range [][]byte{p.action, p.document} {
			b.Write(l)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// failedItem is an item of a bulk answer.
func failedItem(status int, kind, reason string) json.RawMessage {
	return fmt.Appendf(nil, `{"index":{"status":%d,"error":{"type":%q,"reason":%q}}}`, status, kind, reason)
}

func bulkAnswer(items []json.RawMessage) []byte {
	b, err := json.Marshal(map[string]any{"took": 1, "errors": true, "items": items})
	if err != nil {
		panic(err) // they were JSON before
	}
	return b
}

// blackHole answers nothing until it is lifted, and then cuts the connection.
func blackHole(p *proxy, _ http.ResponseWriter, req *http.Request, _ []byte, lifted <-chan struct{}) bool {
	p.met()
	select {
	case <-req.Context().Done():
	case <-lifted:
	}
	panic(http.ErrAbortHandler)
}

// always answers every bulk request with a status and an error.
func always(status int, kind, reason string) fault {
	return func(_ *proxy, w http.ResponseWriter, req *http.Request, _ []byte, _ <-chan struct{}) bool {
		if !isBulk(req) {
			return false
		}
		reply(w, status, fmt.Appendf(nil, `{"error":{"type":%q,"reason":%q},"status":%d}`, kind, reason, status))
		return true
	}
}

// blocked answers each item of a bulk request as a blocked index does.
func blocked(status int, reason string) fault {
	return func(_ *proxy, w http.ResponseWriter, req *http.Request, body []byte, _ <-chan struct{}) bool {
		if !isBulk(req) {
			return false
		}
		ps, err := pairs(body)
		if err != nil {
			return false
		}
		var items []json.RawMessage
		for _, p := range ps {
			items = append(items, failedItem(status, "cluster_block_exception", fmt.Sprintf("index [%s] blocked by: [%s];", p.index(), reason)))
		}
		reply(w, http.StatusOK, bulkAnswer(items))
		return true
	}
}

// halfRejected passes every second item on and answers 429 for the others, as
// a full write queue does.
func halfRejected(p *proxy, w http.ResponseWriter, req *http.Request, body []byte, _ <-chan struct{}) bool {
	ps, err := pairs(body)
	if !isBulk(req) || err != nil {
		return false
	}
	var passed []pair
	for i := range ps {
		if i%2 == 1 {
			passed = append(passed, ps[i])
		}
	}
	var answer struct{ Items []json.RawMessage }
	if len(passed) > 0 {
		status, _, b, err := p.forward(req, join(passed))
		if err != nil || status != http.StatusOK || json.Unmarshal(b, &answer) != nil || len(answer.Items) != len(passed) {
			reply(w, http.StatusServiceUnavailable, []byte(`{"error":{"type":"unavailable","reason":"half of it failed"}}`))
			return true
		}
	}
	var items []json.RawMessage
	for i := range ps {
		if i%2 == 1 {
			items = append(items, answer.Items[i/2])
			continue
		}
		items = append(items, failedItem(http.StatusTooManyRequests, "es_rejected_execution_exception", "rejected execution of coordinating operation"))
	}
	reply(w, http.StatusOK, bulkAnswer(items))
	return true
}

// tooLarge answers 413 to bodies over a size.
func tooLarge(most int) fault {
	return func(_ *proxy, w http.ResponseWriter, _ *http.Request, body []byte, _ <-chan struct{}) bool {
		if len(body) <= most {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		reply(w, http.StatusRequestEntityTooLarge, []byte("<html>413 Request Entity Too Large</html>"))
		return true
	}
}

// poisoned adds a field that the mapping does not have to documents with a
// text: Elasticsearch itself refuses them.
func poisoned(text string) fault {
	return func(p *proxy, w http.ResponseWriter, req *http.Request, body []byte, _ <-chan struct{}) bool {
		if !isBulk(req) || !contains(body, text) {
			return false
		}
		ps, err := pairs(body)
		if err != nil {
			return false
		}
		for i := range ps {
			if contains(ps[i].document, text) {
				ps[i].document = append([]byte(`{"poison":1,`), ps[i].document[1:]...)
			}
		}
		status, header, answer, err := p.forward(req, join(ps))
		if err != nil {
			reply(w, http.StatusServiceUnavailable, []byte(`{}`))
			return true
		}
		for k, v := range header {
			w.Header()[k] = v
		}
		reply(w, status, answer)
		return true
	}
}
