package medtop

import (
	"slices"
	"testing"
)

func TestVocabulary(t *testing.T) {
	v, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	top := 0
	for _, term := range v.All() {
		if term.Label("en") == "" {
			t.Errorf("%s has no English label", term.ID)
		}
		if term.Parent == "" && !term.Retired {
			top++
		}
		if s := term.Successor; s != "" {
			if next, ok := v.Term(s); !ok || next.Retired || !term.Retired {
				t.Errorf("%s: successor %s is unknown or retired, or the term is live", term.ID, s)
			}
		}
		for _, b := range v.Broader(term.ID) {
			if p, ok := v.Term(b); !ok || p.Retired && !term.Retired {
				t.Errorf("%s: broader %s is unknown or retired", term.ID, b)
			}
		}
	}
	if top != 17 {
		t.Errorf("%d top terms, want 17", top)
	}
	for _, c := range []struct{ id, lang, want string }{
		{"medtop:20000103", "en", "terrorism"},
		{"medtop:15000000", "ar", "رياضة"},
		{"medtop:15000000", "ar-MA", "رياضة"},
		{"medtop:15000000", "fr", "Sport"},
		{"medtop:15000000", "de", "sport"},
		{"medtop:99999999", "en", ""},
	} {
		if got := v.Label(c.id, c.lang); got != c.want {
			t.Errorf("Label(%s, %s) = %q, want %q", c.id, c.lang, got, c.want)
		}
	}
	if got, want := v.Broader("medtop:20000103"), []string{"medtop:20000082", "medtop:02000000"}; !slices.Equal(got, want) {
		t.Errorf("Broader(terrorism) = %v, want %v", got, want)
	}
}
