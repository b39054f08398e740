package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/marsad-news/marsad/pkg/metric"
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec   // route, code
	seconds  *prometheus.HistogramVec // route
	streams  prometheus.Gauge
	events   *prometheus.CounterVec // event
	latency  prometheus.Histogram
	catchUps *prometheus.CounterVec // outcome
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		requests: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_web_requests_total", Help: "Requests answered, by route and status code.",
		}, []string{"route", "code"})),
		seconds: metric.Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "marsad_web_request_seconds", Help: "From a request's arrival to the end of its answer; streams are left out.",
			Buckets: metric.Latency(),
		}, []string{"route"})),
		streams: metric.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "marsad_web_streams", Help: "Live streams open.",
		})),
		events: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_web_stream_events_total", Help: "Events sent to live streams, by event: article, retract, position, reset.",
		}, []string{"event"})),
		latency: metric.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "marsad_web_stream_seconds", Help: "From an article's arrival at the door to its sending on a live stream; resumed events are left out.",
			Buckets: metric.Latency(),
		})),
		catchUps: metric.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marsad_web_catch_ups_total", Help: "Streams that fell behind the events in memory and read the topic on their own, by outcome: joined, ended.",
		}, []string{"outcome"})),
	}
}

// measure counts and times the requests of a route.
func (m *metrics) measure(route string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		rec := &statusWriter{ResponseWriter: w}
		defer func() {
			if rec.status == 0 {
				rec.status = http.StatusOK
			}
			m.requests.WithLabelValues(route, strconv.Itoa(rec.status)).Inc()
			if route != "/v1/stream" {
				m.seconds.WithLabelValues(route).Observe(time.Since(begin).Seconds())
			}
		}()
		h.ServeHTTP(rec, r)
	})
}

// statusWriter remembers the status written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
