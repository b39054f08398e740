package bus

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
)

// Header keys: CloudEvents attributes in Kafka's binary mode (CloudEvents
// Kafka protocol binding 1.0.2) and W3C Trace Context.
const (
	HeaderContentType = "content-type"
	HeaderTraceParent = "traceparent"
	HeaderID          = "ce_id"
	HeaderType        = "ce_type"
	HeaderSource      = "ce_source"
	HeaderTime        = "ce_time"
	HeaderSpecVersion = "ce_specversion"
)

// The values of HeaderType.
const (
	TypeReceived  = "news.marsad.article.received"
	TypeClean     = "news.marsad.article.clean"
	TypeEnriched  = "news.marsad.article.enriched"
	TypeRetracted = "news.marsad.article.retracted"
)

// EventHeaders are the headers of a record that carries an event: its
// CloudEvents attributes, and a trace that continues parent (a traceparent; an
// invalid or empty one starts a new trace).
func EventHeaders(id, typ, source, parent string, at time.Time) []Header {
	kv := func(k, v string) Header { return Header{Key: k, Value: []byte(v)} }
	return []Header{
		kv(HeaderContentType, "application/json"), kv(HeaderSpecVersion, "1.0"),
		kv(HeaderID, id), kv(HeaderType, typ), kv(HeaderSource, source),
		kv(HeaderTime, at.UTC().Format(time.RFC3339Nano)), kv(HeaderTraceParent, TraceParent(parent)),
	}
}

// TraceParent makes a traceparent (W3C Trace Context, version 00) for a new
// span under parent, or of a new trace where parent is not valid.
func TraceParent(parent string) string {
	trace, flags := TraceID(parent), "00"
	if trace == "" {
		trace = randomHex(16)
	} else {
		flags = parent[53:55]
	}
	return "00-" + trace + "-" + randomHex(8) + "-" + flags
}

// TraceID gives the trace id within a traceparent, or "" where it is invalid.
func TraceID(parent string) string {
	if len(parent) != 55 || parent[:3] != "00-" || parent[35] != '-' || parent[52] != '-' {
		return ""
	}
	trace, span, flags := parent[3:35], parent[36:52], parent[53:]
	if !isHex(trace) || !isHex(span) || !isHex(flags) || strings.Trim(trace, "0") == "" || strings.Trim(span, "0") == "" {
		return ""
	}
	return trace
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: see crypto/rand
	return hex.EncodeToString(b)
}
