package elastic

import "time"

// limit is how many bulk requests may be under way at once. It adapts as TCP
// does: each request that goes through adds a fraction, so that the limit
// rises by one when as many have gone through as it allows; congestion (429,
// 502–504, a time-out, no connection) halves it, once for all requests that
// were under way at the time. Additive increase, multiplicative decrease:
// Chiu and Jain, 1989. Not safe for concurrent use.
type limit struct {
	most      int
	current   float64
	decreased time.Time
}

// newLimit starts in the middle, at two or less.
func newLimit(most int) limit { return limit{most: most, current: float64(min(most, 2))} }

func (l *limit) allowed() int { return int(l.current) }

// passed is told of a request that went through.
func (l *limit) passed() { l.current = min(l.current+1/l.current, float64(l.most)) }

// congested is told of one that did not, and when it began.
func (l *limit) congested(began, now time.Time) {
	if began.After(l.decreased) {
		l.current, l.decreased = max(1, l.current/2), now
	}
}
