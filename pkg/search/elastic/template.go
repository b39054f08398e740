package elastic

import (
	"fmt"

	"github.com/marsad-news/marsad/pkg/article"
)

// MappingVersion is the version of the index template and of the mapping that
// it gives to new indices. It is raised with every change of either; indices
// of an older version are brought up to it by Setup where fields were only
// added, and by Migrate otherwise.
const MappingVersion = 1

// template is the index template. It adds no alias, so that an index can be
// filled before anybody reads it.
func (x *Index) template() object {
	return object{
		"index_patterns": []string{x.config.Prefix + "-*.*-*"},
		"priority":       200,
		"version":        MappingVersion,
		"_meta":          object{"managed_by": "marsad", "schema": article.SchemaVersion},
		"template": object{
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

// mapping has every field of article.Article by its JSON name, and those that
// are searched beside them:
//
//   - folded: the words of package text, what the query language matches; not
//     kept in _source;
//   - stemmed: title and body under the analyser of the article's own
//     language, for relevance and Kibana; not kept in _source;
//   - named: the entities' names by type, for charts.
//
// Fields that are shown but not searched take no room in the index.
func mapping() object {
	keyword := object{"type": "keyword"}
	shown := object{"type": "keyword", "index": false, "doc_values": false}
	label := object{"type": "keyword", "ignore_above": 1024}
	kept := object{"type": "text", "index": false}
	date := object{"type": "date", "format": "strict_date_optional_time"}
	count := object{"type": "long", "index": false} // sorted, and filtered by their columns
	number := object{"type": "float", "index": false}
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
		"named": fields(object{
			string(article.Person): label, string(article.Organisation): label, string(article.Place): label,
			string(article.Event): label, string(article.Work): label, string(article.Product): label,
		}),
		"stemmed": fields(object{
			"ar": object{"type": "text", "analyzer": "arabic"},
			"fr": object{"type": "text", "analyzer": "french"},
			"en": object{"type": "text", "analyzer": "english"},
		}),
		"folded": fields(object{
			"title": folded, "body": folded, "lead": folded, "language": keyword, "lang": keyword, "topic": keyword,
		}),
	})
	m["_source"] = object{"excludes": []string{"folded", "stemmed"}}
	m["_meta"] = object{"version": MappingVersion}
	return m
}
