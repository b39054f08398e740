package service

import (
	"os"
	"runtime"
	"runtime/debug"
)

// LimitMemory tells Go's memory manager that the process may take limit bytes:
// garbage is collected seldom while there is room, and more and more often
// before the limit is reached. A part is left for what Go does not manage.
// GOMEMLIMIT and GOGC in the environment go before it.
func LimitMemory(limit int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 8 * 7)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}

// ballastBytes are never touched, so they take no memory, but they count when
// the garbage collector decides how soon to run again.
const ballastBytes = 64 << 20

// ballast keeps the garbage collector from running many times a second in a
// process that holds little but allocates much: it then runs each time that some
// 64 MiB more than what is held have been allocated. keep is to be called when
// the process ends. GOGC in the environment goes before it.
func ballast() (keep func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	b := make([]byte, ballastBytes)
	return func() { runtime.KeepAlive(b) }
}
