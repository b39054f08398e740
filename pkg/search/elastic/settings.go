package elastic

import (
	"fmt"
	"os"
	"time"
)

// Settings is the part of a service's configuration that names the cluster.
type Settings struct {
	Addresses []string      `yaml:"addresses"` // URLs
	Username  string        `yaml:"username"`  // empty means no basic authentication
	Password  string        `yaml:"password"`  // better given by the environment than by a file
	APIKey    string        `yaml:"api_key"`   // base64, instead of a user name
	CAFile    string        `yaml:"ca_file"`   // PEM; empty means the system's certificate authorities
	Prefix    string        `yaml:"prefix"`    // of indices and aliases; empty means "articles"
	Refresh   time.Duration `yaml:"refresh"`   // zero means 1 s
	Replicas  int           `yaml:"replicas"`  // copies of each index beside the first
}

// Open makes an Index from settings. It reads the file of authorities and does
// no other I/O.
func Open(s Settings) (*Index, error) {
	var ca []byte
	if s.CAFile != "" {
		var err error
		if ca, err = os.ReadFile(s.CAFile); err != nil {
			return nil, fmt.Errorf("elasticsearch.ca_file: %w", err)
		}
	}
	return New(Config{
		Addresses: s.Addresses, Username: s.Username, Password: s.Password, APIKey: s.APIKey, CACert: ca,
		Prefix: s.Prefix, Refresh: s.Refresh, Replicas: s.Replicas,
	})
}
