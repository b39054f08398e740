package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/cmd/marsad/internal/app"
	"github.com/marsad-news/marsad/pkg/bus"
)

// junk makes the i-th piece of input that nobody should send, with its
// Content-Type. The same i gives the same junk.
func junk(i int) (contentType string, body []byte) {
	rnd := rand.New(rand.NewPCG(1, uint64(i)))
	random := func(n int) []byte {
		b := make([]byte, n)
		for j := range b {
			b[j] = byte(rnd.Uint32())
		}
		return b
	}
	valid := []byte(fmt.Sprintf(`{"guid":"junk-%d","title":"عنوان %d","body":"%s"}`, i, i, strings.Repeat("نص ", rnd.IntN(200))))
	kinds := []string{"application/json", "application/x-ndjson", "text/plain", "text/plain; charset=windows-1256", "application/octet-stream", ""}
	contentType = kinds[rnd.IntN(len(kinds))]
	switch i % 12 {
	case 0: // truncated anywhere
		return "application/json", valid[:rnd.IntN(len(valid))]
	case 1: // another charset
		return "application/json", []byte("{\"title\":\"\xe3\xd1\xd5\xcf\"}")
	case 2: // deep
		n := 1000 + rnd.IntN(200_000)
		return "application/json", []byte(strings.Repeat(`{"a":[`, n) + strings.Repeat("]}", n))
	case 3: // null bytes
		return contentType, bytes.ReplaceAll(valid, []byte(" "), []byte{0})
	case 4: // bidirectional controls
		return "text/plain", []byte("\u202e\u2066" + strings.Repeat("\u202a", rnd.IntN(1000)) + "title\nbody \u2069")
	case 5: // empty in many ways
		return contentType, [][]byte{nil, {}, []byte(" \n\t"), []byte("{}"), []byte("[]"), []byte("null"), []byte("[null]"), []byte(`""`)}[rnd.IntN(8)]
	case 6: // noise
		return contentType, random(rnd.IntN(100_000))
	case 7: // wrong types
		return "application/json", []byte(`{"title":["a"],"body":{"b":1},"source":7,"published":"soon"}`)
	case 8: // one endless word, many combining marks
		return "text/plain", []byte("t\n" + strings.Repeat("\u0301", 200_000) + strings.Repeat("x", 500_000))
	case 9: // bits flipped
		b := bytes.Clone(valid)
		for range 5 {
			b[rnd.IntN(len(b))] ^= byte(1 << rnd.IntN(8))
		}
		return "application/json", b
	case 10: // many small items, some broken
		return "application/x-ndjson", bytes.Repeat([]byte("{\"title\":\"a\"}\n{\n"), 2000)
	}
	if i%120 == 11 {
		return "text/plain", bytes.Repeat([]byte("fifty megabytes of text "), 50<<20/24)
	}
	return "application/json", []byte(`{"title":"a","embargoed":"9999-12-31T23:59:59Z","published":"0001-01-01T00:00:00Z","status":"canceled"}`)
}

// TestJunk sends pieces of junk to the door and past it: each is answered
// with a reason, or ends as a dead letter, or is an article after all; marsad
// goes on.
func TestJunk(t *testing.T) {
	data := t.TempDir()
	p := startProcess(t, data)
	codes := map[int]int{}
	for i := range *junks {
		contentType, body := junk(i)
		req, err := http.NewRequest(http.MethodPost, "http://"+p.addr+"/v1/articles?source=junk", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("junk %d: %v", i, err)
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		codes[res.StatusCode]++
		var said struct {
			Error  string
			Errors []struct{ Error string }
		}
		if err := json.Unmarshal(answer, &said); err != nil {
			t.Fatalf("junk %d: answer %q", i, answer)
		}
		if res.StatusCode != 202 && said.Error == "" && (len(said.Errors) == 0 || said.Errors[0].Error == "") {
			t.Errorf("junk %d: %d without a reason", i, res.StatusCode)
		}
		if res.StatusCode >= 500 {
			t.Errorf("junk %d: %d %s", i, res.StatusCode, answer)
		}
	}
	t.Logf("answers by status: %v", codes)
	letters := junkPastTheDoor(t, data)
	if !push(p.addr, 1) {
		t.Fatal("marsad does not accept articles any more")
	}
	deadline := time.Now().Add(time.Minute)
	for {
		code, out, said := run("search", "--data", data, "source:kill")
		if strings.Contains(out, "1 found") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the article after the junk is not found: %d %s%s", code, out, said)
		}
	}
	if code, out, said := run("dlq", "list", "--data", data, "--stage", "ingest"); code != 0 || !strings.Contains(out, fmt.Sprintf("%d dead letters", letters)) {
		t.Errorf("want %d dead letters: %d %s%.2000s", letters, code, said, out)
	}
	if code, out, _ := run("dlq", "show", "--data", data, "0:0"); code != 0 || !strings.Contains(out, "dlq.reason") {
		t.Errorf("dlq show: %d %.300s", code, out)
	}
	if code, out, said := run("dlq", "replay", "--data", data, "--dry-run", "0:0"); code != 0 || !strings.Contains(out, "1 of 1 dead letters would be replayed") {
		t.Errorf("dlq replay: %d %s%s", code, out, said)
	}
	if code, out, said := run("dlq", "replay", "--data", data, "0:1"); code != 0 || !strings.Contains(out, "1 of 1 dead letters replayed") {
		t.Errorf("dlq replay: %d %s%s", code, out, said)
	}
	for out := ""; !strings.Contains(out, fmt.Sprintf("%d dead letters", letters+1)); { // still junk: it comes back
		if _, out, _ = run("dlq", "list", "--data", data, "--stage", "ingest"); time.Now().After(deadline) {
			t.Fatalf("the replayed letter did not come back:\n%.2000s", out)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err == nil {
		for _, l := range strings.Split(string(status), "\n") {
			if strings.HasPrefix(l, "VmHWM") {
				t.Log("peak memory:", l)
			}
		}
	}
}

// junkPastTheDoor writes junk straight into articles.raw and gives how much of
// it cannot be an article.
func junkPastTheDoor(t *testing.T, data string) int {
	t.Helper()
	a, err := app.ReadAddress(data)
	if err != nil {
		t.Fatal(err)
	}
	c, err := bus.NewCluster(bus.ClusterConfig{Brokers: []string{a.Kafka}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw := bus.NewProducer(c, bus.TopicRaw)
	defer raw.Close()
	values := [][]byte{nil, {}, {0}, []byte("\xff\xfe"), []byte("{"), []byte(`{"title":1}`), []byte(`{"guid":"x"}`), []byte("[]"),
		bytes.Repeat([]byte("["), 100_000), []byte("a\x00b"), bytes.Repeat([]byte("x"), 7<<20)}
	for _, v := range values {
		if err := raw.Write(t.Context(), bus.Message{Key: []byte("junk"), Value: v}); err != nil {
			t.Fatal(err)
		}
	}
	return len(values)
}
