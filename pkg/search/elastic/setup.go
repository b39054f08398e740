package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/search"
)

// Names of what is in the cluster.
func (x *Index) readers() string    { return x.config.Prefix }
func (x *Index) everything() string { return x.config.Prefix + "-all" }

func (x *Index) writer(month string) string { return x.config.Prefix + "-write-" + month }

// index names a month's index of a generation, from 1.
func (x *Index) index(month string, generation int) string {
	return fmt.Sprintf("%s-%s-%06d", x.config.Prefix, month, generation)
}

// months is the pattern of all indices of articles.
func (x *Index) months() string { return x.config.Prefix + "-*.*-*" }

// Setup brings the index template up to date, so that months created from then
// on have this program's mapping, and adds to the indices that are there the
// fields they lack. It may be called again, and by several processes at once;
// a template of a newer program is left alone. An index to which the fields
// cannot be added needs Migrate: the error says so, and wraps
// search.ErrOutage.
func (x *Index) Setup(ctx context.Context) error {
	live, err := x.templateVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading index template %q: %w", x.config.Prefix, asOutage(err))
	}
	if live <= MappingVersion {
		if err := x.putTemplate(ctx); err != nil {
			return err
		}
	}
	versions, err := x.mappingVersions(ctx)
	if err != nil {
		return err
	}
	for name, v := range versions {
		if v < MappingVersion {
			if err := x.addFields(ctx, name, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Index) putTemplate(ctx context.Context) error {
	b, err := body(x.template())
	if err != nil {
		return err
	}
	err = x.do(ctx, esapi.IndicesPutIndexTemplateRequest{Name: x.config.Prefix, Body: b}, nil)
	if err != nil {
		return fmt.Errorf("writing index template %q: %w", x.config.Prefix, asOutage(err))
	}
	return nil
}

// templateVersion gives the version of the template in the cluster, -1 where
// there is none.
func (x *Index) templateVersion(ctx context.Context) (int, error) {
	var answer struct {
		Templates []struct {
			Template struct {
				Version int `json:"version"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	err := x.do(ctx, esapi.IndicesGetIndexTemplateRequest{Name: x.config.Prefix}, &answer)
	if isStatus(err, http.StatusNotFound) || err == nil && len(answer.Templates) == 0 {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return answer.Templates[0].Template.Version, nil
}

// mappingVersions gives the version of the mapping of each index that is
// written to, by name.
func (x *Index) mappingVersions(ctx context.Context) (map[string]int, error) {
	var answer map[string]struct {
		Mappings struct {
			Meta struct {
				Version int `json:"version"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	err := x.do(ctx, esapi.IndicesGetMappingRequest{Index: []string{x.everything(), x.next("*")}, AllowNoIndices: yes(), IgnoreUnavailable: yes()}, &answer)
	if err != nil {
		return nil, fmt.Errorf("reading mappings: %w", asOutage(err))
	}
	versions := make(map[string]int, len(answer))
	for name, m := range answer {
		versions[name] = m.Mappings.Meta.Version
	}
	return versions, nil
}

// addFields adds to an index what its mapping lacks.
func (x *Index) addFields(ctx context.Context, name string, version int) error {
	m := mapping()
	delete(m, "_source") // it cannot be changed
	b, err := body(m)
	if err != nil {
		return err
	}
	err = x.do(ctx, esapi.IndicesPutMappingRequest{Index: []string{name}, Body: b}, nil)
	if isStatus(err, http.StatusBadRequest) {
		return fmt.Errorf("%w: index %q has a mapping of version %d that cannot be brought to version %d: run \"marsad index migrate\": %w",
			search.ErrOutage, name, version, MappingVersion, err)
	}
	if err != nil {
		return fmt.Errorf("adding fields to index %q: %w", name, asOutage(err))
	}
	return nil
}

// createMonth makes the index of a month, unless somebody else has, and puts it
// behind its aliases once it can be searched: readers must not meet an index
// whose shards are still on their way.
func (x *Index) createMonth(ctx context.Context, month string) error {
	name := x.index(month, 1)
	err := x.do(ctx, esapi.IndicesCreateRequest{Index: name}, nil)
	var r *reply
	if errors.As(err, &r) {
		switch {
		case r.Type == "resource_already_exists_exception":
			err = nil
		case r.status == http.StatusBadRequest: // such as too many shards: no article's fault
			return fmt.Errorf("creating index %q: %w: %w", name, search.ErrOutage, err)
		}
	}
	if err == nil {
		err = x.do(ctx, esapi.ClusterHealthRequest{Index: []string{name}, WaitForActiveShards: "1", Timeout: monthWait}, nil)
	}
	if err != nil {
		return fmt.Errorf("creating index %q: %w", name, asOutage(err))
	}
	return x.AddAliases(ctx, name, month)
}

// monthWait is how long the shards of a new month may take; the article that
// needs it is tried again.
const monthWait = 10 * time.Second

// asOutage marks an answer that means nothing can be written.
func asOutage(err error) error {
	var r *reply
	if errors.As(err, &r) && r.verdict() == outage {
		return fmt.Errorf("%w: %w", search.ErrOutage, err)
	}
	return err
}

// isStatus tells whether err is an answer with the HTTP status.
func isStatus(err error, status int) bool {
	var r *reply
	return errors.As(err, &r) && r.status == status
}
