package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/bus/bustest"
	"github.com/marsad-news/marsad/pkg/search"
	"github.com/marsad-news/marsad/pkg/search/embedded"
	"github.com/marsad-news/marsad/services/enrich"
	"github.com/marsad-news/marsad/services/index"
	"github.com/marsad-news/marsad/services/ingest"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const partitions = 3

// months is the retention of the pipeline in these tests.
const months = 3

const long = "A body that is long enough for its text alone to tell that two articles of one source are the same, whatever guid and address they come under. It goes on for a while so that nobody takes it for a flash or a headline."

// input is what comes in, a source and a record each. See refusing for §.
func input(now time.Time) [][2]string {
	later := now.Add(time.Hour).Format(time.RFC3339)
	old := now.AddDate(0, -6, 0).Format(time.RFC3339)
	return [][2]string{
		{"a", `{"guid":"1","title":"Rabat one","body":"` + long + `"}`}, // superseded
		{"a", `{"guid":"1","title":"Rabat one","body":"` + long + `"}`}, // unchanged
		{"a", `{"guid":"2","title":"Rabat one","body":"` + long + `"}`}, // unchanged: a copy
		{"a", `{"guid":"2","title":"Rabat one, corrected"}`},            // indexed, revision 2
		{"b", `{"guid":"1","title":"gone"}`},                            // superseded
		{"b", `{"guid":"1","status":"canceled"}`},                       // retracted
		{"b", `{"guid":"1","title":"too late"}`},                        // retracted
		{"b", `{"guid":"2","title":"hidden","status":"withheld"}`},      // withheld
		{"c", `{"guid":"1","title":"held","embargoed":"` + later + `"}`},
		{"c", `{"guid":"2","title":"overtaken","embargoed":"` + later + `"}`}, // superseded
		{"c", `{"guid":"2","title":"lifted"}`},                                // indexed
		{"c", "\xff\xfe junk"},                                                // dead-lettered by ingest
		{"d", `{"guid":"1","title":"§ refused by the index"}`},                // dead-lettered by index
		{"d", `{"guid":"2","title":"old","published":"` + old + `"}`},         // expired
		{"d", `{"guid":"3","title":"first"}`},                                 // superseded
		{"d", `{"guid":"3","title":"§ second"}`},                              // dead-lettered by index, the first stays
		{"e", "plain text\nbody"},                                             // indexed
	}
}

// want is the ledger of input.
var want = Ledger{In: 17, Indexed: 4, Superseded: 3, Unchanged: 2, Retracted: 2, Withheld: 1, Held: 1, DeadLettered: 3, Expired: 1}

// refusing refuses articles whose title begins with §, for good.
type refusing struct{ search.Writer }

func (r refusing) Write(ctx context.Context, articles []article.Article) ([]search.Outcome, error) {
	out := make([]search.Outcome, len(articles))
	var failed search.BatchError
	for i := range articles {
		if strings.HasPrefix(articles[i].Title, "§") {
			failed.Items = append(failed.Items, search.ItemError{Index: i, Err: errors.New("refused"), Permanent: true})
			continue
		}
		one, err := r.Writer.Write(ctx, articles[i:i+1])
		if err != nil {
			return nil, err
		}
		out[i] = one[0]
	}
	if failed.Items != nil {
		return out, &failed
	}
	return out, nil
}

// world is what the topics and the index hold once everything is at rest.
type world struct {
	now     time.Time
	records map[string][][]bus.Record // by topic and partition
	index   []document
	ids     map[string]string // article ids by source and guid
}

type document struct {
	id      string
	version int64
	status  article.Status
}

// Versions makes a world's index an Index.
func (w *world) Versions(_ context.Context, fn func(string, int64, article.Status) error) error {
	for _, d := range w.index {
		if err := fn(d.id, d.version, d.status); err != nil {
			return err
		}
	}
	return nil
}

