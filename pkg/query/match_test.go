package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

func mustParse(tb testing.TB, s string) *Query {
	tb.Helper()
	q, err := Parse(s)
	if err != nil {
		tb.Fatalf("Parse(%q): %v", s, err)
	}
	return q
}

func sample() *article.Article {
	return &article.Article{
		Title:    "Le Maroc et l'Iran : le ministre de l'Intérieur à Rabat",
		Body:     "RABAT, 24 oct. (MAP) – Le porte-parole a parlé.\n\nSoeur Anne, des États-Unis, agriculture. O'Brien's car.",
		Language: "fr-MA",
		Source:   article.Source{ID: "map", Country: "MA"},
		Entities: []article.Entity{{ID: "Q1028", Country: "MA"}, {ID: "Q794", Country: "IR"}, {ID: "Q42"}},
		Topics:   []article.Topic{{ID: "medtop:20000103", Broader: []string{"medtop:20000082", "medtop:02000000"}}},
	}
}

func TestMatch(t *testing.T) {
	d := NewDoc(sample())
	for _, c := range []struct {
		query string
		want  bool
	}{
		{"", true},
		{"maroc", true},
		{"MAROC", true},
		{"algérie", false},
		{"iran", true},
		{"l'iran", true},
		{"l", false},
		{"sœur", true},
		{"etats-unis", true},
		{`"etats unis"`, true},
		{"unis-états", false},
		{"o'brien", true},

		{"maroc algerie", false},
		{"maroc OR algerie", true},
		{"maroc NOT algerie", true},
		{"maroc NOT agriculture", false},       // NOT looks at the whole article
		{"title:maroc NOT title:rabat", false}, // or at its field
		{"title:maroc NOT title:anne", true},
		{"algerie OR maroc iran", true}, // AND before OR
		{"(algerie OR maroc) tunisie", false},
		{"iran agriculture", true}, // AND spans fields
		{`"rabat rabat"`, false},   // a phrase does not
		{`"ministre de l'intérieur"`, true},
		{`"de interieur"`, true},              // the elided article takes no position
		{`"ministre interieur"`, false},       // a free word does
		{`"iran le ministre"`, true},          // nor does punctuation
		{`"parole a parle soeur anne"`, true}, // nor the end of a paragraph
		{`"maroc et" "le maroc"`, true},
		{`title:"le porte"`, false},
		{`title:(maroc iran NOT soeur)`, true},
		{`title:(maroc soeur)`, false},
		{"title:agriculture", false},
		{"body:agriculture", true},
		{"lead:porte-parole", true},
		{"lead:map", false}, // the dateline is not the lead
		{"lead:agriculture", false},
		{`lead:"map le porte"`, false},
		{`body:"map le porte"`, true},
		{"agri*", true},
		{"agriculture*", true},
		{"agriculteur*", false},
		{"title:agri*", false},
		{"lead:par*", true},
		{"lead:agri*", false},
		{"int*", true},
		{"zzz*", false},
		{"aaa*", false},
		{"lang:fr", true},
		{"lang:FR-ma", true},
		{"lang:fr-FR", false},
		{"lang:ar", false},
		{"source:map", true},
		{"source:MAP", false},
		{"source:ma", false},
		{"source.country:ma", true},
		{"source.country:ir", false},
		{"country:(ma ir)", true},
		{"country:fr", false},
		{"entity:Q1028", true},
		{"entity:q1028", true},
		{"entity:Q102", false},
		{"topic:20000103", true},
		{"topic:medtop:02000000", true},
		{"topic:16000000", false},
		{"maroc lang:fr NOT country:dz", true},
		{"maroc NOT (lang:fr rabat)", false},
		{"maroc NOT (lang:fr tunisie)", true},
		{"maroc NOT (lang:ar OR rabat)", false},
	} {
		if got := mustParse(t, c.query).Match(d); got != c.want {
			t.Errorf("%s: %v", c.query, got)
		}
	}
}

