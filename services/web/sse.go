package web

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// endTime is how long a stream that must end may take to say so.
const endTime = 200 * time.Millisecond

// eventWriter writes server-sent events (WHATWG HTML, section 9.2). Every
// write must be taken by the client within the time-out. One goroutine writes;
// end may be called from another.
type eventWriter struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	buf     []byte // of what stands before the data

	mu     sync.Mutex // over the deadline
	ending bool
}

func newEventWriter(w http.ResponseWriter, timeout time.Duration) *eventWriter {
	return &eventWriter{w: w, rc: http.NewResponseController(w), timeout: timeout}
}

// end leaves the stream a last moment, also in a write that blocks.
func (o *eventWriter) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ending = true
	o.rc.SetWriteDeadline(time.Now().Add(endTime)) //nolint:errcheck // where unsupported, writes do not block
}

// arm starts the time-out of a write.
func (o *eventWriter) arm() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ending {
		o.rc.SetWriteDeadline(time.Now().Add(o.timeout)) //nolint:errcheck // as in end
	}
}

// event writes one event. data has no line breaks.
func (o *eventWriter) event(id, name string, data []byte) error {
	o.arm()
	o.buf = append(o.buf[:0], "id: "...)
	o.buf = append(o.buf, id...)
	o.buf = append(o.buf, "\nevent: "...)
	o.buf = append(o.buf, name...)
	o.buf = append(o.buf, "\ndata: "...)
	for _, b := range [][]byte{o.buf, data, []byte("\n\n")} {
		if _, err := o.w.Write(b); err != nil {
			return fmt.Errorf("writing an event: %w", err)
		}
	}
	return nil
}

// comment writes a line that clients ignore.
func (o *eventWriter) comment(s string) error {
	o.arm()
	_, err := o.w.Write([]byte(": " + s + "\n\n"))
	return err
}

// retry tells the client how long to wait before it reconnects.
func (o *eventWriter) retry(d time.Duration) error {
	o.arm()
	_, err := o.w.Write([]byte("retry: " + strconv.FormatInt(d.Milliseconds(), 10) + "\n\n"))
	return err
}

// flush sends what was written.
func (o *eventWriter) flush() error {
	o.arm()
	return o.rc.Flush()
}
