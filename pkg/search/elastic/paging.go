package elastic

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// pagePIT opens a point in time for the pages that follow. Without one, where it
// cannot be had, they are of the index as it is then.
func (x *Index) pagePIT(ctx context.Context) string {
	pit, err := x.openPIT(ctx, x.readers())
	if err != nil || len(pit) > maxPIT {
		return ""
	}
	return pit
}

// page answers a request, from the point in time of after if it has one that is
// still there, and leaves in after the one to go on with.
func (x *Index) page(ctx context.Context, request object, after *position) (*found, error) {
	if after.pit == "" {
		return x.ask(ctx, x.readers(), request)
	}
	pinned := maps.Clone(request)
	// The id comes back from a client, who may have made another of it.
	pinned["query"] = object{"bool": object{"must": request["query"], "filter": readable()}}
	pinned["pit"], pinned["_source"] = object{"id": after.pit, "keep_alive": pitAlive}, false
	strict := false
	answer, err := x.answer(ctx, pinned, esapi.SearchRequest{AllowPartialSearchResults: &strict})
	// It has expired, or the id in the cursor is none.
	if isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusBadRequest) {
		after.pit = ""
		return x.ask(ctx, x.readers(), request)
	}
	if err != nil {
		return nil, err
	}
	if answer.PIT != "" {
		after.pit = answer.PIT
	}
	return answer, x.load(ctx, answer)
}

// load puts the articles into the hits, as readers see them now: those that
// are hidden by now have none.
func (x *Index) load(ctx context.Context, answer *found) error {
	ids := make([]string, len(answer.Hits.Hits))
	for i, h := range answer.Hits.Hits {
		ids[i] = h.ID
	}
	now, err := x.ask(ctx, x.readers(), object{"query": object{"ids": object{"values": ids}}, "size": len(ids)})
	if err != nil {
		return err
	}
	sources := make(map[string]json.RawMessage, len(ids))
	for _, h := range now.Hits.Hits {
		sources[h.ID] = h.Source
	}
	for i := range answer.Hits.Hits {
		answer.Hits.Hits[i].Source = sources[ids[i]]
	}
	return nil
}
