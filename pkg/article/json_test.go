package article

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzJSON holds the fast decoder and encoder against encoding/json: the same
// records are taken, with the same content, and written byte for byte alike.
func FuzzJSON(f *testing.F) {
	a := full()
	b, err := Encode(&a)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		string(b), string(b) + "x", "{}", "null", "[]", `{"revision":1e2}`, `{"revision":9223372036854775808}`, `{"ID":"upper","iD":null}`,
		`{"id":"a","id":"b"}`, `{"title":"\u0000\ud800\udc00\ud800x\u2028\/\b"}`, "{\"title\":\"a\nb\"}", `{"published":"2026-02-30T00:00:00Z"}`,
		`{"entities":[{"salience":-0,"location":null,"labels":{"a":"1","a":"2"}},null]}`, `{"entities":[{"salience":1e-7}]}`, `{"x":[{"y":[1.5e+3,true,null]}],"id":"z"}`,
		`{"id":"a",}`, `{"id" "a"}`, `{"revision":01}`, `{"revision":-}`, `{"x":+1}`, `{"x":.5}`, `{"x":1.}`, `{"x":nul}`, `{"x":"\x"}`, `{"x":"\u12"}`,
		`{"x":[1 2]}`, `{"x":[1,]}`, `{"x":{1:2}}`, "{\"x\":\"\x01\"}", `{"id":1}`, "\ufeff{}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if firstInvalidUTF8(b) >= 0 {
			return
		}
		var got, want Article
		gotErr, wantErr := decodeJSON(b, &got), json.Unmarshal(b, &want)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%q: error %v, encoding/json gives %v", b, gotErr, wantErr)
		}
		if wantErr != nil {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-encoding/json +ours):\n%s", b, diff)
		}
		encoded, err := Encode(&got)
		if err != nil {
			return // a time outside the years of RFC 3339
		}
		var std bytes.Buffer
		e := json.NewEncoder(&std)
		e.SetEscapeHTML(false)
		if err := e.Encode(want); err != nil || std.String() != string(encoded)+"\n" {
			t.Fatalf("encoded as %s, encoding/json gives %s (%v)", encoded, std.String(), err)
		}
	})
}
