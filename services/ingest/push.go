package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/transform"
)

// Bounds on what is written to articles.raw at once, and on the errors told.
const (
	chunkItems     = 500
	chunkBytes     = 4 << 20
	maxPushRecord  = 8<<20 - 64<<10 // max.message.bytes of articles.raw with room for headers
	maxItemsInBody = 100_000
	maxErrorsTold  = 1000
	maxDiscard     = 256 << 20 // bytes read and thrown away after a refusal
)

// Register adds POST /v1/articles to mux.
//
// The body is in any form of [article.FormOf], by Content-Type; the query
// parameter source gives the source id of items that have none. The answer is 202 once every article is durable in articles.raw;
// 207 where some were refused, 400 where all were, each with its reason; 413
// and 415 for a body too large or of another type; 503 where Kafka or the
// bound on requests under way did not let them in: those not counted as
// accepted are to be sent again. A browser's request from another site is
// refused with 403.
func (s *Service) Register(mux *http.ServeMux) {
	mux.Handle("POST /v1/articles", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.push)))
}

// PushResult is the answer to a push.
type PushResult struct {
	Accepted int         `json:"accepted"` // durable in articles.raw
	Rejected int         `json:"rejected"`
	Errors   []PushError `json:"errors,omitempty"` // the first thousand
	Error    string      `json:"error,omitempty"`  // what ended the request early
}

// PushError says why one article was refused.
type PushError struct {
	Index int    `json:"index"` // of the article in the request, from 0
	Error string `json:"error"`
}

func (s *Service) push(w http.ResponseWriter, req *http.Request) {
	var res PushResult
	deadline := time.Now().Add(s.cfg.PushTimeout)
	_ = http.NewResponseController(w).SetReadDeadline(deadline) // not supported by test recorders: the body is bounded anyway
	ctx, cancel := context.WithDeadline(req.Context(), deadline)
	defer cancel()
	status, err := s.receive(ctx, w, req, &res)
	if err != nil {
		res.Error = err.Error()
	}
	if status >= 400 {
		// A client that is still sending would not see the answer.
		_, _ = io.CopyN(io.Discard, req.Body, maxDiscard)
	}
	s.metrics.push.WithLabelValues("accepted", "").Add(float64(res.Accepted))
	if status >= 500 {
		s.metrics.push.WithLabelValues("failed", "unavailable").Inc()
		w.Header().Set("Retry-After", "1")
	}
	if status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(res) // the client may be gone: nothing to be done
}

// receive reads, checks and stores the articles of a request.
func (s *Service) receive(ctx context.Context, w http.ResponseWriter, req *http.Request, res *PushResult) (status int, err error) {
	contentType := req.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "application/json"
	}
	form, charset, err := article.FormOf(contentType)
	if err != nil {
		return http.StatusUnsupportedMediaType, err
	}
	if req.ContentLength > s.cfg.MaxBody {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("body has %d bytes, at most %d are allowed: send it in parts", req.ContentLength, s.cfg.MaxBody)
	}
	cost := req.ContentLength
	if cost < 0 {
		cost = s.cfg.MaxBody
	}
	release, ok := s.admit.enter(cost)
	if !ok {
		return http.StatusServiceUnavailable, errors.New("too many bytes are being pushed at this moment: try again")
	}
	defer release()
	var body io.Reader = http.MaxBytesReader(w, req.Body, s.cfg.MaxBody)
	if charset != nil {
		body = transform.NewReader(body, charset)
	}
	return s.store(ctx, req, article.Read(body, form), res)
}

// store writes the articles to articles.raw in chunks.
func (s *Service) store(ctx context.Context, req *http.Request, raws func(func(article.Raw, error) bool), res *PushResult) (int, error) {
	c := chunk{s: s, res: res}
	source, parent := req.URL.Query().Get("source"), req.Header.Get("traceparent")
	index, fatal := -1, error(nil)
	for raw, err := range raws {
		index++
		if index >= maxItemsInBody {
			fatal = fmt.Errorf("more than %d articles in one request: send it in parts", maxItemsInBody)
			break
		}
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge, errors.Join(c.flush(ctx), fmt.Errorf("body is over %d bytes: send it in parts", tooLarge.Limit))
		}
		if err == nil {
			err = c.add(ctx, raw, source, parent)
		}
		if errors.Is(err, errKafka) {
			return http.StatusServiceUnavailable, err
		}
		if err != nil {
			res.reject(index, err)
			s.metrics.push.WithLabelValues("rejected", reason(err)).Inc()
		}
	}
	if err := c.flush(ctx); err != nil {
		return http.StatusServiceUnavailable, err
	}
	switch {
	case fatal != nil:
		return http.StatusRequestEntityTooLarge, fatal
	case index < 0:
		return http.StatusBadRequest, errors.New("no article in the body")
	case res.Rejected == 0:
		return http.StatusAccepted, nil
	case res.Accepted == 0:
		return http.StatusBadRequest, nil
	}
	return http.StatusMultiStatus, nil
}

func (r *PushResult) reject(index int, err error) {
	r.Rejected++
	if len(r.Errors) < maxErrorsTold {
		r.Errors = append(r.Errors, PushError{Index: index, Error: err.Error()})
	}
}

// reason names what is wrong with an article in few words, for metrics: the
// field at fault, or "form" where it could not be read at all.
func reason(err error) string {
	var bad *article.InvalidError
	switch {
	case !errors.As(err, &bad):
		return "other"
	case bad.Field == "":
		return "form"
	}
	return bad.Field
}

// errKafka marks a failure that is not the article's fault.
var errKafka = errors.New("articles could not be stored: try again")

// chunk collects messages for articles.raw.
type chunk struct {
	s    *Service
	res  *PushResult
	msgs []bus.Message
	size int
}

// add checks raw and puts it into the chunk, which is flushed when full.
func (c *chunk) add(ctx context.Context, raw article.Raw, source, parent string) error {
	now := c.s.deps.Now()
	raw.NameSource(source, c.s.cfg.DefaultSource)
	raw.Received = now.UTC()
	if err := raw.Clean(now); err != nil {
		return err
	}
	value, err := article.Encode(&raw)
	if err != nil {
		return err
	}
	if len(value) > maxPushRecord {
		return fmt.Errorf("article has %d bytes as JSON, at most %d are allowed", len(value), maxPushRecord)
	}
	if len(c.msgs) >= chunkItems || c.size+len(value) > chunkBytes {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	id := raw.ContentHash() + "-" + strconv.FormatInt(now.UnixNano(), 36)
	c.msgs = append(c.msgs, bus.Message{
		Key: []byte(raw.Source.ID), Value: value,
		Headers: bus.EventHeaders(id, bus.TypeReceived, "/marsad/push", parent, now),
	})
	c.size += len(value)
	return nil
}

// flush makes the chunk durable.
func (c *chunk) flush(ctx context.Context) error {
	if err := c.s.raw.Write(ctx, c.msgs...); err != nil {
		return fmt.Errorf("%w (%w)", errKafka, err)
	}
	c.res.Accepted += len(c.msgs)
	c.msgs, c.size = nil, 0
	return nil
}

// admission bounds the bytes of requests under way.
type admission struct {
	total int64
	sem   *semaphore.Weighted
}

func newAdmission(total int64) *admission {
	return &admission{total: total, sem: semaphore.NewWeighted(total)}
}

// enter takes n bytes of the bound without waiting.
func (a *admission) enter(n int64) (release func(), ok bool) {
	n = min(max(n, 4<<10), a.total)
	if !a.sem.TryAcquire(n) {
		return nil, false
	}
	return func() { a.sem.Release(n) }, true
}
