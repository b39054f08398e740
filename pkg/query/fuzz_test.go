package query

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a b OR c NOT (d OR e)", `title:("chef d'État" OR gouv*) lang:fr`, "«وزارة الداخلية» NOT بالمغرب",
		`source:«a"b» topic:16000000 entity:q1`, "a NEAR/5 b", "12:30", "2,000*", "北京、上海", "l'«état» -x |", "\xff:\x00*", "（a）＊",
		"x's's", "ß's ŉ ﷺ", "١٬٠٠٠ ب'س",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Msg == "" {
				t.Fatalf("error %#v", err)
			}
			if n := utf8.RuneCountInString(s); syntax.Pos.Start < 0 || syntax.Pos.Start >= syntax.Pos.End || syntax.Pos.End > n {
				t.Fatalf("%v of %d characters: %v", syntax.Pos, n, err)
			}
			return
		}
		if !valid(q.Root()) {
			t.Fatalf("not what Root promises: %#v", q.Root())
		}
		again, err := Parse(q.String())
		if err != nil {
			t.Fatalf("%q as %q: %v", s, q, err)
		}
		if !equal(q.Root(), again.Root()) || again.String() != q.String() {
			t.Fatalf("%q as %q comes back as %q", s, q, again)
		}
		d := NewDoc(&article.Article{Title: s, Body: s})
		if spans := q.Spans(d); len(spans) > 0 && !q.Match(d) {
			t.Fatalf("%q has spans where it does not match", s)
		}
	})
}
