//go:build eval

package text

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDetectSIB200 prints how many sentences are recognised, given the folder
// of the SIB-200 tables (sib200.<language>.<split>.tsv) in SIB200.
func TestDetectSIB200(t *testing.T) {
	dir := os.Getenv("SIB200")
	d := NewDetector()
	for _, l := range []struct{ code, want string }{{"ara", "ar"}, {"fra", "fr"}, {"eng", "en"}, {"spa", "es"}} {
		for _, split := range []string{"dev", "train"} {
			data, err := os.ReadFile(filepath.Join(dir, "sib200."+l.code+"."+split+".tsv"))
			if err != nil {
				t.Fatal(err)
			}
			answers := map[string]int{}
			for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
				fields := strings.SplitN(line, "\t", 3)
				got, _ := d.Detect(fields[len(fields)-1])
				answers[got]++
			}
			t.Logf("%s %s: %v", l.want, split, answers)
			if other := len(answers); other > 4 || answers[l.want] < 97 {
				t.Errorf("%s %s: %v", l.want, split, answers)
			}
		}
	}
}
