package language

import (
	"context"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

func TestApply(t *testing.T) {
	d := New()
	for _, c := range []struct{ given, body, want string }{
		{"", "قال وزير الخارجية إن البلدين اتفقا على تعزيز التعاون", "ar"},
		{"", "Le ministre a annoncé que le gouvernement va présenter un projet de loi", "fr"},
		{"", "The minister said that the government would present a bill to parliament", "en"},
		{"fr", "The minister said that the government would present a bill", "fr"},
		{"AR_ma", "", "ar-MA"},
		{" fra ", "", "fr"},
		{"und", "", Undetermined},
		{"no such language", "12345", Undetermined},
		{"", "", Undetermined},
	} {
		a := article.Article{Language: c.given, Body: c.body}
		if err := d.Apply(context.Background(), &a); err != nil || a.Language != c.want {
			t.Errorf("given %q, %q: %q, %v; want %q", c.given, c.body, a.Language, err, c.want)
		}
	}
}
