package query

import (
	"errors"
	"strings"
	"testing"
)

// The canonical form shows the tree: it has parentheses where it branches.
func TestParse(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"empty", "", ""},
		{"blank", " \t\u00a0\u200f\n", ""},
		{"word", "Maroc", "maroc"},
		{"accents and ligatures", "Œuvre ÉTÉ", "oeuvre AND ete"},
		{"Arabic spelling", "إسلامية مُحَمَّد مـــغرب ٢٠٢٦", "اسلاميه AND محمد AND مغرب AND 2026"},
		{"side by side", "a b", "a AND b"},
		{"AND before OR", "a OR b AND c", "a OR b AND c"},
		{"AND before OR, side by side", "a b OR c", "a AND b OR c"},
		{"OR in parentheses", "(a OR b) c", "(a OR b) AND c"},
		{"NOT binds tightest", "a NOT b c", "a AND NOT b AND c"},
		{"NOT before OR", "a NOT b OR c", "a AND NOT b OR c"},
		{"NOT of a group", "a NOT (b OR c)", "a AND NOT (b OR c)"},
		{"AND NOT", "a AND NOT b", "a AND NOT b"},
		{"NOT first", "NOT a b", "NOT a AND b"},
		{"NOT of AND", "a NOT (b c)", "a AND NOT (b AND c)"},
		{"needless parentheses", "((a) ((b c)))", "a AND b AND c"},
		{"OR in OR", "a OR (b OR c)", "a OR b OR c"},
		{"lower-case operators are words", "or and not And", "or AND and AND not AND and"},
		{"French gold", "prix or", "prix AND or"},
		{"full-width operators are words", "a ＡＮＤ b", "a AND and AND b"},
		{"operators in quotes are words", `"AND" "OR x"`, `and AND "or x"`},
		{"operator with a sign of direction", "a \u200fOR\u200e b", "a OR b"},
		{"phrase", `"Chef du  gouvernement"`, `"chef du gouvernement"`},
		{"one word in quotes", `"Maroc"`, "maroc"},
		{"quotes", "“a b” «c d» « e f » ＂g h＂", `"a b" AND "c d" AND "e f" AND "g h"`},
		{"quotes in quotes", `"a «b» c" «a "b" c»`, `"a b c" AND "a b c"`},
		{"Arabic phrase", "«وزارة الداخلية»", `"وزاره الداخليه"`},
		{"hyphen", "porte-parole", `"porte parole"`},
		{"elision", "l'Iran d’État", "iran AND etat"},
		{"elision before a quote", "l'« état d'urgence »", `"etat urgence"`},
		{"particle before a quote", `بـ"المغرب" و«الدار البيضاء»`, `المغرب AND "الدار البيضاء"`},
		{"word before a quote", `roi"du maroc"`, `roi AND "du maroc"`},
		{"dots", "U.S.", `"u s"`},
		{"apostrophe", "O'Brien", "o'brien"},
		{"number", "2,000 1.5", `"2,000" AND 1.5`},
		{"Chinese", "北京", `"北 京"`},
		{"separators", "Iran,Iraq;a،b؛c؟d、e", "iran AND iraq AND a AND b AND c AND d AND e"},
		{"full-width syntax", "（a OR b） title：c", "(a OR b) AND title:c"},
		{"prefix", "Gouvern*", "gouvern*"},
		{"Arabic prefix", "المغر*", "المغر*"},
		{"prefix behind elision", "l'agric*", "agric*"},
		{"prefix with a sign of direction", "abc*\u200f", "abc*"},
		{"question mark in quotes", `"qui est là ?" "who?"`, `"qui est la" AND who`},
		{"field", "title:Maroc", "title:maroc"},
		{"field of a phrase", `body:"chef d'État"`, `body:"chef etat"`},
		{"field of words", "lead:porte-parole", `lead:"porte parole"`},
		{"field of a group", "title:(a OR b)", "title:(a OR b)"},
		{"field of a group beside others", "c title:(a OR b)", "c AND title:(a OR b)"},
		{"the same by word", "(title:a OR title:b) c", "title:(a OR b) AND c"},
		{"groups within a field's group", "title:(a (b OR c NOT d))", "title:(a AND (b OR c AND NOT d))"},
		{"different fields", "(title:a OR body:b) c", "(title:a OR body:b) AND c"},
		{"field of a prefix", "title:gouv*", "title:gouv*"},
		{"language", "lang:AR-ma", "lang:ar-ma"},
		{"countries", "country:ma source.country:Fr", "country:MA AND source.country:FR"},
		{"group of values", "country:(ma OR dz)", "country:(MA OR DZ)"},
		{"source", "source:bbc.co.uk/news", "source:bbc.co.uk/news"},
		{"source in quotes", `source:" Le Monde "`, `source:"Le Monde"`},
		{"source with quotes", `source:«a"b»`, `source:“a"b”`},
		{"source with star in quotes", `source:"a*"`, `source:"a*"`},
		{"source like an operator", `source:("OR" OR "NEAR")`, `source:("OR" OR "NEAR")`},
		{"source like a field", `source:"lang:fr"`, `source:"lang:fr"`},
		{"entity", "entity:Q142 entity:q1028", "entity:(Q142 AND Q1028)"},
		{"topic", "topic:16000000", "topic:medtop:16000000"},
		{"topic in full", "topic:medtop:16000000", "topic:medtop:16000000"},
		{"topics", "topic:(medtop:16000000 OR 04000000)", "topic:(medtop:16000000 OR medtop:04000000)"},
		{"a team's own topic", "topic:own:football", "topic:own:football"},
		{"functions to come, as words", "CASE STEM EXACT near", "case AND stem AND exact AND near"},
		{"signs round words", "#Maroc @afp 50% C++ AT&T", `maroc AND afp AND 50 AND c AND "at t"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := Parse(c.query)
			if err != nil {
				t.Fatalf("Parse(%q): %v", c.query, err)
			}
			if got := q.String(); got != c.want {
				t.Errorf("Parse(%q) = %s, want %s", c.query, got, c.want)
			}
			again, err := Parse(q.String())
			if err != nil {
				t.Fatalf("Parse(%q): %v", q, err)
			}
			if !equal(q.Root(), again.Root()) {
				t.Errorf("%q read again gives another tree", q)
			}
		})
	}
}

func TestParseTree(t *testing.T) {
	q, err := Parse(`l'Iran title:("a b" OR abc*) NOT country:ma`)
	if err != nil {
		t.Fatal(err)
	}
	want := And{Of: []Node{
		Term{Form: "iran", Pos: Pos{0, 6}},
		Or{Of: []Node{
			Phrase{Field: Title, Forms: []string{"a", "b"}, Pos: Pos{14, 19}},
			Term{Field: Title, Form: "abc", Prefix: true, Pos: Pos{23, 27}},
		}},
		Not{Of: Keyword{Field: Country, Value: "MA", Pos: Pos{33, 43}}},
	}}
	if !equalAt(q.Root(), want, true) {
		t.Errorf("got %#v", q.Root())
	}
}

