package enrich

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// dataDigest is the digest of the data that Generation stands for.
const dataDigest = "d6476717d20091eb6300fcd1c57f4f21dc240ff85b52d8999af902d6a07fe809"

// TestGenerationRisesWithTheData fails when data that decides what enrichment
// gives has changed: without a higher generation, the index would keep the
// older article when the new one is replayed.
func TestGenerationRisesWithTheData(t *testing.T) {
	sum := sha256.New()
	for _, pattern := range []string{"../../pkg/kb/data/*.tsv", "../../pkg/medtop/data/*.tsv", "internal/topic/lexicon/*.tsv"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no data (%v)", pattern, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			one := sha256.Sum256(data)
			sum.Write([]byte(filepath.Base(name)))
			sum.Write(one[:])
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != dataDigest {
		t.Errorf("the knowledge base, the topics or a lexicon changed: raise Generation (now %d) in recipe.go and set dataDigest to %q", Generation, got)
	}
}
