package kb

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/marsad-news/marsad/pkg/text"
)

func load(tb testing.TB) *Base {
	tb.Helper()
	b, err := Load()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestEntries is the linter of the tables.
func TestEntries(t *testing.T) {
	b := load(t)
	id := regexp.MustCompile(`^(Q[1-9][0-9]*|geonames:[0-9]+|m49:[0-9]{3}|marsad:[a-z0-9-]+)$`)
	seen := map[string]bool{}
	for _, e := range b.entries {
		if !id.MatchString(e.ID) || seen[e.ID] {
			t.Errorf("id %q is malformed or there twice", e.ID)
		}
		seen[e.ID] = true
		if e.QID != "" && e.QID != e.ID {
			t.Errorf("%s has the Q-id %s", e.ID, e.QID)
		}
		if e.Label("en") == "" || e.Type == "" || e.Kind == NoKind {
			t.Errorf("%s lacks label, type or kind", e.ID)
		}
		if e.Country != "" && len(e.Country) != 2 {
			t.Errorf("%s: country %q", e.ID, e.Country)
		}
		if e.Location != nil && (e.Location.Lat < -90 || e.Location.Lat > 90 || e.Location.Lon < -180 || e.Location.Lon > 180) {
			t.Errorf("%s: location %v", e.ID, *e.Location)
		}
		if ar := e.labels[arabic]; ar != "" && text.Tokens(ar)[0].Script != text.Arabic {
			t.Errorf("%s: Arabic label %q", e.ID, ar)
		}
		for _, i := range []int{french, english} {
			if l := e.labels[i]; l != "" && !utf8.ValidString(l) || strings.Contains(l, "|") {
				t.Errorf("%s: label %q", e.ID, l)
			}
		}
		if e.Kind == Country && (e.labels[arabic] == "" || e.labels[french] == "") {
			t.Errorf("%s lacks an Arabic or French name", e.ID)
		}
	}
	if b.Len() < 7000 {
		t.Errorf("%d entries", b.Len())
	}
}

func TestNames(t *testing.T) {
	b := load(t)
	for _, c := range []struct{ name, id, en string }{
		{"المغرب", "Q1028", "Morocco"}, {"Maroc", "Q1028", "Morocco"}, {"اسبانيا", "Q29", "Spain"}, {"إسبانيا", "Q29", "Spain"},
		{"السعودية", "Q851", "Saudi Arabia"}, {"الإمارات", "Q878", "United Arab Emirates"}, {"أميركا", "Q30", "United States"},
		{"États-Unis", "Q30", "United States"}, {"USA", "Q30", "United States"}, {"Grande-Bretagne", "Q145", "United Kingdom"},
		{"Côte d’Ivoire", "Q1008", "Ivory Coast"}, {"ساحل العاج", "Q1008", "Ivory Coast"}, {"Rabat", "Q3551", "Rabat"}, {"القاهرة", "Q85", "Cairo"},
		{"Le Caire", "Q85", "Cairo"}, {"Londres", "Q84", "London"}, {"Washington", "Q61", "Washington"}, {"الدار البيضاء", "geonames:2553604", "Casablanca"},
		{"نيويورك", "geonames:5128581", "New York"}, {"Jérusalem", "geonames:281184", "Jerusalem"},
	} {
		a := b.Find(c.name)
		if a == nil || len(a.Entries) == 0 {
			t.Errorf("nobody is called %s", c.name)
			continue
		}
		if e := a.Entries[0]; e.ID != c.id || e.Label("en") != c.en || b.Label(c.id, "en") != c.en {
			t.Errorf("%s is %s %s, want %s %s", c.name, e.ID, e.Label("en"), c.id, c.en)
		}
	}
	// hyphenated names are never reduced to their parts, and words are no names
	for _, name := range []string{"Unis", "États", "الهرسك", "المغربي", "français", "Moroccan", "", "E U", "مدينة"} {
		if a := b.Find(name); a != nil && len(a.Entries) > 0 && a.Rule != Drop {
			t.Errorf("%q is a name of %s", name, a.Entries[0].ID)
		}
	}
}

func TestDemonyms(t *testing.T) {
	b := load(t)
	for form, want := range map[string]string{"مغربي": "MA", "مصريه": "EG", "moroccan": "MA", "francaise": "FR", "table": ""} {
		if got := b.Demonym(form); got != want {
			t.Errorf("Demonym(%s) = %q, want %q", form, got, want)
		}
	}
}

func TestMatchTakesTheLongest(t *testing.T) {
	b := load(t)
	tokens := text.Tokens("Papua New Guinea")
	joined := []bool{false, true, true}
	var lengths []int
	b.Match(tokens, joined, 0, tokens[0].Form, func(_ *Alias, n int) bool { lengths = append(lengths, n); return n == 3 })
	if len(lengths) != 1 || lengths[0] != 3 {
		t.Errorf("offered %v", lengths)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
