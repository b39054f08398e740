package bus

import (
	"github.com/marsad-news/marsad/pkg/metric"
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the consumers' metrics; one serves any number of consumers.
type Metrics struct {
	records      *prometheus.CounterVec // stage, outcome
	retries      *prometheus.CounterVec
	batchRecords *prometheus.HistogramVec
	batchBytes   *prometheus.HistogramVec
	lagOffsets   *prometheus.GaugeVec // stage, topic, partition
	lagSeconds   *prometheus.GaugeVec
	groupErrors  *prometheus.CounterVec
	commitErrors *prometheus.CounterVec
	stalls       *prometheus.CounterVec
}

// NewMetrics registers the consumers' metrics with reg; nil registers nothing.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "marsad", Subsystem: "consumer", Name: name, Help: help}, labels))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return metric.Register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "marsad", Subsystem: "consumer", Name: name, Help: help}, []string{"stage", "topic", "partition"}))
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return metric.Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "marsad", Subsystem: "consumer", Name: name, Help: help, Buckets: buckets}, []string{"stage"}))
	}
	return &Metrics{
		records:      counter("records_total", "Records finished, by outcome: done or dead.", "stage", "outcome"),
		retries:      counter("retries_total", "Attempts on records beyond the first.", "stage"),
		batchRecords: histogram("batch_records", "Records in a batch.", prometheus.ExponentialBuckets(1, 2, 12)),
		batchBytes:   histogram("batch_bytes", "Bytes in a batch.", prometheus.ExponentialBuckets(1024, 4, 8)),
		lagOffsets:   gauge("lag_offsets", "Records written but not yet durably processed; asked for every 5 seconds."),
		lagSeconds:   gauge("lag_seconds", "Age of the oldest record not yet durably processed, 0 when there is none."),
		groupErrors:  counter("group_errors_total", "Failures to join the consumer group.", "stage"),
		commitErrors: counter("commit_errors_total", "Failed offset commits.", "stage"),
		stalls:       counter("stalls_total", "Partitions found stalled, whose fetching was rebuilt.", "stage"),
	}
}

func (m *Metrics) batch(cfg *ConsumerConfig, records []Record) {
	n := 0
	for _, r := range records {
		n += r.Size()
	}
	m.batchRecords.WithLabelValues(cfg.Stage).Observe(float64(len(records)))
	m.batchBytes.WithLabelValues(cfg.Stage).Observe(float64(n))
}

func (m *Metrics) retry(cfg *ConsumerConfig, n int) {
	m.retries.WithLabelValues(cfg.Stage).Add(float64(n))
}
