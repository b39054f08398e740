//go:build !unix

package cli

import "time"

// cpuTime is not known on this system: figures per core come out infinite.
func cpuTime() time.Duration { return 0 }
