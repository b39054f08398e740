package stack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/test/stack"
)

// Of the only user. No error and no log may hold the password.
const (
	user     = "marsad"
	password = "geheim4711"
)

// secureKafka is a server that takes logins and TLS, and what clients need.
type secureKafka struct {
	*stack.Server
	ca     *authority
	client identity
	admin  *kafka.Client // by the plain listener, so that it may do everything
}

func startSecureKafka(t *testing.T) *secureKafka {
	t.Helper()
	ca := newAuthority(t)
	server := ca.issue(t, "kafka")
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	s, err := stack.StartKafka(ctx, stack.Options{Dir: t.TempDir(), Secure: &stack.Secure{
		Users: map[string]string{user: password}, Authority: ca.pem, Cert: server.cert, Key: server.key,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &secureKafka{s, ca, ca.issue(t, "client"), &kafka.Client{Addr: kafka.TCP(s.Addr)}}
}

func (k *secureKafka) settings(listener string) bus.Settings {
	return bus.Settings{Brokers: []string{k.Listeners[listener]}}
}

func (k *secureKafka) login(listener, mechanism string) bus.Settings {
	s := k.settings(listener)
	s.SASL = bus.SASLSettings{Mechanism: mechanism, Username: user, Password: password}
	if listener == stack.ListenSASLTLS {
		s.TLS.CAFile = k.ca.file
	}
	return s
}

func (k *secureKafka) mutual(id identity) bus.Settings {
	s := k.settings(stack.ListenMutual)
	s.TLS = bus.TLSSettings{CAFile: k.ca.file, CertFile: id.certFile, KeyFile: id.keyFile}
	return s
}

func TestKafkaSecurity(t *testing.T) {
	k := startSecureKafka(t)
	t.Run("ways", func(t *testing.T) { testWays(t, k) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, k) })
	t.Run("permissions", func(t *testing.T) { testPermissions(t, k) })
}

// testWays has records go the whole way by each listener.
func testWays(t *testing.T, k *secureKafka) {
	tls := k.settings(stack.ListenTLS)
	tls.TLS.CAFile = k.ca.file
	for name, s := range map[string]bus.Settings{
		"PLAIN":                  k.login(stack.ListenSASL, "PLAIN"),
		"SCRAM-SHA-256":          k.login(stack.ListenSASL, "SCRAM-SHA-256"),
		"SCRAM-SHA-512":          k.login(stack.ListenSASL, "SCRAM-SHA-512"),
		"TLS":                    tls,
		"PLAIN over TLS":         k.login(stack.ListenSASLTLS, "PLAIN"),
		"SCRAM-SHA-512 over TLS": k.login(stack.ListenSASLTLS, "SCRAM-SHA-512"),
		"mutual TLS":             k.mutual(k.client),
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, s)
			topic := createTopic(t, c)
			produce(t, c, topic, "a", "b", "c")
			r := consume(t, c, topic, nil)
			r.waitFor(t, "a", "b", "c")
			r.waitCommitted(t, 3)
			if err := r.consumer.Ready(); err != nil {
				t.Errorf("consumer is not ready: %v", err)
			}
		})
	}
}

