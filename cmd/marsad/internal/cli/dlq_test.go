package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
)

// A replay brings back neither what was retracted since, nor what is no letter
// of Marsad's.
func TestReplayLeavesRetractedAlone(t *testing.T) {
	c := bustest.New(t, 1)
	seen := bus.NewProducer(c, bus.TopicSeen)
	defer seen.Close()
	for _, state := range []string{`{"id":"gone","status":"usable"}`, `{"id":"gone","status":"canceled"}`, `{"id":"here","status":"usable"}`} {
		if err := seen.Write(t.Context(), bus.Message{Key: []byte(state[7:11]), Value: []byte(state)}); err != nil {
			t.Fatal(err)
		}
	}
	letter := func(topic, key string) bus.Message {
		return bus.DeadLetter(bus.Record{Topic: topic, Key: []byte(key), Value: []byte("v " + key)}, "enrich", "why", 1, time.Now())
	}
	dead := bus.NewProducer(c, bus.TopicDead)
	defer dead.Close()
	err := dead.Write(t.Context(),
		letter(bus.TopicClean, "gone"), letter(bus.TopicClean, "here"), letter(bus.TopicRaw, "gone"),
		letter("somebody.elses", "x"), letter(bus.TopicDead, "x"), bus.Message{Key: []byte("no letter")},
	)
	if err != nil {
		t.Fatal(err)
	}
	letters, err := findLetters(t.Context(), c, &letterFilter{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := replayLetters(t.Context(), c, &out, letters, 1000, false); err != nil {
		t.Fatal(err)
	}
	if said := out.String(); !strings.Contains(said, "article gone was retracted") || !strings.Contains(said, "2 of 6 dead letters replayed") {
		t.Errorf("said %s", said)
	}
	for topic, want := range map[string]string{bus.TopicClean: "v here", bus.TopicRaw: "v gone"} {
		var got []string
		if _, err := c.ReadAll(t.Context(), topic, 0, func(r bus.Record) error { got = append(got, string(r.Value)); return nil }); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s holds %q, want %q", topic, got, want)
		}
	}
}
