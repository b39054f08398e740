package query

import (
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

const benchQuery = `(المغرب OR "وزارة الداخلية" OR maroc OR "chef du gouvernement") (حكوم* OR gouvern*) NOT (رياضة OR sport) lang:(ar OR fr)`

// benchArticles are of 400 words each, as news are.
func benchArticles() map[string]*article.Article {
	return map[string]*article.Article{
		"ar": {
			Title: "وزير الداخلية يستقبل نظيره الفرنسي بالرباط", Language: "ar",
			Body: strings.Repeat("أعلنت وزارة الداخلية، اليوم الجمعة بالرباط، أن المصالح الأمنية المغربية تمكنت من تفكيك خلية إرهابية موالية لتنظيم داعش تنشط بمدن الدار البيضاء وطنجة وفاس.\n", 16),
		},
		"fr": {
			Title: "Le ministre de l'Intérieur reçoit son homologue français à Rabat", Language: "fr",
			Body: strings.Repeat("Le ministère de l'Intérieur a annoncé vendredi à Rabat que les services de sécurité marocains ont démantelé une cellule terroriste affiliée à l'organisation.\n", 17),
		},
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(benchQuery); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReset(b *testing.B) {
	for name, a := range benchArticles() {
		b.Run(name, func(b *testing.B) {
			d := NewDoc(a)
			b.ReportAllocs()
			b.SetBytes(int64(len(a.Title) + len(a.Body)))
			for b.Loop() {
				d.Reset(a)
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	queries := map[string]string{
		"term": "المغرب", "phrase": `"تفكيك خلية إرهابية"`, "prefix": "ارهاب*", "mixed": benchQuery,
	}
	d := NewDoc(benchArticles()["ar"])
	for name, s := range queries {
		b.Run(name, func(b *testing.B) {
			q := mustParse(b, s)
			b.ReportAllocs()
			for b.Loop() {
				q.Match(d)
			}
		})
	}
}

// BenchmarkArticle is what the live filter does per article: make it ready,
// match one query.
func BenchmarkArticle(b *testing.B) {
	q := mustParse(b, benchQuery)
	for name, a := range benchArticles() {
		b.Run(name, func(b *testing.B) {
			d := NewDoc(a)
			b.ReportAllocs()
			for b.Loop() {
				d.Reset(a)
				q.Match(d)
			}
		})
	}
}
