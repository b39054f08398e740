package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"go.uber.org/zap"
)

// Bounds on an answer.
const (
	maxBodies     = 16 << 20 // bytes of all bodies of an answer; further hits come without
	maxHighlights = 1000     // of a hit
)

// SearchResult is the answer to GET /v1/search.
type SearchResult struct {
	Total  int                                 `json:"total"` // articles found in all
	Hits   []Hit                               `json:"hits"`
	Facets map[search.FacetField][]FacetBucket `json:"facets,omitempty"`
	Next   string                              `json:"next,omitempty"` // cursor of the next page
	Took   int64                               `json:"took_ms"`
}

// Hit is an article found.
type Hit struct {
	article.Article
	Score       float64     `json:"score,omitempty"`
	Highlights  []Highlight `json:"highlights,omitempty"`
	Snippets    []Snippet   `json:"snippets,omitempty"`
	BodyOmitted bool        `json:"body_omitted,omitempty"` // the answer was getting too large: get the article by its id
}

// Highlight is a part of an article's text that the query asked for.
type Highlight struct {
	Field string `json:"field"` // title or body
	Range
}

// Snippet is a piece of an article to show, as plain text, never HTML.
type Snippet struct {
	Field string `json:"field"` // title or body
	Parts []Part `json:"parts"`
}

// FacetBucket is a facet's value with a name to show.
type FacetBucket struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Count int    `json:"count"`
}

// allFacets are the facets there are, in the order in which they are shown.
func allFacets() []search.FacetField {
	return []search.FacetField{search.FacetLanguage, search.FacetTopic, search.FacetEntity, search.FacetCountry, search.FacetSource}
}

// searchParams are the parameters of a search.
func searchParams() []string {
	return append(filterParams(), "from", "to", "time", "sort", "size", "cursor", "facets", "highlight")
}

// searchRequest is a request to search as it was read.
type searchRequest struct {
	filter
	search.Request
	highlight bool
}

// readSearch reads searchParams. What could be read is in the request even
// where there is a problem.
func (p params) readSearch(now time.Time) (req searchRequest, bad *Problem) {
	if req.filter, bad = p.filter(); bad != nil {
		return req, bad
	}
	f := &req.filter
	req.Request = search.Request{
		Query: f.root(), Languages: f.languages, Sources: f.sources,
		Entities: f.entities, Topics: f.topics, Countries: f.countries,
	}
	if req.From, bad = p.instant("from", now); bad != nil {
		return req, bad
	}
	if req.To, bad = p.instant("to", now); bad != nil {
		return req, bad
	}
	if !req.To.IsZero() && !req.From.Before(req.To) {
		return req, badParameter("from", "is not before to: nothing can lie between")
	}
	field, bad := p.choice("time", string(search.ByPublished), string(search.ByReceived))
	if bad != nil {
		return req, bad
	}
	sort, bad := p.choice("sort", string(search.ByReceived), string(search.ByPublished), string(search.ByRelevance))
	if bad != nil {
		return req, bad
	}
	req.TimeField, req.Sort = search.Sort(field), search.Sort(sort)
	return req, p.readShape(&req)
}

// readShape reads how much of what is found is wanted.
func (p params) readShape(req *searchRequest) *Problem {
	size, bad := p.one("size")
	if bad != nil {
		return bad
	}
	req.Size = defaultSize
	if size != "" {
		n, err := strconv.Atoi(size)
		if err != nil || n < 0 || n > search.MaxSize {
			return badParameter("size", "is %.40q, must be a number from 0 to %d", size, search.MaxSize)
		}
		req.Size = n
	}
	if req.Cursor, bad = p.one("cursor"); bad != nil {
		return bad
	}
	if len(req.Cursor) > maxCursor {
		return badParameter("cursor", "is no cursor: send next of the page before as it came")
	}
	highlight, bad := p.choice("highlight", "true", "false")
	if bad != nil {
		return bad
	}
	req.highlight = highlight == "true"
	names, bad := p.list("facets")
	if bad != nil {
		return bad
	}
	for _, name := range names {
		f := search.FacetField(name)
		switch f {
		case search.FacetLanguage, search.FacetSource, search.FacetEntity, search.FacetTopic, search.FacetCountry:
		default:
			return badParameter("facets", "%.40q is no facet: there are language, source, entity, topic and country", name)
		}
		req.Facets = append(req.Facets, search.Facet{Field: f})
	}
	return nil
}

// search answers GET /v1/search.
func (s *Service) search(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	p, bad := readParams(r, false, searchParams()...)
	if bad != nil {
		refuse(w, bad)
		return
	}
	req, bad := p.readSearch(s.deps.Now())
	if bad != nil {
		refuse(w, bad)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.SearchTimeout)
	defer cancel()
	res, bad := s.find(ctx, req)
	if bad != nil {
		refuse(w, bad)
		return
	}
	res.Took = time.Since(begin).Milliseconds()
	answer(w, http.StatusOK, "application/json", res)
}