// produce runs the true services over the input until they are at rest.
func produce(t *testing.T) *world {
	t.Helper()
	c := bustest.New(t, partitions)
	store, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	enricher, err := enrich.NewEnricher()
	if err != nil {
		t.Fatal(err)
	}
	in, err1 := ingest.New(ingest.Config{}, ingest.Deps{Cluster: c})
	en, err2 := enrich.New(enrich.Config{}, enrich.Deps{Cluster: c, Enricher: enricher})
	ix, err3 := index.New(index.Config{RetentionMonths: months}, index.Deps{Cluster: c, Writer: refusing{store}})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 3)
	for _, run := range []func(context.Context) error{in.Run, en.Run, ix.Run} {
		go func() { done <- run(ctx) }()
	}
	w := &world{now: time.Now(), records: map[string][][]bus.Record{}, ids: map[string]string{}}
	raw := bus.NewProducer(c, bus.TopicRaw)
	defer raw.Close()
	for _, r := range input(w.now) {
		if err := raw.Write(t.Context(), bus.Message{Key: []byte(r[0]), Value: []byte(r[1])}); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, c)
	if l, err := Compute(t.Context(), c, store, Config{RetentionMonths: months}); err != nil || !l.Balanced() {
		t.Fatalf("the pipeline's own ledger: %+v, error %v", l, err)
	}
	cancel()
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	w.read(t, c)
	err = store.Versions(t.Context(), func(id string, v int64, s article.Status) error {
		w.index = append(w.index, document{id, v, s})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// wait waits until the pipeline is at rest.
func wait(t *testing.T, c *bus.Cluster) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		n, err := Backlog(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records still wait", n)
		}
	}
}

