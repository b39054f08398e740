package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// fetchWait bounds how long a fetch waits at the broker, and so how long an
// orderly end may wait for it.
const fetchWait = 200 * time.Millisecond

// fetched is the answer to one fetch from one partition.
type fetched struct {
	records []Record // offsets rise, none below the one asked for
	next    int64    // where to go on
	first   int64    // first offset that the broker still has
	end     int64    // high watermark
}

// fetch reads what follows offset: at least one batch if there is any, at
// most about maxBytes; it waits up to fetchWait for the first record.
func (c *Cluster) fetch(ctx context.Context, topic string, partition int, offset int64, maxBytes int) (fetched, error) {
	res, err := c.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: topic, Partition: partition, Offset: offset,
		MinBytes: 1, MaxBytes: int64(maxBytes), MaxWait: fetchWait,
	})
	if err != nil {
		return fetched{}, fmt.Errorf("fetching %s/%d at %d: %w", topic, partition, offset, err)
	}
	if res.Error != nil {
		return fetched{}, fmt.Errorf("fetching %s/%d at %d: %w", topic, partition, offset, res.Error)
	}
	out := fetched{next: offset, first: res.LogStartOffset, end: res.HighWatermark}
	for {
		r, err := res.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return fetched{}, fmt.Errorf("reading %s/%d after %d: %w", topic, partition, out.next, err)
		}
		key, kerr := readBytes(r.Key)
		value, verr := readBytes(r.Value)
		if err := errors.Join(kerr, verr); err != nil {
			return fetched{}, fmt.Errorf("reading %s/%d at %d: %w", topic, partition, r.Offset, err)
		}
		if r.Offset < out.next { // batches may begin before the offset asked for
			continue
		}
		out.next = r.Offset + 1
		out.records = append(out.records, Record{
			Topic: topic, Partition: partition, Offset: r.Offset,
			Key: key, Value: value, Headers: headers(r.Headers), Time: r.Time,
		})
	}
}

func readBytes(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	return protocol.ReadAll(b)
}

func headers(hs []protocol.Header) []Header {
	if len(hs) == 0 {
		return nil
	}
	out := make([]Header, len(hs))
	for i, h := range hs {
		out[i] = Header{Key: h.Key, Value: append([]byte(nil), h.Value...)}
	}
	return out
}
