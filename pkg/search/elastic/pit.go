package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// pitAlive is how long a point in time lasts after the latest request with it.
const pitAlive = "1m"

// openPIT opens a point in time over an alias, which sees the index as it is
// now whatever is written later. It is "" where no index is behind the alias
// yet. Close it with closePIT.
func (x *Index) openPIT(ctx context.Context, alias string) (string, error) {
	var answer struct {
		ID string `json:"id"`
	}
	strict := false
	err := x.do(ctx, esapi.OpenPointInTimeRequest{Index: []string{alias}, KeepAlive: pitAlive, AllowPartialSearchResults: &strict}, &answer)
	var r *reply
	switch {
	case errors.As(err, &r) && r.status == http.StatusNotFound:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("opening a point in time: %w", err)
	case answer.ID == "":
		return "", errors.New("opening a point in time: Elasticsearch's answer has no id")
	}
	return answer.ID, nil
}

// closePIT frees what a point in time holds in the cluster, also when ctx has
// ended. A failure is of no consequence: Elasticsearch lets go of it by itself.
func (x *Index) closePIT(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if b, err := body(object{"id": id}); err == nil {
		_ = x.do(ctx, esapi.ClosePointInTimeRequest{Body: b}, nil)
	}
}

// pageHead is what a page of a point in time tells of itself.
type pageHead struct {
	PIT      string `json:"pit_id"`
	TimedOut bool   `json:"timed_out"`
	Shards   struct {
		Failed int `json:"failed"`
	} `json:"_shards"`
}

func (h *pageHead) head() *pageHead { return h }

// walkPage asks for the page of a walk over a point in time that lies behind the
// sort values after (nil is the first), and decodes it into page.
func (x *Index) walkPage(ctx context.Context, pit string, request object, after []json.RawMessage, page interface{ head() *pageHead }) error {
	request["pit"] = object{"id": pit, "keep_alive": pitAlive}
	request["sort"], request["version"], request["track_total_hits"] = []string{"_shard_doc"}, true, false
	if after != nil {
		request["search_after"] = after
	}
	b, err := body(request)
	if err != nil {
		return err
	}
	strict := false
	if err := x.do(ctx, esapi.SearchRequest{Body: b, AllowPartialSearchResults: &strict}, page); err != nil {
		return err
	}
	if h := page.head(); h.TimedOut || h.Shards.Failed > 0 {
		return fmt.Errorf("Elasticsearch's answer lacks %d indices", h.Shards.Failed)
	}
	return nil
}