// read takes all topics over.
func (w *world) read(t *testing.T, c *bus.Cluster) {
	t.Helper()
	for _, topic := range bus.Topics() {
		w.records[topic.Name] = make([][]bus.Record, partitions)
		for p := range partitions {
			_, err := c.ReadAll(t.Context(), topic.Name, p, func(r bus.Record) error {
				w.records[topic.Name][p] = append(w.records[topic.Name][p], r)
				if a, err := article.Decode(r.Value); err == nil && (topic.Name == bus.TopicClean || topic.Name == bus.TopicHeld) {
					w.ids[a.Source.ID+a.GUID] = a.ID
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// clone gives a copy that may be spoilt.
func (w *world) clone() *world {
	c := &world{now: w.now, ids: w.ids, records: map[string][][]bus.Record{}, index: append([]document(nil), w.index...)}
	for topic, ps := range w.records {
		c.records[topic] = make([][]bus.Record, len(ps))
		for p, rs := range ps {
			c.records[topic][p] = append([]bus.Record(nil), rs...)
		}
	}
	return c
}

// drop takes the records of an article's revision (0: of all) out of a topic.
// Those behind them move up, dead letters and states of theirs with them.
func (w *world) drop(topic, id string, revision int64) (dropped []bus.Record) {
	for p, rs := range w.records[topic] {
		var kept []bus.Record
		for _, r := range rs {
			a, err := article.Decode(r.Value)
			if err == nil && a.ID == id && (revision == 0 || a.Revision == revision) {
				dropped = append(dropped, r)
				continue
			}
			w.moved(topic, p, r.Offset, int64(len(kept)))
			r.Offset = int64(len(kept))
			kept = append(kept, r)
		}
		w.records[topic][p] = kept
	}
	return dropped
}

// moved has the dead letters of a record name its new offset.
func (w *world) moved(topic string, partition int, from, to int64) {
	for _, rs := range w.records[bus.TopicDead] {
		for i, r := range rs {
			if r.Header(bus.DeadTopic) == topic && r.Header(bus.DeadPartition) == fmt.Sprint(partition) && r.Header(bus.DeadOffset) == fmt.Sprint(from) {
				hs := append([]bus.Header(nil), r.Headers...)
				for j := range hs {
					if hs[j].Key == bus.DeadOffset {
						hs[j].Value = fmt.Append(nil, to)
					}
				}
				rs[i].Headers = hs
			}
		}
	}
}

// add puts a record behind the others of a partition.
func (w *world) add(topic string, partition int, m bus.Message) {
	rs := w.records[topic][partition]
	w.records[topic][partition] = append(rs, bus.Record{
		Topic: topic, Partition: partition, Offset: int64(len(rs)), Key: m.Key, Value: m.Value, Headers: m.Headers, Time: w.now.Truncate(time.Millisecond),
	})
}

// last is the last record of a partition.
func (w *world) last(topic string, partition int) bus.Record {
	rs := w.records[topic][partition]
	return rs[len(rs)-1]
}

// copyOf gives the first record of an article once more, changed.
func (w *world) copyOf(topic, id string, change func(*article.Article)) (m bus.Message) {
	for _, rs := range w.records[topic] {
		for _, r := range rs {
			if a, err := article.Decode(r.Value); err == nil && a.ID == id && m.Value == nil {
				change(&a)
				m.Key = []byte(a.ID)
				m.Value, _ = article.Encode(&a) // it was encoded before
			}
		}
	}
	return m
}

// dropLetters takes a stage's dead letters away.
func (w *world) dropLetters(stage string) {
	for p, rs := range w.records[bus.TopicDead] {
		w.records[bus.TopicDead][p] = slices.DeleteFunc(rs, func(r bus.Record) bool { return r.Header(bus.DeadStage) == stage })
	}
}

// isLettered tells whether a record was given up.
func (w *world) isLettered(r bus.Record) bool {
	for _, rs := range w.records[bus.TopicDead] {
		for _, l := range rs {
			if l.Header(bus.DeadTopic) == r.Topic && l.Header(bus.DeadPartition) == fmt.Sprint(r.Partition) && l.Header(bus.DeadOffset) == fmt.Sprint(r.Offset) {
				return true
			}
		}
	}
	return false
}

// setIndex gives an article another document, or none where version is 0.
func (w *world) setIndex(id string, version int64, s article.Status) {
	var kept []document
	for _, d := range w.index {
		if d.id != id {
			kept = append(kept, d)
		}
	}
	if version > 0 {
		kept = append(kept, document{id, version, s})
	}
	w.index = kept
}

// served is a world on a broker.
type served struct {
	*bus.Cluster
	client *kgo.Client
}

// broker gives the world a broker of its own, with everything committed, and
// removes the first records of some topics' partitions as retention does.
func (w *world) broker(t *testing.T, cut map[string]int64) *served {
	t.Helper()
	c, kafka := bustest.NewBroker(t, partitions)
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxVersions(kversion.V3_0_0())) // topics by name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for topic, ps := range w.records {
		for p, rs := range ps {
			var all []*kgo.Record
			for _, r := range rs {
				rec := &kgo.Record{Topic: topic, Partition: int32(p), Key: r.Key, Value: r.Value, Timestamp: r.Time}
				for _, h := range r.Headers {
					rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
				}
				all = append(all, rec)
			}
			if err := client.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range stages() {
		w.commit(t, client, s, 0)
	}
	for topic, n := range cut {
		for p, rs := range w.records[topic] {
			truncate(t, client, topic, p, min(n, int64(len(rs))))
		}
	}
	return &served{c, client}
}

// commit commits all of a group's topic but the last few records of each
// partition.
func (w *world) commit(t *testing.T, client *kgo.Client, s stage, but int64) {
	t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = s.group, -1
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = s.topic
	for p, rs := range w.records[s.topic] {
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = int32(p), max(0, int64(len(rs))-but)
		topic.Partitions = append(topic.Partitions, part)
	}
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), client)
	if err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("committing: %v, %+v", err, res)
	}
}

// truncate removes what lies below an offset of a partition.
func truncate(t *testing.T, client *kgo.Client, topic string, partition int, below int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = int32(partition), below
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), client)
	if err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("deleting records of %s/%d: %v, %+v", topic, partition, err, res)
	}
}
