package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// The form is that of --form, else of the file's name, else of its content.
func TestOpenInputForms(t *testing.T) {
	const newsML = `<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"/>`
	tests := []struct {
		name, form, content string
		want                article.Form
	}{
		{"a.ninjs", "", "", article.Ninjs}, {"a.jsonld", "", "", article.JSONLD}, {"a.newsml", "", "", article.NewsML}, {"a.eml", "", "", article.Mail},
		{"a.json", "ninjs", "", article.Ninjs}, {"a.ndjson", "", "", article.NDJSON}, {"a.txt", "", newsML, article.Text},
		{"a.xml", "", newsML, article.NewsML}, {"a", "", "From: a@b.example\nDate: x\n\nb", article.Mail}, {"a.xml", "", "<html/>", article.Text},
		{"a.rss", "", "", article.Feed}, {"a.xml", "", "<?xml version='1.0'?><rss version='2.0'>", article.Feed}, {"a", "", "<feed>", article.Feed},
	}
	for _, tt := range tests {
		name := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, form, done, err := openInput(name, tt.form, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		_ = done()
		if form != tt.want {
			t.Errorf("%s with --form %q and %.20q is form %d, want %d", tt.name, tt.form, tt.content, form, tt.want)
		}
	}
}
