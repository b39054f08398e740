package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
)

// What a new user types first.
func TestDemoOnce(t *testing.T) {
	code, out, said := run("demo", "--once", "--data", t.TempDir())
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, out, said)
	}
	for _, want := range []string{
		"balanced: 67 in = 67 out", "refused at the door (400): not JSON at byte", "refused at the door (400): title",
		"searchable",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	t.Log(out)
}

// A second start over the same folder finds what the first stored.
func TestPublishSearchAndRestart(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "article.txt")
	text := "تنسيق مغربي فرنسي لتأمين التظاهرات الرياضية\nالرباط - بحث المسؤولون في المغرب التعاون مع فرنسا.\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, data)
	if code, out, said := run("publish", "--data", data, "--source", "atlas", file); code != 0 || !strings.Contains(out, "1 accepted, 0 refused") {
		t.Fatalf("publish: %d %s%s", code, out, said)
	}
	if code, _, said := runIn(`{"title":1}`, "publish", "--data", data, "-"); code != 1 || !strings.Contains(said, "title: is a JSON number") {
		t.Errorf("publishing a bad article: %d %s", code, said)
	}
	// A reader may see an article a moment before it is durable; after a kill in
	// that moment it comes again from the topic. So each search is repeated until
	// it finds; the test's own time-out bounds it.
	find := func() {
		t.Helper()
		for out := ""; !strings.Contains(out, "1 found"); {
			var code int
			var said string
			if code, out, said = run("search", "--data", data, "تظاهرات رياضية"); code != 0 {
				t.Fatalf("search: %d %s", code, said)
			}
		}
	}
	for range 2 {
		find()
		p.kill()
		p = startProcess(t, data)
	}
	find()
	code, out, said := run("search", "--data", data, "--json", "country:MA source:atlas")
	var a article.Article
	if err := json.Unmarshal([]byte(out), &a); code != 0 || err != nil || a.Language != "ar" || a.Source.ID != "atlas" {
		t.Errorf("search --json: %d %v %s%s", code, err, out, said)
	}
	if code, _, said := run("search", "--data", data, "NOT x"); code != 1 || said == "" {
		t.Errorf("a bad query: %d %q", code, said)
	}
	if code, _, said := run("up", "--data", data, "--listen", "127.0.0.1:0"); code != 1 || !strings.Contains(said, "in use by another marsad") {
		t.Errorf("a second marsad over the folder: %d %q", code, said)
	}
}

func TestEnrichFile(t *testing.T) {
	in := `{"title":"Le Maroc et la France renforcent leur coopération","body":"RABAT - Le ministre de l'Intérieur a reçu mercredi à Rabat son homologue français.","language":"fr","guid":"g","url":"https://e.example/1"}
{"title":5}
{"title":"Spain and Portugal sign an energy agreement in Lisbon"}
`
	code, out, said := runIn(in, "enrich", "-")
	if code != 1 || !strings.Contains(said, "line 2: title") {
		t.Errorf("exit %d, %s", code, said)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	for i, want := range []map[string]bool{{"MA": true, "FR": true}, {"ES": true, "PT": true}} {
		a, err := article.Decode([]byte(lines[i]))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, e := range a.Entities {
			got[e.Country] = true
			for _, m := range e.Mentions {
				field := []rune(map[string]string{"title": a.Title, "body": a.Body}[m.Field])
				if string(field[m.Start:m.End]) != m.Text {
					t.Errorf("mention %+v does not cut its text", m)
				}
			}
		}
		for c := range want {
			if !got[c] {
				t.Errorf("article %d: no place in %s: %+v", i, c, a.Entities)
			}
		}
	}
	first, err := article.Decode([]byte(lines[0]))
	if err != nil || first.GUID != "g" || first.URL != "https://e.example/1" || first.Language != "fr" {
		t.Errorf("guid, url or language did not survive: %+v", first)
	}
}
