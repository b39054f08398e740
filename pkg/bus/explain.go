package bus

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/marsad-news/marsad/pkg/internal/tlsconf"
)

// explain adds to an error of the cluster what to do about it, where that can
// be told; any other error, nil too, comes back as it is.
func explain(err error) error {
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fmt.Errorf("%w (check kafka.sasl.username, kafka.sasl.password and kafka.sasl.mechanism)", err)
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return fmt.Errorf("%w (set kafka.sasl.mechanism to one that this listener takes)", err)
	case errors.Is(err, kafka.IllegalSASLState):
		return fmt.Errorf("%w (this listener takes no login: unset kafka.sasl or use another port)", err)
	case denied(err):
		return fmt.Errorf("%w (give this user the permission: the README lists those that are needed)", err)
	case errors.Is(err, kafka.UnknownTopicOrPartition), errors.Is(err, protocol.ErrNoTopic):
		return fmt.Errorf("%w (create the topic, kafka.create_topics does; or this user may not describe it)", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w (the broker closed the connection: it is stopping, or kafka.tls and kafka.sasl do not fit this listener)", err)
	}
	return tlsconf.Explain(err, "kafka.tls")
}

// denied says that the cluster refuses who asks, or how: trying again is of no
// use until somebody acts.
func denied(err error) bool {
	for _, e := range []error{
		kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState,
		kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// lasting says that a fault that has come again after n tries is to be
// reported as not ready: at once where the cluster refuses.
func lasting(err error, n int) bool { return n >= 3 || denied(err) }
