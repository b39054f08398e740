package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/search"
)

// Names of what is in the cluster.
func (x *Index) readers() string    { return x.config.Prefix }
func (x *Index) everything() string { return x.config.Prefix + "-all" }

func (x *Index) writer(month string) string { return x.config.Prefix + "-write-" + month }

// first is the index of a month. A later one may take its place behind the
// aliases, when articles are indexed anew.
func (x *Index) first(month string) string { return x.config.Prefix + "-" + month + "-000001" }

// Setup writes the index template, so that months created from then on have
// its mapping. It may be called again, by several processes at once, and
// changes no index that is there.
func (x *Index) Setup(ctx context.Context) error {
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

// createMonth makes the index and the write alias of a month, unless somebody
// else has.
func (x *Index) createMonth(ctx context.Context, month string) error {
	b, err := body(object{"aliases": object{x.writer(month): object{"is_write_index": true}}})
	if err != nil {
		return err
	}
	err = x.do(ctx, esapi.IndicesCreateRequest{Index: x.first(month), Body: b}, nil)
	var r *reply
	if errors.As(err, &r) {
		switch {
		case r.Type == "resource_already_exists_exception":
			return nil
		case r.status == http.StatusBadRequest: // such as too many shards: no article's fault
			return fmt.Errorf("creating index %q: %w: %w", x.first(month), search.ErrOutage, err)
		}
	}
	if err != nil {
		return fmt.Errorf("creating index %q: %w", x.first(month), asOutage(err))
	}
	return nil
}

// asOutage marks an answer that means nothing can be written.
func asOutage(err error) error {
	var r *reply
	if errors.As(err, &r) && r.verdict() == outage {
		return fmt.Errorf("%w: %w", search.ErrOutage, err)
	}
	return err
}

func (x *Index) template() object {
	return object{
		"index_patterns": []string{x.config.Prefix + "-*.*-*"},
		"priority":       200,
		"_meta":          object{"managed_by": "marsad", "schema": article.SchemaVersion},
		"template": object{
			"aliases": object{
				x.readers():    object{"filter": object{"term": object{fieldStatus: article.Usable}}},
				x.everything(): object{},
			},
			"settings": object{"index": object{
				"number_of_shards":   1,
				"number_of_replicas": x.config.Replicas,
				"refresh_interval":   fmt.Sprintf("%dms", x.config.Refresh.Milliseconds()),
				"codec":              "best_compression",
				"translog":           object{"durability": "request"}, // an answer means fsynced
			}},
			"mappings": mapping(),
		},
	}
}

// mapping has every field of article.Article by its JSON name, and the folded
// ones. Fields that are shown but not searched take no room in the index.
func mapping() object {
	keyword := object{"type": "keyword"}
	shown := object{"type": "keyword", "index": false, "doc_values": false}
	label := object{"type": "keyword", "ignore_above": 1024}
	kept := object{"type": "text", "index": false}
	date := object{"type": "date", "format": "strict_date_optional_time"}
	count := object{"type": "long"}
	number := object{"type": "float"}
	folded := object{"type": "text", "analyzer": "whitespace"}
	opaque := object{"type": "object", "enabled": false}
	fields := func(p object) object { return object{"dynamic": "strict", "properties": p} }
	m := fields(object{
		"schema": count, "id": keyword, "revision": count, "generation": count, "bucket": keyword, "status": keyword,
		"language": label, "source": fields(object{"id": keyword, "name": label, "country": keyword}),
		"guid": shown, "url": shown, "title": kept, "body": kept, "byline": kept,
		"published": date, "first_published": date, "embargoed": date, "received": date, "enriched": date,
		"entities": fields(object{
			"id": keyword, "qid": keyword, "type": keyword, "name": label, "labels": opaque, "count": count, "salience": number,
			"location": object{"type": "geo_point", "ignore_malformed": true}, "country": keyword, "by": label, "mentions": opaque,
		}),
		"topics": fields(object{"id": keyword, "name": label, "broader": keyword, "score": number, "evidence": shown}),
		"folded": fields(object{
			"title": folded, "body": folded, "lead": folded, "language": keyword, "lang": keyword, "topic": keyword,
		}),
	})
	m["_source"] = object{"excludes": []string{"folded"}}
	return m
}