// find runs a search, not too many at once, and prepares what is shown of it.
func (s *Service) find(ctx context.Context, req searchRequest) (*SearchResult, *Problem) {
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
	case <-ctx.Done():
		return nil, s.searchProblem(ctx, ctx.Err())
	}
	found, err := s.deps.Reader.Search(ctx, req.Request)
	if err != nil {
		return nil, s.searchProblem(ctx, err)
	}
	res := &SearchResult{Total: found.Total, Hits: make([]Hit, 0, len(found.Hits)), Next: found.Next}
	bodies := 0
	for _, h := range found.Hits {
		if ctx.Err() != nil {
			return nil, s.searchProblem(ctx, ctx.Err())
		}
		hit := Hit{Article: h.Article, Score: h.Score}
		if req.highlight {
			hit.highlight(req.filter.query)
		}
		if bodies += len(hit.Body); bodies > maxBodies {
			hit.Body, hit.BodyOmitted = "", true
		}
		res.Hits = append(res.Hits, hit)
	}
	if len(req.Facets) > 0 {
		names := s.namesOf(found.Hits)
		res.Facets = make(map[search.FacetField][]FacetBucket, len(req.Facets))
		for _, f := range req.Facets {
			res.Facets[f.Field] = names.buckets(f.Field, found.Facets[f.Field])
		}
	}
	return res, nil
}

// searchProblem tells the client why a search failed.
func (s *Service) searchProblem(ctx context.Context, err error) *Problem {
	switch {
	case errors.Is(err, search.ErrRequest):
		return &Problem{
			Type: problemType + "request", Title: "The search cannot be run as it is", Status: http.StatusBadRequest,
			Detail: err.Error(),
		}
	case ctx.Err() != nil: // the time is up, or nobody is left to read this
		return &Problem{
			Type: problemType + "time-out", Title: "The search took too long", Status: http.StatusGatewayTimeout,
			Detail: "no answer within " + s.cfg.SearchTimeout.String() + ": narrow the time range or the query, or try again",
		}
	}
	s.deps.Log.Error("search failed", zap.Error(err))
	return unavailable("the index does not answer: try again in a few seconds")
}

// highlight fills in what q found in the hit's article, and what to show.
func (h *Hit) highlight(q *query.Query) {
	var title, body []Range
	if q != nil {
		for _, sp := range q.Spans(query.NewDoc(&h.Article)) {
			if sp.Field == query.Title {
				title = append(title, Range{sp.Start, sp.End})
			} else {
				body = append(body, Range{sp.Start, sp.End})
			}
		}
	}
	for _, f := range []struct {
		name   string
		text   string
		ranges *[]Range
	}{{"title", h.Title, &title}, {"body", h.Body, &body}} {
		*f.ranges = tidy(*f.ranges, utf8.RuneCountInString(f.text))
		for _, r := range *f.ranges {
			if len(h.Highlights) < maxHighlights {
				h.Highlights = append(h.Highlights, Highlight{f.name, r})
			}
		}
	}
	if len(title) > 0 {
		h.Snippets = append(h.Snippets, Snippet{"title", marked(h.Title, title, maxTitleShown)})
	}
	for _, parts := range snippets(h.Body, body) {
		if len(parts) > 0 {
			h.Snippets = append(h.Snippets, Snippet{"body", parts})
		}
	}
}

// article answers GET /v1/articles/{id}.
func (s *Service) article(w http.ResponseWriter, r *http.Request) {
	if _, bad := readParams(r, false); bad != nil {
		refuse(w, bad)
		return
	}
	a, bad := s.get(r)
	if bad != nil {
		refuse(w, bad)
		return
	}
	answer(w, http.StatusOK, "application/json", a)
}

// get reads the article that the path names.
func (s *Service) get(r *http.Request) (*article.Article, *Problem) {
	id := r.PathValue("id")
	if len(id) > article.MaxSourceID || !utf8.ValidString(id) {
		return nil, notFound(id[:min(len(id), 40)])
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.SearchTimeout)
	defer cancel()
	a, err := s.deps.Reader.Get(ctx, id)
	switch {
	case errors.Is(err, search.ErrNotFound):
		return nil, notFound(id)
	case errors.Is(err, search.ErrGone):
		return nil, gone(id)
	case err != nil:
		return nil, s.searchProblem(ctx, err)
	case a.Status == article.Canceled:
		return nil, gone(id)
	case !visible(&a, s.deps.Now()):
		return nil, notFound(id)
	}
	return &a, nil
}
