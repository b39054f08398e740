// Package bus is Marsad's use of Kafka: the topics, a consumer that commits
// only what is durable, a producer that acknowledges only what is replicated,
// dead letters, and a reader that follows a topic without a group.
package bus

import (
	"context"
	"fmt"
	"time"
)

// Header is a Kafka record header.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record read from Kafka. Its byte slices belong to the
// receiver.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   []Header
	Time      time.Time
}

// Header gives the last value under key, or "".
func (r *Record) Header(key string) string {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == key {
			return string(r.Headers[i].Value)
		}
	}
	return ""
}

// Size is the number of bytes that r holds, for bounds on memory.
func (r *Record) Size() int {
	n := len(r.Key) + len(r.Value) + 64
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// Message is one record to be written.
type Message struct {
	Topic string
	// Partition to write to; nil leaves it to the hash of Key.
	Partition *int
	Key       []byte
	Value     []byte // nil is a tombstone on a compacted topic
	Headers   []Header
}

// Handler processes a batch of records of one partition, in order of offset.
// nil means that all of them are durably done. A *BatchError names those that
// are not, the others are done; any other error says that the whole batch is
// to be tried again. A Handler returns soon after ctx is done.
type Handler func(ctx context.Context, batch []Record) error

// Disposition is what is to be done with a record that failed.
type Disposition uint8

// The values of Disposition.
const (
	Retry  Disposition = iota // try again for as long as it takes: the fault lies elsewhere
	Doubt                     // try again a bounded number of times, then dead-letter
	Reject                    // dead-letter at once: the record itself is at fault
)

// RecordError is one record of a batch that failed.
type RecordError struct {
	Index int // in the batch
	Err   error
	Do    Disposition
}

// BatchError names the records of a batch that failed; those not named are
// durably done.
type BatchError struct{ Records []RecordError }

func (e *BatchError) Error() string {
	return fmt.Sprintf("%d records failed, the first: %v", len(e.Records), e.Records[0].Err)
}

// OutageError says that nothing can be processed for now, whatever the
// record: refused credentials, a blocked index, a record of a newer schema.
// The consumer stops taking records, reports not ready and tries again slowly;
// nothing is skipped.
type OutageError struct{ Err error }

func (e *OutageError) Error() string { return e.Err.Error() }
func (e *OutageError) Unwrap() error { return e.Err }
