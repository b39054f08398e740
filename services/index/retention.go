package index

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// dropper is a search index that can drop its old months whole.
type dropper interface {
	DropBefore(ctx context.Context, bucket string) (dropped []string, err error)
}

// retentionEvery is how often old months are looked for.
const retentionEvery = time.Hour

// dropOld drops the months that have expired, at once and then each hour until
// ctx ends. What fails is tried again the next time.
func (s *Service) dropOld(ctx context.Context) {
	d, ok := s.deps.Writer.(dropper)
	if !ok || s.cfg.RetentionMonths == 0 {
		return
	}
	tick := time.NewTicker(retentionEvery)
	defer tick.Stop()
	for {
		oldest := OldestBucket(s.cfg.RetentionMonths, s.deps.Now())
		dropped, err := d.DropBefore(ctx, oldest)
		if err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("dropping old months, trying again later", zap.String("before", oldest), zap.Error(err))
		}
		if len(dropped) > 0 {
			s.deps.Log.Info("old months dropped", zap.Strings("indices", dropped))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
