package elastic

import (
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// BenchmarkLines is what the index service does with a record between Kafka
// and Elasticsearch.
func BenchmarkLines(b *testing.B) {
	for lang, text := range map[string]string{
		"ar": "أعلنت وزارة الداخلية المغربية أن المصالح الأمنية أوقفت، بتنسيق مع المديرية العامة لمراقبة التراب الوطني، شخصين. ",
		"fr": "Le ministère de l’Intérieur a annoncé que les services de sécurité ont arrêté deux personnes soupçonnées d’être liées à un réseau. ",
		"en": "The interior ministry said that security services arrested, together with the country's directorate, two people on Tuesday. ",
	} {
		a := news("0123456789abcdef0123456789abcdef")
		a.Language = lang
		a.Body = strings.Repeat(text, 7000/len(text))
		for range 12 {
			a.Entities = append(a.Entities, article.Entity{
				ID: "Q1028", QID: "Q1028", Type: article.Place, Name: "Maroc", Labels: map[string]string{"ar": "المغرب", "fr": "Maroc", "en": "Morocco"}, Count: 3,
				Salience: .1, Location: &article.Location{Lat: 32, Lon: -6}, Country: "MA", By: "kb",
				Mentions: []article.Mention{{Field: "body", Start: 1, End: 6, Text: "Maroc"}, {Field: "body", Start: 9, End: 14, Text: "Maroc"}, {Field: "body", Start: 17, End: 22, Text: "Maroc"}},
			})
		}
		record, err := article.Encode(&a)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(lang, func(b *testing.B) {
			b.SetBytes(int64(len(record)))
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				a, err := article.Decode(record)
				if err != nil {
					b.Fatal(err)
				}
				if buf, err = appendLines(buf[:0], "articles-write-2026.10", &a, a.Version()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
