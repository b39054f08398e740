package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// leaveTimeout is how long the last commit and leaving the group may take.
const leaveTimeout = time.Second

// sessions starts a session for each generation of the group until ctx ends,
// and gives the last one, nil where there was none. The library waits a moment
// after most failures; what goes wrong again and again is slowed down here.
func (c *Consumer) sessions(ctx context.Context, group *kafka.ConsumerGroup) (last *session) {
	back := backoff{min: 50 * time.Millisecond, max: 500 * time.Millisecond}
	refused := backoff{min: time.Second, max: 15 * time.Second}
	var leaving sync.WaitGroup
	defer leaving.Wait() // ends with ctx
	for {
		asked := time.Now()
		gen, err := group.Next(ctx)
		if ctx.Err() != nil {
			return last
		}
		if err != nil {
			err = explain(err)
			c.setAway(err)
			c.cfg.Metrics.groupErrors.WithLabelValues(c.cfg.Stage).Inc()
			c.log.Warn("joining the consumer group, trying again", zap.Error(err))
			if last.forget(err) {
				leaving.Go(func() { c.leaveAs(ctx, last.gen.MemberID) })
			}
			if denied(err) {
				_ = refused.wait(ctx) // more often would only lock the user out; Next sees ctx's end
			}
		} else {
			refused.n = 0
			if !last.ended(ctx) {
				return last
			}
			last = c.startSession(ctx, gen)
			c.setSession(last)
		}
		if time.Since(asked) > time.Second {
			back.n = 0
		}
		_ = back.wait(ctx) // Next sees its end
	}
}

// leaveAs ends the membership of member, which was this consumer until the
// library lost its connection and forgot it. Otherwise a group that comes back
// waits for member until its session ends, and nobody is given partitions.
func (c *Consumer) leaveAs(ctx context.Context, member string) {
	back := backoff{min: 100 * time.Millisecond, max: 500 * time.Millisecond}
	for back.wait(ctx) == nil {
		res, err := c.cfg.Cluster.client.LeaveGroup(ctx, &kafka.LeaveGroupRequest{
			GroupID: c.cfg.Group, Members: []kafka.LeaveGroupRequestMember{{ID: member}},
		})
		if err == nil {
			err = errors.Join(res.Error, res.Members[0].Error)
		}
		if err == nil || errors.Is(err, kafka.UnknownMemberId) {
			return
		}
	}
}

// leave waits for the last session to drain, at most DrainTimeout, and for the
// last commit and the leaving, at most leaveTimeout. What goes on after that
// ends by the library's own time-outs, and changes nothing.
func (c *Consumer) leave(group *kafka.ConsumerGroup, last *session) error {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = group.Close() // never fails: see kafka-go
	}()
	timeout := time.NewTimer(leaveTimeout)
	defer timeout.Stop()
	var drained chan struct{}
	if last != nil {
		timeout.Reset(c.cfg.DrainTimeout + leaveTimeout)
		drained = last.drained
	}
	for {
		select {
		case <-drained:
			timeout.Reset(leaveTimeout)
			drained = nil
		case <-left:
			return last.uncommitted()
		case <-timeout.C:
			return errors.Join(last.uncommitted(), fmt.Errorf("%s: leaving group %s took too long: Kafka does not answer, or a handler does not end", c.cfg.Stage, c.cfg.Group))
		}
	}
}
