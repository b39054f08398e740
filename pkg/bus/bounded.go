package bus

import (
	"context"
	"net"
	"time"
)

// callTimeout bounds each call to a broker, so that one which takes
// connections but does not answer cannot hold anybody up. The connection of a
// call that ran into it is closed.
const callTimeout = 5 * time.Second

// createTimeout bounds the creation of topics, which waits for many leaders.
const createTimeout = 30 * time.Second

// dialBounded opens a connection on which no read or write waits for ever.
// The library sets deadlines for its calls, but none while it logs in.
func dialBounded(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return boundedConn{conn}, nil
}

// boundedConn takes "no deadline" for callTimeout from now: it is for clients
// that set a deadline for every call.
type boundedConn struct{ net.Conn }

func bounded(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().Add(callTimeout)
	}
	return t
}

func (c boundedConn) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(bounded(t)) }
func (c boundedConn) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(bounded(t)) }
func (c boundedConn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(bounded(t)) }
