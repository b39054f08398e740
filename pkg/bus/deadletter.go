package bus

import (
	"context"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Headers of a dead letter, beside those of the source record, which are kept
// as they were. Key and value are the source record's own bytes.
const (
	DeadStage     = "dlq.stage"     // who gave up
	DeadReason    = "dlq.reason"    // why
	DeadAttempts  = "dlq.attempts"  // how often it was tried
	DeadTopic     = "dlq.topic"     // where the record lay
	DeadPartition = "dlq.partition" //
	DeadOffset    = "dlq.offset"    //
	DeadWritten   = "dlq.written"   // when the source record was written, RFC 3339
	DeadFailed    = "dlq.failed"    // when it was given up, RFC 3339
	DeadBuild     = "dlq.build"     // the program's version
)

const maxReason = 4 << 10

// DeadLetter turns a record that cannot be processed into the message that
// keeps it for inspection and replay.
func DeadLetter(r Record, stage, reason string, attempts int, failed time.Time) Message {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "…"
	}
	hs := make([]Header, 0, len(r.Headers)+9)
	for _, h := range r.Headers {
		if !strings.HasPrefix(h.Key, "dlq.") { // of an earlier failure, before a replay
			hs = append(hs, h)
		}
	}
	for _, kv := range [][2]string{
		{DeadStage, stage}, {DeadReason, reason}, {DeadAttempts, strconv.Itoa(attempts)},
		{DeadTopic, r.Topic}, {DeadPartition, strconv.Itoa(r.Partition)}, {DeadOffset, strconv.FormatInt(r.Offset, 10)},
		{DeadWritten, r.Time.UTC().Format(time.RFC3339Nano)}, {DeadFailed, failed.UTC().Format(time.RFC3339Nano)},
		{DeadBuild, Build()},
	} {
		hs = append(hs, Header{Key: kv[0], Value: []byte(kv[1])})
	}
	return Message{Key: r.Key, Value: r.Value, Headers: hs}
}

// Revive turns a dead letter back into the message it was, and names the topic
// it came from. ok is false where the record is no dead letter.
func Revive(r Record) (m Message, topic string, ok bool) {
	topic = r.Header(DeadTopic)
	if topic == "" {
		return Message{}, "", false
	}
	m = Message{Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		if !strings.HasPrefix(h.Key, "dlq.") {
			m.Headers = append(m.Headers, h)
		}
	}
	return m, topic, true
}

// bury writes dead letters, for as long as it takes: an offset must not be
// committed before. The caller takes back the outage that it may report.
func (p *partition) bury(ctx context.Context, msgs []Message) error {
	back := backoff{min: 100 * time.Millisecond, max: 5 * time.Second}
	for {
		err := p.c.cfg.DeadLetters.Write(ctx, msgs...)
		if err == nil {
			return nil
		}
		if lasting(err, back.n) {
			p.c.setOutage(p.id, err)
		}
		p.c.log.Error("writing dead letters, trying again", zap.Int("partition", p.id), zap.Error(err))
		if err := back.wait(ctx); err != nil {
			return err
		}
	}
}

// Build is the version of the running program: module version or VCS revision.
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
