package bus

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// awaitTopic returns true once the consumer's topic is there, and false when
// ctx ends before. Without it a consumer that starts before its topic is
// created would join the group, get no partition, and keep it so: kafka-go
// assigns an unknown topic to nobody, and then watches only how the number of
// partitions changes.
func (c *Consumer) awaitTopic(ctx context.Context) bool {
	back := backoff{min: 100 * time.Millisecond, max: 2 * time.Second}
	for {
		_, err := c.cfg.Cluster.partitions(ctx, c.cfg.Topic)
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			err = explain(err)
			c.setAway(err)
			c.log.Warn("waiting for the topic; marsad check --fix creates those that are missing", zap.Error(err))
		}
		if back.wait(ctx) != nil {
			return false
		}
	}
}