func TestPhraseStaysInField(t *testing.T) {
	d := NewDoc(&article.Article{Title: "x x y y", Body: "z x x\ny z"})
	for query, want := range map[string]bool{
		`"y z"`: true, `"y y z"`: false, `"y z x"`: false, `"x y"`: true, `title:"y z"`: false, `body:"y z x"`: false,
		`"z x"`: true, `lead:"x y"`: false, `lead:"z x x"`: true, `lead:"x x y"`: false, `body:"x x y z"`: true,
	} {
		if got := mustParse(t, query).Match(d); got != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	d.Reset(&article.Article{Title: "x x", Body: "y"}) // the rarest word last
	if mustParse(t, `"x y"`).Match(d) {
		t.Error("a phrase from title to body")
	}
}

func TestMatchArabic(t *testing.T) {
	for _, c := range []struct {
		query string
		yes   string
		no    string
	}{
		{"المغرب", "المغرب بالمغرب للمغرب والمغرب وللمغرب وبالمغرب كالمغرب فالمغرب", "مغرب ومغرب لمغرب المغربي"},
		{"مغرب", "مغرب ومغرب لمغرب المغرب بالمغرب للمغرب والمغرب", "مغربي"},
		{"إسلام", "الاسلام والإسلام للإسلام اسلام", "اسلامي"},
		{"ود", "ود", "والود الود بود"}, // three letters must remain
		{"الد", "الد والد", "الوالد"},
		{"مغر*", "مغرب المغرب بالمغاربة,المغربي للمغرب ومغربي", "غرب"},
		{"المغ*", "المغرب للمغرب بالمغاربة والمغربي", "مغرب لمغرب"},
		{"الم*", "المغرب بالمغرب والمدينة", "للمغرب مغرب"},
		{`"وزارة الداخلية"`, "وزارة-الداخلية بوزارة-الداخلية ووزارة-الداخليه وزارة-بالداخلية", "وزارة-في-الداخلية الداخلية-وزارة وزارة-داخلية"},
		{`"وزير داخلية"`, "الوزير-للداخلية وزير-داخلية", "وزير"},
		{"محمد", "مُحَمَّد محـــمد لمحمد", "محمود"},
		{"BBC", "بـBBC الـBBC", "بBBCي"},
		{"2026", "٢٠٢٦ ۲۰۲۶ 2026", "٢٠٢٥"},
	} {
		q := mustParse(t, c.query)
		check := func(words string, want bool) {
			for _, w := range strings.FieldsFunc(words, func(r rune) bool { return r == ' ' || r == ',' }) {
				if w == "بالمغاربة" && strings.HasPrefix(c.query, "مغر") {
					continue // مغاربة does not begin so
				}
				w = strings.ReplaceAll(w, "-", " ")
				for _, a := range []article.Article{{Title: w}, {Body: "قال، " + w + "؛ ثم"}} {
					if got := q.Match(NewDoc(&a)); got != want {
						t.Errorf("%s in %q: %v", c.query, w, got)
					}
				}
			}
		}
		check(c.yes, true)
		check(c.no, false)
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ query, title, body, want string }{
		{"maroc", "Le Maroc", "du Maroc au maroc", "Maroc|Maroc|maroc"},
		{"body:maroc", "Le Maroc", "du Maroc", "Maroc"},
		{"iran", "", "de l'Iran", "Iran"},
		{"المغرب", "وبالمغرب", "للمغرب والمغرب", "المغرب|لمغرب|المغرب"},
		{"مغرب", "وبالمغرب ومغرب", "للمغرب المغرب", "المغرب|مغرب|لمغرب|المغرب"},
		{"مغر*", "", "بالمغربي لمغربي والمَغرب", "المغربي|مغربي|المَغرب"},
		{"وبال*", "", "وبالمغرب", "وبالمغرب"},
		{`"وزارة الداخلية"`, "", "قال: بوزارة الداخلية.", "وزارة الداخلية"},
		{`"etat urgence"`, "", "l’État d’urgence", "État d’urgence"},
		{"maroc NOT iran", "Le Maroc", "", "Maroc"},
		{"maroc iran", "Le Maroc", "", ""},
		{"maroc OR (rabat iran)", "Maroc Rabat", "", "Maroc"},
		{"maroc OR rabat", "Rabat Maroc", "", "Rabat|Maroc"},
		{`maroc "roi du maroc" "maroc et"`, "Le roi du Maroc et", "", "roi du Maroc et"},
		{`"a a"`, "a a a b a a", "", "a a a|a a"},
		{"a OR lang:fr", "b", "", ""},
		{"", "a", "b", ""},
		{"lead:maroc", "Maroc", "Rabat - Le Maroc\nMaroc", "Maroc"},
		{"o'brien", "", "🙂 O'Brien's", "O'Brien"},
	} {
		a := &article.Article{Title: c.title, Body: c.body, Language: "fr"}
		var got []string
		for _, s := range mustParse(t, c.query).Spans(NewDoc(a)) {
			in := c.body
			if s.Field == Title {
				in = c.title
			}
			got = append(got, string([]rune(in)[s.Start:s.End]))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
}

// The same word many times, asked for many times, must take neither the
// product in time nor in memory.
func TestSpansOfRepetitions(t *testing.T) {
	d := NewDoc(&article.Article{Body: strings.Repeat("a ", 1<<16)})
	for _, s := range []string{strings.Repeat("a ", MaxClauses), `"` + strings.Repeat("a ", 200) + `"`} {
		if n := len(mustParse(t, s).Spans(d)); n != 1<<16 && n != 1 {
			t.Errorf("%d spans", n)
		}
	}
}

func TestReset(t *testing.T) {
	d := NewDoc(nil)
	q := mustParse(t, `lead:"le porte" agri* maroc`)
	if q.Match(d) || !mustParse(t, "").Match(d) {
		t.Error("an empty article")
	}
	huge := &article.Article{Body: strings.Join(manyWords(keptForms+10), " ")}
	for _, c := range []struct {
		a    *article.Article
		want bool
	}{{sample(), true}, {&article.Article{Title: "maroc"}, false}, {sample(), true}, {huge, false}, {sample(), true}, {nil, false}} {
		d.Reset(c.a)
		if q.Match(d) != c.want {
			t.Errorf("%.20v: %v", c.a, !c.want)
		}
	}
}

// manyWords gives n different words.
func manyWords(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = "w" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576%26))
	}
	slices.Sort(words)
	return words
}

