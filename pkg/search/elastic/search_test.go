package elastic

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/text"
)

func TestTranslate(t *testing.T) {
	for name, c := range map[string]struct {
		node query.Node
		want string
	}{
		"word":    {query.Term{Field: query.Title, Form: "loi"}, `{"term":{"folded.title":{"value":"loi","boost":2}}}`},
		"prefix":  {query.Term{Field: query.Lead, Form: "loi", Prefix: true}, `{"prefix":{"folded.lead":{"value":"loi","boost":1}}}`},
		"keyword": {query.Keyword{Field: query.Lang, Value: "AR"}, `{"bool":{"filter":[{"term":{"folded.lang":"ar"}}]}}`},
		"not":     {query.Not{Of: query.Term{Field: query.Body, Form: "a"}}, `{"bool":{"must_not":[{"term":{"folded.body":{"value":"a","boost":1}}}]}}`},
		"phrase": {query.Phrase{Field: query.Body, Forms: []string{"a", "b"}}, `{"intervals":{"folded.body":{"boost":1,"all_of":{
			"ordered":true,"max_gaps":0,"intervals":[
				{"any_of":{"intervals":[{"match":{"query":"a","analyzer":"whitespace"}}]}},
				{"any_of":{"intervals":[{"match":{"query":"b","analyzer":"whitespace"}}]}}]}}}}`},
		"nothing": {query.Or{}, `{"match_none":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := translate(c.node)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(q)
			if err != nil {
				t.Fatal(err)
			}
			var want, got any
			if err := errors.Join(json.Unmarshal([]byte(c.want), &want), json.Unmarshal(b, &got)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
	for _, n := range []query.Node{
		nil, query.Term{Field: "source", Form: "a"}, query.Keyword{Field: query.Title, Value: "a"}, query.Not{},
		query.Phrase{Field: "lang", Forms: []string{"a", "b"}}, query.Or{Of: []query.Node{nil}},
	} {
		if _, err := translate(n); !errors.Is(err, search.ErrRequest) {
			t.Errorf("translate(%#v): error is %v, want ErrRequest", n, err)
		}
	}
}

func TestPartialAnswer(t *testing.T) {
	x, _ := serve(t, func(sent) answer {
		return answer{200, `{"_shards":{"failed":1,"failures":[{"index":"articles-2026.10-000001","reason":{"type":"t","reason":"r"}}]},"hits":{"total":{"value":3},"hits":[]}}`}
	})
	if _, err := x.Search(t.Context(), search.Request{}); err == nil || !strings.Contains(err.Error(), "articles-2026.10-000001") {
		t.Errorf("error is %v, want one that names the index", err)
	}
}

func TestTimeRange(t *testing.T) {
	at := time.Date(2026, 10, 24, 9, 0, 0, 1_999_999, time.UTC)
	want := object{"range": object{fieldReceived: object{"gte": at.UnixMilli(), "format": "epoch_millis"}}}
	if diff := cmp.Diff(want, timeRange(search.Request{From: at, TimeField: search.ByReceived})); diff != "" {
		t.Errorf("range (-want +got):\n%s", diff)
	}
}

func TestLongWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letter := rapid.SampledFrom([]string{"x", "é", "م", "𝒳", "字"}).Draw(t, "letter")
		s := strings.Repeat(letter, rapid.IntRange(1, 600).Draw(t, "letters")) + " fin"
		tokens := text.Tokens(s)
		fields := strings.Fields(string(appendWords(nil, s)))
		if len(fields) != len(tokens) {
			t.Fatalf("%d words, want %d", len(fields), len(tokens))
		}
		for i, f := range fields {
			if f != short(tokens[i].Form) || len(f) > maxWord && short(f) != f {
				t.Fatalf("word %q is indexed as %q", tokens[i].Form, f)
			}
		}
	})
}

func TestCursor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := position{id: rapid.StringN(0, 100, -1).Draw(t, "id"), pit: rapid.StringN(0, 300, -1).Draw(t, "pit")}
		sort := rapid.SampledFrom([]search.Sort{search.ByReceived, search.ByPublished, search.ByRelevance}).Draw(t, "sort")
		if sort == search.ByRelevance {
			p.score = rapid.Float64Range(0, math.MaxFloat32).Draw(t, "score")
		} else {
			p.when = rapid.Int64().Draw(t, "when")
		}
		if got, err := parseCursor(p.cursor(sort), sort); err != nil || got != p {
			t.Fatalf("read %+v, %v, want %+v", got, err, p)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(position{when: -5, id: "é"}.cursor(search.ByReceived))
	f.Add(position{score: 0.5, pit: "x=="}.cursor(search.ByRelevance))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseCursor(s, search.ByReceived)
		if err != nil {
			if !errors.Is(err, search.ErrRequest) {
				t.Errorf("error is %v, want ErrRequest", err)
			}
			return
		}
		if got := p.cursor(search.ByReceived); got != s {
			t.Errorf("%q is read as %+v, which is written %q", s, p, got)
		}
	})
}
