package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
	"go.uber.org/zap"
)

//go:embed templates static
var files embed.FS

// contentPolicy lets a page load and call this site alone; there are no inline
// scripts and styles.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// harden sets the headers that keep hostile content from doing anything.
func harden(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hd := w.Header()
		hd.Set("Content-Security-Policy", contentPolicy)
		hd.Set("X-Content-Type-Options", "nosniff")
		hd.Set("Referrer-Policy", "same-origin")
		hd.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.ServeHTTP(w, r)
	})
}

// pages are the templates and static files.
type pages struct {
	search, article *template.Template
	static          map[string]asset // by file name
}

type asset struct {
	content []byte
	typ     string // content type
	version string // hash of the content
}

func loadPages() (*pages, error) {
	p := &pages{static: map[string]asset{}}
	names, err := fs.Glob(files, "static/*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(b)
		typ := mime.TypeByExtension(path.Ext(name))
		switch path.Ext(name) { // not left to the machine's table
		case ".js":
			typ = "text/javascript; charset=utf-8"
		case ".css":
			typ = "text/css; charset=utf-8"
		case ".svg":
			typ = "image/svg+xml"
		}
		p.static[path.Base(name)] = asset{content: b, typ: typ, version: hex.EncodeToString(sum[:6])}
	}
	funcs := template.FuncMap{"asset": p.address, "shown": shown}
	for _, t := range []struct {
		file string
		to   **template.Template
	}{{"search.html", &p.search}, {"article.html", &p.article}} {
		*t.to, err = template.New(t.file).Funcs(funcs).ParseFS(files, "templates/base.html", "templates/"+t.file)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", t.file, err)
		}
	}
	return p, nil
}

// address gives a static file's address, another one for other content.
func (p *pages) address(name string) string {
	return "/static/" + name + "?v=" + p.static[name].version
}

// static answers GET /static/{file}.
func (s *Service) static(w http.ResponseWriter, r *http.Request) {
	a, ok := s.pages.static[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.typ)
	h.Set("ETag", `"`+a.version+`"`)
	h.Set("Cache-Control", "public, max-age=300")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), h.Get("ETag")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Write(a.content) //nolint:errcheck // the client may be gone
}

// render answers with a page.
func (s *Service) render(w http.ResponseWriter, status int, t *template.Template, v any) {
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, "base.html", v); err != nil {
		s.deps.Log.Error("page cannot be rendered", zap.String("page", t.Name()), zap.Error(err))
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(buf.Bytes()) //nolint:errcheck // the client may be gone
}

// liveEvents is how many recent events the live column begins with.
const liveEvents = 20

// searchPage answers GET /.
func (s *Service) searchPage(w http.ResponseWriter, r *http.Request) {
	p, bad := readParams(r, true, searchParams()...)
	if bad != nil {
		s.render(w, bad.Status, s.pages.search, &searchView{Problem: bad})
		return
	}
	req, bad := p.readSearch(s.deps.Now())
	var res *SearchResult
	var position position
	if bad == nil {
		position = s.hub.recent(&req.filter, liveEvents)
		req.highlight, req.Facets = true, nil
		for _, f := range allFacets() {
			req.Facets = append(req.Facets, search.Facet{Field: f})
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.SearchTimeout)
		defer cancel()
		res, bad = s.find(ctx, req)
	}
	v := newSearchView(p, req, s.namesOf(nil))
	status := http.StatusOK
	if bad != nil {
		status, v.Problem, v.Caret = bad.Status, bad, caretOf(req.text, bad.Position)
	}
	if res != nil {
		v.show(res)
	}
	if bad == nil || bad.Status >= 500 {
		v.Stream = v.link.stream()
		v.Position = position.String()
	}
	s.render(w, status, s.pages.search, v)
}

// articlePage answers GET /articles/{id}.
func (s *Service) articlePage(w http.ResponseWriter, r *http.Request) {
	a, bad := s.get(r)
	if bad != nil {
		if bad.retry != "" {
			w.Header().Set("Retry-After", bad.retry)
		}
		s.render(w, bad.Status, s.pages.article, &articleView{Problem: bad})
		return
	}
	s.render(w, http.StatusOK, s.pages.article, newArticleView(a, s.namesOf([]search.Hit{{Article: *a}})))
}

// languageAttribute gives the lang attribute of a text; empty says unknown.
func languageAttribute(a *article.Article) string {
	if a.Language == "und" {
		return ""
	}
	return a.Language
}
