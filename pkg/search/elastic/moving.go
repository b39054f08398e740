package elastic

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// movingAge is how long a writer goes by what it knows of migrations.
const movingAge = time.Second

// moving knows which months are being migrated: their articles are written to
// both generations.
type moving struct {
	mu    sync.Mutex
	known map[string]bool // by month
	asked time.Time
}

// next is the alias of the generation that a month is being copied to.
func (x *Index) next(month string) string { return x.config.Prefix + "-next-" + month }

// months gives the months that are being migrated, as of a second ago at most.
func (m *moving) months(ctx context.Context, x *Index) (map[string]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.asked) < movingAge {
		return m.known, nil
	}
	asked := time.Now()
	known, err := x.movingMonths(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking which months are being migrated: %w", asOutage(err))
	}
	m.known, m.asked = known, asked
	return known, nil
}

func (x *Index) movingMonths(ctx context.Context) (map[string]bool, error) {
	var answer map[string]struct {
		Aliases map[string]struct{} `json:"aliases"`
	}
	err := x.do(ctx, esapi.IndicesGetAliasRequest{Name: []string{x.next("*")}}, &answer)
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	months := map[string]bool{}
	for _, index := range answer {
		for alias := range index.Aliases {
			months[strings.TrimPrefix(alias, x.next(""))] = true
		}
	}
	return months, nil
}

// Migrating names the months (YYYY.MM) that are being migrated, in order.
func (x *Index) Migrating(ctx context.Context) ([]string, error) {
	months, err := x.movingMonths(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking which months are being migrated: %w", err)
	}
	return slices.Sorted(maps.Keys(months)), nil
}
