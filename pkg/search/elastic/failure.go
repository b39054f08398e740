package elastic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// verdict says what is to be done about an answer of Elasticsearch.
type verdict uint8

const (
	unknown    verdict = iota // retry, but not for ever
	temporary                 // retry: too much to do, or not reachable
	accepted                  // written and durable
	superseded                // a newer version is there
	permanent                 // the same article will fail again
	tooLarge                  // send less at a time; a lone article is permanent
	noMonth                   // the month's index is not there yet: create it
	outage                    // nothing can be written until somebody acts
)

// judge is the failure table, for whole requests and for items of a bulk
// request alike. The type goes before the status: a cluster_block_exception
// comes as 429 from a full disk and as 403 from a write block.
func judge(status int, f fault) verdict {
	switch f.Type {
	case "cluster_block_exception", "security_exception":
		return outage
	case "index_not_found_exception":
		return noMonth
	case "illegal_argument_exception":
		if strings.Contains(f.Reason, "no write index is defined for alias") {
			return outage // somebody's half-done reindexing, not the article's fault
		}
	}
	switch status {
	case http.StatusOK, http.StatusCreated:
		return accepted
	case http.StatusConflict:
		return superseded
	case http.StatusBadRequest:
		return permanent
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	case http.StatusUnauthorized, http.StatusForbidden:
		return outage
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return temporary
	}
	return unknown
}

// fault is the error of an answer or of one item in it.
type fault struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
	Cause  *fault `json:"caused_by"`
}

// UnmarshalJSON takes objects, and the plain strings of some older answers.
func (f *fault) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &f.Reason)
	}
	type plain fault
	return json.Unmarshal(b, (*plain)(f))
}

// reply is an answer, or an item of one, that is not good.
type reply struct {
	status int
	fault
}

func (r *reply) Error() string {
	s := fmt.Sprintf("Elasticsearch answers %d %s", r.status, http.StatusText(r.status))
	depth := 0
	for f := &r.fault; f != nil && depth < 4; f = f.Cause {
		for _, part := range []string{f.Type, f.Reason} {
			if part != "" {
				s += ": " + cut(part)
			}
		}
		depth++
	}
	return s
}

// cut shortens what may hold a piece of the article.
func cut(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (r *reply) verdict() verdict { return judge(r.status, r.fault) }

// newReply reads the body of an answer that is not good; it may be anything,
// such as the page of a proxy.
func newReply(status int, b []byte) *reply {
	r := &reply{status: status}
	var answer struct {
		Error fault `json:"error"`
	}
	if json.Unmarshal(b, &answer) == nil {
		r.fault = answer.Error
	}
	return r
}
