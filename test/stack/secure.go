package stack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names of Kafka's listeners under Options.Secure.
const (
	ListenSASL    = "SASL_PLAINTEXT" // PLAIN and SCRAM logins
	ListenTLS     = "SSL"            // TLS
	ListenSASLTLS = "SASL_SSL"       // PLAIN and SCRAM logins over TLS
	ListenMutual  = "MUTUAL"         // TLS that demands a client's certificate
)

// Secure has Kafka take logins and TLS, on a listener for each way, beside the
// plain one. Everybody may do everything until an ACL names the resource; who
// comes by the plain listener, and so without a name, always may.
type Secure struct {
	Users     map[string]string // passwords by name, letters and digits only, for PLAIN and SCRAM alike
	Authority []byte            // PEM, that of clients' certificates
	Cert, Key []byte            // PEM, the server's; the key in PKCS #8
}

// listeners chooses ports and gives the addresses by name, and the end of
// Kafka's setting "listeners".
func (s *Secure) listeners() (addrs map[string]string, setting string, err error) {
	names := []string{ListenSASL, ListenTLS, ListenSASLTLS, ListenMutual}
	ports, err := freePorts(len(names))
	if err != nil {
		return nil, "", err
	}
	addrs = map[string]string{}
	for i, name := range names {
		addrs[name] = "127.0.0.1:" + ports[i]
		setting += "," + name + "://" + addrs[name]
	}
	return addrs, setting, nil
}

const secureProperties = `listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,` +
	`SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MUTUAL:SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.certificate.chain=%s
ssl.keystore.key=%s
ssl.truststore.type=PEM
ssl.truststore.certificates=%s
listener.name.mutual.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
`

func (s *Secure) properties() string {
	line := func(pem []byte) string { return strings.ReplaceAll(string(pem), "\n", `\n`) }
	out := fmt.Sprintf(secureProperties, line(s.Cert), line(s.Key), line(s.Authority))
	const module = "sasl.jaas.config=org.apache.kafka.common.security."
	for _, listener := range []string{ListenSASL, ListenSASLTLS} {
		prefix := "listener.name." + strings.ToLower(listener) + "."
		out += prefix + "plain." + module + "plain.PlainLoginModule required"
		for _, name := range slices.Sorted(maps.Keys(s.Users)) {
			out += fmt.Sprintf(" user_%s=%q", name, s.Users[name])
		}
		out += ";\n"
		for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
			out += prefix + mechanism + "." + module + "scram.ScramLoginModule required;\n"
		}
	}
	return out
}

// scram gives the arguments of StorageTool that make the users.
func (s *Secure) scram() (args []string) {
	for _, name := range slices.Sorted(maps.Keys(s.Users)) {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, name, s.Users[name]))
		}
	}
	return args
}
