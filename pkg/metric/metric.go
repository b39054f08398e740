// Package metric registers Prometheus collectors so that several services in
// one process may share them.
package metric

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Register registers c with reg and returns it, or the equal collector that
// was registered before. A nil reg registers nothing. Two unequal collectors
// of one name are a programming error and panic, as in the prometheus package.
func Register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	var dup prometheus.AlreadyRegisteredError
	if errors.As(err, &dup) {
		if same, ok := dup.ExistingCollector.(C); ok {
			return same
		}
	}
	if err != nil {
		panic(err)
	}
	return c
}

// Latency gives buckets in seconds for delays from a millisecond to ten
// minutes.
func Latency() []float64 {
	return []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 600}
}