func TestMatchDoesNotAllocate(t *testing.T) {
	d := NewDoc(sample())
	q := mustParse(t, `(maroc OR "ministre de l'intérieur") agri* lead:porte-parole NOT (lang:ar OR entity:Q1 OR topic:16000000)`)
	if !q.Match(d) {
		t.Fatal("no match")
	}
	if n := testing.AllocsPerRun(100, func() { q.Match(d) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLeadOf(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"", ""},
		{" \n\n ", ""},
		{"One.\nTwo.", "One."},
		{"\r\n  One.\r\nTwo.", "One."},
		{"RABAT, 24 oct. (MAP) – Le roi a dit.\nTwo", "Le roi a dit."},
		{"PARIS (AFP) - One - two", "One - two"},
		{"WASHINGTON -- One", "One"},
		{"Rabat — One", "One"},
		{"الرباط – قال الوزير", "قال الوزير"},
		{"الرباط / و م ع / - قال", "قال"},
		{"الدار البيضاء- قال", "قال"},
		{"RABAT, 24 oct. (MAP) –\n\nLe roi.\nTwo", "Le roi."},
		{"RABAT (MAP) -", ""},
		{"Le roi - souverain du Maroc - a dit", "Le roi - souverain du Maroc - a dit"},
		{"Casablanca-Settat vote", "Casablanca-Settat vote"},
		{"Un porte-parole a dit - enfin", "Un porte-parole a dit - enfin"},
		{"- One", "- One"},
		{strings.Repeat("1 ", 300) + "- One", strings.Repeat("1 ", 300) + "- One"},
		{"\xff- One", "\xff- One"},
	} {
		start, end := LeadOf(c.body)
		if got := c.body[start:end]; got != c.want {
			t.Errorf("LeadOf(%q) = %q, want %q", c.body, got, c.want)
		}
	}
}