// testRefusals has the server and the client refuse each other: the caller
// learns at once why, and what to set.
func testRefusals(t *testing.T, k *secureKafka) {
	wrong := func(listener, mechanism string) bus.Settings {
		s := k.login(listener, mechanism)
		s.SASL.Password = "x" + password
		return s
	}
	unknownUser := k.login(stack.ListenSASL, "SCRAM-SHA-256")
	unknownUser.SASL.Username = "nobody"
	unknownCA := k.settings(stack.ListenTLS)
	unknownCA.TLS.Enabled = true
	otherName := k.settings(stack.ListenTLS)
	otherName.TLS = bus.TLSSettings{CAFile: k.ca.file, ServerName: "other.example"}
	noLogin := k.settings(stack.ListenSASLTLS)
	noLogin.TLS.CAFile = k.ca.file
	needless := k.login(stack.ListenSASL, "PLAIN")
	needless.Brokers = []string{k.Addr}
	noTLSThere := otherName
	noTLSThere.Brokers = []string{k.Addr}
	// A broker that refuses a certificate may close the connection before the
	// reason is read, so there the advice is one of two.
	for name, tt := range map[string]struct {
		settings bus.Settings
		want     string
	}{
		"wrong password, PLAIN":         {wrong(stack.ListenSASL, "PLAIN"), "check kafka.sasl.username, kafka.sasl.password"},
		"wrong password, SCRAM-SHA-256": {wrong(stack.ListenSASL, "SCRAM-SHA-256"), "check kafka.sasl.username, kafka.sasl.password"},
		"wrong password, SCRAM-SHA-512": {wrong(stack.ListenSASLTLS, "SCRAM-SHA-512"), "check kafka.sasl.username, kafka.sasl.password"},
		"unknown user":                  {unknownUser, "check kafka.sasl.username, kafka.sasl.password"},
		"unknown authority":             {unknownCA, "set kafka.tls.ca_file"},
		"other name":                    {otherName, "set kafka.tls.server_name"},
		"no client certificate":         {k.mutual(identity{}), "kafka.tls"},
		"a stranger's certificate":      {k.mutual(newAuthority(t).issue(t, "stranger")), "kafka.tls"},
		"no TLS":                        {k.settings(stack.ListenTLS), "kafka.tls and kafka.sasl do not fit this listener"},
		"no login":                      {noLogin, "kafka.tls and kafka.sasl do not fit this listener"},
		"login to a plain listener":     {needless, "this listener takes no login: unset kafka.sasl"},
		"TLS to a plain listener":       {noTLSThere, "kafka.tls and kafka.sasl do not fit this listener"},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, tt.settings)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			p := bus.NewProducer(c, bus.TopicRaw)
			defer p.Close()
			_, _, offsets := c.Offsets(ctx, bus.TopicRaw)
			for what, err := range map[string]error{
				"CreateTopics": c.CreateTopics(ctx, []bus.Topic{{Name: "t", Partitions: 1}}, 0),
				"Offsets":      offsets,
				"Write":        p.Write(ctx, bus.Message{Value: []byte("x")}),
			} {
				if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: error is %v, want one with %q", what, err, tt.want)
				}
				keepsSecret(t, fmt.Sprint(err))
			}
			r := consume(t, c, bus.TopicRaw, nil)
			r.waitUnready(t, tt.want)
		})
	}
}

// testPermissions takes permissions away from a running system: whatever it is,
// the consumer says so, nothing is skipped, and all goes on once it is given.
func testPermissions(t *testing.T, k *secureKafka) {
	const advice = "give this user the permission"
	describe := []kafka.ACLOperationType{kafka.ACLOperationTypeDescribe}
	for name, tt := range map[string]struct {
		resource kafka.ResourceType
		allowed  []kafka.ACLOperationType // all that is left; none at all where empty
		suffix   string                   // of the name of the resource, behind the topic's
		idle     bool                     // it shows without any record
		want     string
	}{
		"group":         {kafka.ResourceTypeGroup, nil, "", true, advice},
		"join":          {kafka.ResourceTypeGroup, describe, "", true, advice},
		"topic":         {kafka.ResourceTypeTopic, nil, "", true, "this user"}, // refused or unseen
		"read":          {kafka.ResourceTypeTopic, describe, "", true, advice},
		"write":         {kafka.ResourceTypeTopic, describe, "-out", false, advice},
		"write, unseen": {kafka.ResourceTypeTopic, nil, "-out", false, "may not describe it"},
		"dead letters":  {kafka.ResourceTypeTopic, describe, "-dead", false, advice},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, k.login(stack.ListenSASL, "SCRAM-SHA-256"))
			topic := createTopic(t, c)
			out := bus.NewProducer(c, createTopic(t, c, topic+"-out"))
			defer out.Close()
			dead := bus.NewProducer(c, createTopic(t, c, topic+"-dead"))
			defer dead.Close()
			produce(t, c, topic, "a", "bad 1")
			r := consume(t, c, topic, func(cfg *bus.ConsumerConfig) {
				cfg.DeadLetters = dead
				cfg.Open = func(context.Context, int) (bus.Handler, error) { return forward(out), nil }
			})
			r.waitCommitted(t, 2)
			lift := k.restrict(t, tt.resource, topic+tt.suffix, tt.allowed...)
			if tt.idle {
				r.waitUnready(t, tt.want)
			}
			produce(t, connect(t, k.plain()), topic, "b", "bad 2", "c")
			r.waitUnready(t, tt.want)
			if got := committed(t, k, topic); got != 2 {
				t.Errorf("committed %d while it was refused, want 2", got)
			}
			lift()
			r.waitCommitted(t, 5)
			if diff := cmp.Diff([]string{"a", "b", "c"}, content(t, k, topic+"-out")); diff != "" {
				t.Errorf("written on (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"bad 1", "bad 2"}, content(t, k, topic+"-dead")); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			poll(t, r.consumer.Ready)
		})
	}
}

