package service

import (
	"os"
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
