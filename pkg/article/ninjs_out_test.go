package article

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncodeNinjs(t *testing.T) {
	a := full()
	a.GUID, a.Byline, a.Embargoed = "urn:newsml:s:1", "سلمى", hour(12)
	b, err := EncodeNinjs(&a)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"standard":{"name":"ninjs","version":"3.1","schema":"http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json"},"uri":"urn:newsml:s:1","type":"text","version":"2",` +
		`"firstCreated":"2026-10-24T09:00:00Z","versionCreated":"2026-10-24T09:00:00Z","embargoedUntil":"2026-10-24T12:00:00Z","pubStatus":"usable","language":"ar",` +
		`"headlines":[{"role":"main","contentType":"text/plain","value":"<عنوان>"}],"bodies":[{"role":"main","contentType":"text/plain","value":"نص & أكثر"}],"by":"سلمى",` +
		`"infoSources":[{"name":"S","role":"publisher","literal":"s"}],"altIds":[{"role":"marsad","value":"a1"}],` +
		`"renditions":[{"name":"web","href":"https://e.example/","contentType":"text/html"}],` +
		`"places":[{"name":"المغرب","rel":"mentions","uri":"http://www.wikidata.org/entity/Q1028","geoJSON":{"type":"Point","coordinates":[-6,32]}}],` +
		`"subjects":[{"name":"terrorism","rel":"about","uri":"http://cv.iptc.org/newscodes/mediatopic/20000103","confidence":90}]}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
	back, err := ReadOne(b, JSON)
	if err != nil {
		t.Fatal(err)
	}
	raw := Raw{Schema: 1, Source: Source{Name: "S"}, GUID: a.GUID, Title: a.Title, Body: a.Body, Byline: a.Byline, Language: "ar", Status: Usable,
		Published: a.Published, Embargoed: a.Embargoed}
	if diff := cmp.Diff(raw, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestEncodeNinjsOfLittle(t *testing.T) {
	a := full()
	a.GUID, a.URL, a.Status = "not a uri", "//x", Canceled
	a.Redact()
	b, err := EncodeNinjs(&a)
	if err != nil || !strings.Contains(string(b), `"uri":"urn:x-marsad:a1"`) || strings.Contains(string(b), "headlines") || !json.Valid(b) {
		t.Errorf("%s, %v", b, err)
	}
	for kind, list := range map[EntityType]string{Person: "people", Organisation: "organisations", Event: "events", Work: "objects", Product: "objects"} {
		a.Entities = []Entity{{ID: "local:1", Type: kind, Name: "n"}}
		if b, err := EncodeNinjs(&a); err != nil || !strings.Contains(string(b), `"`+list+`":[{"name":"n","rel":"mentions","literal":"local:1"}]`) {
			t.Errorf("%s: %s, %v", kind, b, err)
		}
	}
}
