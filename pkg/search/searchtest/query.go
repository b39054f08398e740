package searchtest

import (
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/query"
	"github.com/marsad-news/marsad/pkg/search"
)

// corpus is articles in three languages, for queries.
func corpus() []article.Article {
	return []article.Article{
		news("ar1", language("ar"), title("وللمغرب موقف واضح"), body("الرباط - قال الوزير إن الحكومة ستجتمع بالرباط.\nوأضاف أن القرار نهائي.")),
		news("ar2", language("ar"), title("المغرب يفوز"), body("فاز المنتخب في الدار البيضاء.")),
		news("ar3", language("ar"), title("مغرب اليوم"), body("كلام عن القَضَاءِ والإدارة")),
		news("fr1", title("L'État d'Israël et l’Europe"), body("Paris - La réunion du Conseil d'État.\nAujourd'hui, l'œuvre.")),
		news("fr2", title("Les États-Unis à l'ONU"), body("Le conseil de sécurité. État des lieux.")),
		news("en1", language("en"), title("The government's plan"), body("Government plans to cut taxes.\nto be or not to be")),
		news("en2", language("en"), title("Taxes cut"), body("")),
	}
}

func queryTests() []test {
	long := strings.Repeat("x", 300)
	var tests []test
	for _, c := range []struct {
		name string
		node query.Node
		want string // ids, space between
	}{
		{"all", query.All{}, "ar1 ar2 ar3 en1 en2 fr1 fr2"},
		{"and of nothing", and(), "ar1 ar2 ar3 en1 en2 fr1 fr2"},
		{"or of nothing", or(), ""},
		{"word", term("", "conseil"), "fr1 fr2"},
		{"word in a field", term("title", "conseil"), ""},
		{"behind particles", term("", "مغرب"), "ar1 ar2 ar3"},
		{"article asked for", term("", "المغرب"), "ar1 ar2"},
		{"vowel marks and hamza", term("", "اداره"), "ar3"},
		{"elision", term("title", "israel"), "fr1"},
		{"elision with a typographic sign", term("", "europe"), "fr1"},
		{"ligature", term("", "oeuvre"), "fr1"},
		{"accents", term("", "etat"), "fr1 fr2"},
		{"possessive", term("title", "government"), "en1"},
		{"hyphen splits", phrase("", "etats", "unis"), "fr2"},
		{"phrase", phrase("", "conseil", "etat"), "fr1"},
		{"phrase never crosses fields", phrase("", "plan", "government"), ""},
		{"phrase crosses paragraphs", phrase("body", "taxes", "to", "be"), "en1"},
		{"phrase with a word twice", phrase("", "to", "be", "or", "not", "to", "be"), "en1"},
		{"phrase in the wrong order", phrase("", "unis", "etats"), ""},
		{"phrase of the same word", phrase("", "to", "to"), ""},
		{"Arabic phrase behind particles", phrase("", "مغرب", "موقف"), "ar1"},
		{"prefix", prefix("", "conse"), "fr1 fr2"},
		{"prefix in a field", prefix("title", "gover"), "en1"},
		{"Arabic prefix", prefix("", "مغر"), "ar1 ar2 ar3"},
		{"prefix of nothing", prefix("", "zzz"), ""},
		{"not", not(term("", "conseil")), "ar1 ar2 ar3 en1 en2"},
		{"not looks at the whole article", not(term("body", "taxes")), "ar1 ar2 ar3 en2 fr1 fr2"},
		{"not of an unknown word", not(term("", "absent")), "ar1 ar2 ar3 en1 en2 fr1 fr2"},
		{"not of an unknown prefix", not(prefix("", "absent")), "ar1 ar2 ar3 en1 en2 fr1 fr2"},
		{"unknown prefix and not", and(prefix("", "absent"), not(term("", "conseil"))), ""},
		{"not of all", not(query.All{}), ""},
		{"not not", not(not(term("", "conseil"))), "fr1 fr2"},
		{"and spans fields", and(term("title", "onu"), term("body", "conseil")), "fr2"},
		{"or", or(term("", "onu"), term("", "taxes"), query.All{}), "ar1 ar2 ar3 en1 en2 fr1 fr2"},
		{"and of not", and(term("", "taxes"), not(term("", "government"))), "en2"},
		{"or of not", or(term("title", "onu"), not(keyword("lang", "ar"))), "en1 en2 fr1 fr2"},
		{"language", keyword("lang", "AR"), "ar1 ar2 ar3"},
		{"publisher's country", and(keyword("source.country", "MA"), term("", "onu")), "fr2"},
		{"nested", and(or(term("", "conseil"), term("", "مغرب")), not(and(term("", "etat"), not(term("", "onu"))))), "ar1 ar2 ar3 fr2"},
		{"word longer than any", term("", long), ""},
		{"empty word", term("", ""), ""},
	} {
		tests = append(tests, test{c.name, func(t *testing.T, x index) {
			x.write(t, corpus()...)
			wantIDs(t, x.find(t, search.Request{Query: c.node}), strings.Fields(c.want)...)
		}})
	}
	return append(tests, test{"repeated word", repeatedWord})
}

// repeatedWord searches a long hostile text, which must not take long.
func repeatedWord(t *testing.T, x index) {
	x.write(t, news("a", body(strings.Repeat("na ", 200_000)+"batman")))
	wantIDs(t, x.find(t, search.Request{Query: phrase("", "na", "na", "na", "batman")}), "a")
	wantIDs(t, x.find(t, search.Request{Query: phrase("", "batman", "na")}))
}
