package elastic

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/article"
)

// sample is an article of a dry run and queries that must find it alone.
type sample struct {
	article article.Article
	queries []string
}

// samples are made up. Every field of article.Article is filled, as after
// enrichment; the English one has a word longer than Lucene's analysers take.
func samples() []sample {
	long := strings.Repeat("long", 80)
	return []sample{
		{
			filled("ar", "الرباط وباريس توقعان اتفاقا جديدا", "الرباط - أعلنت الحكومة بالمغرب توقيع اتفاق للتعاون الأمني.\nوقال المسؤول إن العمل يبدأ غدا.", "المغرب", "بالمغرب"),
			[]string{"المغرب", "title:اتفاق* AND lang:ar", `"التعاون الامني"`},
		},
		{
			filled("fr", "L’été s’achève à Rabat", "RABAT – Le Maroc a signé un accord de sécurité.\nLes travaux commenceront demain.", "Maroc", "Maroc"),
			[]string{"ete AND securite", "lang:fr AND title:Rabat", `"accord de sécurité"`},
		},
		{
			filled("en", "Morocco opens a railway", "RABAT - The railway in Morocco carries "+long+" trains.\nMore follow in spring.", "Morocco", "Morocco"),
			[]string{"railway", long, "lang:en AND entity:Q1028 AND topic:medtop:04000000"},
		},
	}
}

// filled makes an article about one place, which the body mentions by the
// given text.
func filled(language, title, body, place, mention string) article.Article {
	at := time.Date(2026, time.October, 24, 9, 0, 0, 0, time.UTC)
	start := utf8.RuneCountInString(body[:strings.Index(body, mention)])
	return article.Article{
		Schema: article.SchemaVersion, Revision: 1, Generation: 1, Bucket: at.Format("2006-01"), Status: article.Usable, Language: language,
		Source: article.Source{ID: "marsad-check", Name: "marsad check", Country: "MA"},
		GUID:   "marsad-check-" + language, URL: "https://example.org/check?lang=" + language + "&a=<b>",
		Title: title, Body: body, Byline: "Marsad", Published: at, FirstPublished: at, Embargoed: at, Received: at, Enriched: at,
		Entities: []article.Entity{{
			ID: "Q1028", QID: "Q1028", Type: article.Place, Name: place, Labels: map[string]string{"ar": "المغرب", "fr": "Maroc", "en": "Morocco"},
			Count: 1, Salience: 0.5, Location: &article.Location{Lat: 32, Lon: -6}, Country: "MA", By: "kb",
			Mentions: []article.Mention{{Field: "body", Start: start, End: start + utf8.RuneCountInString(mention), Text: mention}},
		}},
		Topics: []article.Topic{{
			ID: "medtop:20000170", Name: "business information", Broader: []string{"medtop:04000000"}, Score: 0.7, Evidence: []string{mention},
		}},
	}
}
