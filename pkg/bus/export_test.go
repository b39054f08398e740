package bus

import (
	"testing"
	"time"
)

// AwaitQueued waits until n records wait to be sent.
func AwaitQueued(t *testing.T, c *Cluster, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		c.writer.mu.Lock()
		waiting := 0
		for _, q := range c.writer.order {
			waiting += len(q.waiting)
		}
		c.writer.mu.Unlock()
		if waiting == n {
			return
		}
	}
	t.Fatalf("never were %d records waiting", n)
}