// plain is the listener at which nobody is refused.
func (k *secureKafka) plain() bus.Settings { return bus.Settings{Brokers: []string{k.Addr}} }

// restrict leaves the user only the allowed operations on a resource. The
// function that it returns gives everything back.
func (k *secureKafka) restrict(t *testing.T, kind kafka.ResourceType, name string, allowed ...kafka.ACLOperationType) (lift func()) {
	t.Helper()
	acl := kafka.ACLEntry{
		ResourceType: kind, ResourceName: name, ResourcePatternType: kafka.PatternTypeLiteral,
		Principal: "User:" + user, Host: "*", Operation: kafka.ACLOperationTypeAll, PermissionType: kafka.ACLPermissionTypeDeny,
	}
	acls := []kafka.ACLEntry{acl}
	if len(allowed) > 0 {
		acls = nil
		for _, op := range allowed {
			acl.Operation, acl.PermissionType = op, kafka.ACLPermissionTypeAllow
			acls = append(acls, acl)
		}
	}
	res, err := k.admin.CreateACLs(t.Context(), &kafka.CreateACLsRequest{ACLs: acls})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(res.Errors...); err != nil {
		t.Fatal(err)
	}
	filter := kafka.ACLFilter{
		ResourceTypeFilter: kind, ResourceNameFilter: name, ResourcePatternTypeFilter: kafka.PatternTypeLiteral,
		PrincipalFilter: acl.Principal, HostFilter: acl.Host, Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeAny,
	}
	poll(t, func() error { // the controller has them, the broker follows
		res, err := k.admin.DescribeACLs(t.Context(), &kafka.DescribeACLsRequest{Filter: filter})
		if err == nil && (len(res.Resources) != 1 || len(res.Resources[0].ACLs) != len(acls)) {
			err = fmt.Errorf("ACLs are %v, want %d", res.Resources, len(acls))
		}
		return err
	})
	return func() {
		res, err := k.admin.DeleteACLs(t.Context(), &kafka.DeleteACLsRequest{Filters: []kafka.DeleteACLsFilter{kafka.DeleteACLsFilter(filter)}})
		if err != nil {
			t.Fatal(err)
		}
		if r := res.Results[0]; r.Error != nil || len(r.MatchingACLs) != len(acls) {
			t.Fatalf("removed %d ACLs of %d: %v", len(r.MatchingACLs), len(acls), r.Error)
		}
	}
}

// forward writes records to out and rejects the bad ones.
func forward(out *bus.Producer) bus.Handler {
	return func(ctx context.Context, rs []bus.Record) error {
		var bad bus.BatchError
		var good []bus.Message
		for i, r := range rs {
			if strings.HasPrefix(string(r.Value), "bad") {
				bad.Records = append(bad.Records, bus.RecordError{Index: i, Err: errors.New("bad"), Do: bus.Reject})
			} else {
				good = append(good, bus.Message{Value: r.Value})
			}
		}
		if err := out.Write(ctx, good...); err != nil {
			return err
		}
		if len(bad.Records) > 0 {
			return &bad
		}
		return nil
	}
}
