package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/marsad-news/marsad/cmd/marsad/internal/check"
)

// A marsad that runs has nothing that fails; the broker is looked at while the
// services work.
func TestCheckEmbedded(t *testing.T) {
	data := t.TempDir()
	p := startProcess(t, data)
	defer p.kill()
	code, out, said := run("check", "--data", data)
	if code != 0 || !strings.Contains(out, "all brokers reached: 1") || !strings.Contains(out, "topics can be read and written") {
		t.Errorf("exit %d\n%s\n%s", code, out, said)
	}
}

// Without a marsad and without a cluster, check says how to get one, and shows
// no password.
func TestCheckNothing(t *testing.T) {
	t.Setenv("MARSAD_KAFKA_SASL_PASSWORD", "secret")
	code, out, said := run("check", "--json", "--data", t.TempDir(), "--set", "elasticsearch.addresses=[search:9200]")
	if code != 1 || !strings.Contains(said, "findings fail") {
		t.Errorf("exit %d\n%s\n%s", code, out, said)
	}
	if strings.Contains(out, "secret") {
		t.Errorf("a password is shown:\n%s", out)
	}
	want := map[string]bool{
		"set by MARSAD_KAFKA_SASL_PASSWORD, --set elasticsearch.addresses": false,
		"no marsad runs over data folder":                                  false,
		"but no broker":                                                    false,
		"not a URL":                                                        false,
	}
	for line := range strings.Lines(out) {
		var f check.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if f.Level == check.Fail && f.Do == "" {
			t.Errorf("nothing to do about %q", f.What)
		}
		for w := range want {
			want[w] = want[w] || strings.Contains(f.What, w)
		}
	}
	for w, found := range want {
		if !found {
			t.Errorf("%q is not said:\n%s", w, out)
		}
	}
	if code, _, _ := run("check", "now"); code != exitUsage {
		t.Errorf("with an argument: exit %d", code)
	}
}