// The part of the query that is wrong stands between ‹ and ›.
func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, query, msg string }{
		{"only NOT", "‹NOT a›", "the query has only NOT"},
		{"only NOTs", "‹NOT a NOT b› ", "the query has only NOT"},
		{"NOT right of OR", "a OR ‹NOT b›", "only NOT in these parentheses or on this side of OR"},
		{"NOT left of OR", "‹NOT b› OR a", "only NOT in these"},
		{"NOT in a group", "a (‹NOT b›)", "only NOT in these"},
		{"NOT in an Arabic group", "المغرب OR (‹NOT رياضة›)", "only NOT in these"},
		{"NOT in a field's group", "title:(‹NOT b›)", "only NOT in these"},
		{"NOT NOT", "a NOT ‹NOT› b", "NOT behind NOT"},
		{"bare star", "‹*›", "a bare wildcard"},
		{"bare wildcards", "maroc ‹*?*›", "a bare wildcard"},
		{"bare question mark", "qui ‹?›", "a bare wildcard"},
		{"bare star of a field", "title:‹*›", "a bare wildcard"},
		{"star first", "‹*›maroc", "a wildcard at the beginning"},
		{"short prefix", "‹ma*›", "fewer than three letters"},
		{"short prefix of a field", "‹title:ma*›", "fewer than three letters"},
		{"short prefix behind elision", "‹d'un*›", "fewer than three letters"},
		{"short Arabic prefix", "‹ال*›", "fewer than three letters"},
		{"vowel marks are no letters", "‹مُحْ*›", "fewer than three letters"},
		{"prefix of several words", "‹porte-parol*›", "* behind several words"},
		{"prefix behind a sign", "‹porte-*›", "* behind several words"},
		{"star inside", "gouv‹*›ment", "wildcards inside words are not supported yet"},
		{"question mark inside", "w‹?›rd", "wildcards inside words are not supported yet"},
		{"question mark behind", "maroc‹?›", "the wildcard ? is not supported yet"},
		{"star in a phrase", `"gouv‹*› du maroc"`, "wildcards within a phrase are not supported yet"},
		{"question mark in a phrase", `"w‹?›rd play"`, "wildcards within a phrase are not supported yet"},
		{"star in a value", "source:‹af*›", "source: takes no wildcards"},
		{"NEAR", "a ‹NEAR/5› b", "NEAR is not supported yet"},
		{"NEAR without number", "a ‹NEAR› b", "NEAR is not supported yet"},
		{"near", "a ‹near/5› b", "NEAR is not supported yet"},
		{"ONEAR", "المغرب ‹ONEAR/3› فرنسا", "ONEAR is not supported yet"},
		{"ATLEAST", "‹ATLEAST/2›(x)", "ATLEAST is not supported yet"},
		{"STEM", "‹STEM›(x)", "STEM is not supported yet"},
		{"EXACT", "a ‹EXACT› (x)", "EXACT is not supported yet"},
		{"CASE", "‹CASE›(x)", "CASE is not supported yet"},
		{"published", "maroc ‹published:›[now-1d TO now]", "published: is not supported yet"},
		{"unknown field", "a ‹titel:›b", `there is no field "titel"; the fields are title, body`},
		{"time of day", "‹12:›30", `there is no field "12"`},
		{"field in upper case", "‹Title:›a", `there is no field "Title"`},
		{"web address", "‹https:›//example.org", `there is no field "https"`},
		{"colon behind a word", "‹Maroc:› roi", `there is no field "Maroc"`},
		{"colon alone", "a ‹:› b", "no field before this colon"},
		{"colon in a field's word", "title:12‹:›30", "a colon in a word"},
		{"field without value", "‹title:›", "title: has no value"},
		{"field and space", "‹lang:› fr", "lang: has no value"},
		{"field in a group", "(‹lang:›)", "lang: has no value"},
		{"empty value", `‹source:" "›`, "source: has no value"},
		{"field in field", "title:(a ‹body:›b)", "the field body: within title:( )"},
		{"field in a group of values", "topic:(‹lang:fr›)", "the field lang: within topic:( )"},
		{"language by name", "‹lang:french›", `"french" is no value of lang:`},
		{"language of one letter", "‹lang:f›", `"f" is no value of lang:`},
		{"country by name", "‹country:Maroc›", `"Maroc" is no value of country:`},
		{"source country", "‹source.country:m1›", `"m1" is no value of source.country:`},
		{"quote not closed", `a ‹"›b c`, "this quote is not closed"},
		{"Arabic quote not closed", "المغرب ‹«›فرنسا", "this quote is not closed"},
		{"other quote closes", "‹“›a»", "this quote is not closed"},
		{"stray closing quote", "a ‹»› b", "this quote closes nothing"},
		{"parenthesis not closed", "a ‹(›b OR (c)", "this parenthesis is not closed"},
		{"parenthesis at the end", "a ‹(›", "this parenthesis is not closed"},
		{"field's parenthesis", "title:‹(›a", "this parenthesis is not closed"},
		{"stray parenthesis", "a b‹)› c", "this parenthesis closes nothing"},
		{"stray parenthesis first", "‹)› a", "this parenthesis closes nothing"},
		{"empty parentheses", "a ‹( )›", "nothing stands in these parentheses"},
		{"empty phrase", `a ‹""›`, "no word in"},
		{"no word", "a ‹–› b", "no word in"},
		{"AND first", "‹AND› a", "AND has nothing on its left"},
		{"OR first in a group", "a (‹OR› b)", "OR has nothing on its left"},
		{"OR last", "a ‹OR›", "OR has nothing on its right"},
		{"AND last in a group", "(a ‹AND›)", "AND has nothing on its right"},
		{"NOT last", "a ‹NOT›", "NOT has nothing on its right"},
		{"AND OR", "a AND ‹OR› b", "OR has nothing on its left"},
		{"NOT AND", "a NOT ‹AND› b", "AND has nothing on its left"},
		{"operator as a field's word", "title:‹AND›", "AND where a word is due"},
		{"minus", "a ‹-›b", "- does not exclude a word"},
		{"exclamation mark", "a ‹!›b", "! does not exclude a word"},
		{"bars", "a ‹|›| b", "| is no operator"},
		{"fuzzy", "maroc‹~›2", "~ has no meaning here"},
		{"range", "‹[›a TO b]", "[ has no meaning here"},
		{"word that no query can hold", "‹x's's›", "is no word that can be looked for"},
		{"too many clauses", strings.Repeat("a ", MaxClauses) + "‹b›", "more than 1024 words"},
		{"too many words in phrases", `"` + strings.Repeat("a ", MaxClauses-1) + `" ‹"b c"›`, "more than 1024 words"},
		{"too deep", strings.Repeat("(", MaxDepth) + "‹(›" + "a" + strings.Repeat(")", MaxDepth+1), "more than 64 parentheses"},
		{"too long", strings.Repeat("é", MaxLength) + "‹é›", "the query has 20001 characters"},
		{"too long when written out", "‹a source.country:(" + strings.Repeat("ma ", 1000) + ")›", "written out the query has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := strings.Index(c.query, "‹")
			end := strings.Index(c.query, "›")
			want := Pos{len([]rune(c.query[:start])), len([]rune(c.query[:end])) - 1}
			query := strings.NewReplacer("‹", "", "›", "").Replace(c.query)
			q, err := Parse(query)
			if err == nil {
				t.Fatalf("Parse(%.60q) = %.60s", query, q)
			}
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("%T", err)
			}
			if syntax.Pos != want || !strings.Contains(syntax.Msg, c.msg) || syntax.Hint == "" {
				t.Errorf("Parse(%.60q): %v at %v, want %s at %v", query, err, syntax.Pos, c.msg, want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	_, err := Parse("maroc NEAR/3 roi")
	want := "query, character 7: NEAR is not supported yet; if you look for the word, write it in quotes"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLimitsAreReached(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("a ", MaxClauses),
		`"` + strings.Repeat("a ", MaxClauses) + `"`,
		strings.Repeat("(", MaxDepth) + "a" + strings.Repeat(")", MaxDepth),
		strings.Repeat("a (b OR ", MaxDepth) + "c" + strings.Repeat(")", MaxDepth),
		"title:(a OR " + strings.Repeat("a (b OR ", MaxDepth-1) + "c" + strings.Repeat(")", MaxDepth),
		"title:a OR " + strings.ReplaceAll(strings.Repeat("x:a (x:b OR ", MaxDepth), "x", "title") + "title:c" + strings.Repeat(")", MaxDepth),
		"source:(" + strings.Repeat("reuters OR ", MaxClauses-1) + "afp)",
	} {
		q, err := Parse(s)
		if err != nil {
			t.Errorf("Parse(%.40q…): %v", s, err)
			continue
		}
		if again, err := Parse(q.String()); err != nil || !equal(q.Root(), again.Root()) {
			t.Errorf("Parse(%.40q…) does not come back: %v", s, err)
		}
	}
}
