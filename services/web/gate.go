package web

import (
	"context"
	"errors"
	"sync"
)

// Why a stream is not let in, or is ended.
var (
	errFull     = errors.New("too many live streams are open: try again in a few seconds")
	errDraining = errors.New("this instance is shutting down: reconnect, another one continues")
)

// gate bounds the number of streams and ends them all on close. Safe for
// concurrent use.
type gate struct {
	mu     sync.Mutex
	max    int
	open   map[*ticket]bool
	closed bool
	idle   chan struct{} // closed once closed and empty
}

type ticket struct{ cancel context.CancelCauseFunc }

func newGate(limit int) *gate {
	return &gate{max: limit, open: map[*ticket]bool{}, idle: make(chan struct{})}
}

// enter lets a stream in; cancel is called with errDraining when it must end,
// leave is to be called when it has ended.
func (g *gate) enter(cancel context.CancelCauseFunc) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, errDraining
	case len(g.open) >= g.max:
		return nil, errFull
	}
	t := &ticket{cancel: cancel}
	g.open[t] = true
	return func() { g.leave(t) }, nil
}

func (g *gate) leave(t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, t)
	if g.closed && len(g.open) == 0 {
		close(g.idle)
	}
}

// close ends all streams; the channel is closed once the last has left. To be
// called once.
func (g *gate) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for t := range g.open {
		t.cancel(errDraining)
	}
	if len(g.open) == 0 {
		close(g.idle)
	}
	return g.idle
}
