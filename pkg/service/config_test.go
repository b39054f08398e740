package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/marsad-news/marsad/pkg/bus"
	"github.com/marsad-news/marsad/pkg/service"
)

type inner struct {
	Size int           `yaml:"size"`
	Wait time.Duration `yaml:"wait"`
}

type config struct {
	service.Common `yaml:",inline"`
	Part           inner `yaml:"part"`
}

func TestLoad(t *testing.T) {
	def := func() config { return config{Common: service.DefaultCommon(), Part: inner{Size: 1}} }
	tests := []struct {
		name, file string
		env, sets  []string
		want       func(*config)
		fails      string
	}{
		{name: "defaults", want: func(*config) {}},
		{name: "file", file: "part:\n  size: 7\n  wait: 2s\nkafka:\n  brokers: [a:1, b:2]\n",
			want: func(c *config) {
				c.Part = inner{7, 2 * time.Second}
				c.Kafka.Brokers = []string{"a:1", "b:2"}
			}},
		{name: "later ones win", file: "part: {size: 7}", env: []string{"MARSAD_PART_SIZE=8", "OTHER=x"}, sets: []string{"part.size=9"},
			want: func(c *config) { c.Part.Size = 9 }},
		{name: "strings need no quotes", env: []string{"MARSAD_LISTEN=:8080"}, sets: []string{"log.level=debug"},
			want: func(c *config) { c.Listen, c.Log.Level = ":8080", "debug" }},
		{name: "empty file", file: "\n", want: func(*config) {}},
		{name: "unknown key in file", file: "part:\n  sise: 7\n", fails: "sise"},
		{name: "wrong type in file", file: "part:\n  size: many\n", fails: "[2:9] cannot unmarshal"},
		{name: "unknown variable", env: []string{"MARSAD_PART_SISE=7"}, fails: "MARSAD_PART_SISE is not known; known keys are"},
		{name: "unknown setting", sets: []string{"part.sise=7"}, fails: "part.sise is not known"},
		{name: "setting without value", sets: []string{"part.size"}, fails: "write key=value"},
		{name: "wrong type in variable", env: []string{"MARSAD_PART_WAIT=soon"}, fails: `"soon" is not a time.Duration`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := ""
			if tt.file != "" {
				path = filepath.Join(t.TempDir(), "c.yaml")
				if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := def()
			err := service.Load(&got, path, "MARSAD", tt.env, tt.sets)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("error %v, want one with %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := def()
			tt.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Kafka's secrets can be given by the environment, as they are.
func TestLoadSecrets(t *testing.T) {
	var got config
	const secret = "#: [p=a\"s'sé"
	err := service.Load(&got, "", service.EnvPrefix, []string{
		"MARSAD_KAFKA_TLS_ENABLED=true", "MARSAD_KAFKA_TLS_CA_FILE=ca.pem", "MARSAD_KAFKA_TLS_CERT_FILE=c.pem",
		"MARSAD_KAFKA_TLS_KEY_FILE=k.pem", "MARSAD_KAFKA_TLS_SERVER_NAME=kafka",
		"MARSAD_KAFKA_SASL_MECHANISM=SCRAM-SHA-512", "MARSAD_KAFKA_SASL_USERNAME=marsad", "MARSAD_KAFKA_SASL_PASSWORD=" + secret,
		"MARSAD_KAFKA_SASL_ALLOW_CLEARTEXT=true",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := bus.Settings{
		TLS:  bus.TLSSettings{Enabled: true, CAFile: "ca.pem", CertFile: "c.pem", KeyFile: "k.pem", ServerName: "kafka"},
		SASL: bus.SASLSettings{Mechanism: "SCRAM-SHA-512", Username: "marsad", Password: secret, AllowCleartext: true},
	}
	if diff := cmp.Diff(want, got.Kafka.Settings); diff != "" {
		t.Error(diff)
	}
}

// Errors about a configuration never show what stands around the mistake.
func TestLoadKeepsSecrets(t *testing.T) {
	for name, tt := range map[string]struct {
		file      string
		env, sets []string
	}{
		"unknown key beside it":  {file: "kafka:\n  sasl:\n    password: geheim\n    pasword: x\n"},
		"wrong type beside it":   {file: "kafka:\n  create_topics: many\n  sasl: {password: geheim}\n"},
		"wrong type":             {file: "kafka:\n  sasl:\n    password: [geheim]\n"},
		"open quote":             {file: "kafka:\n  sasl:\n    password: 'geheim\n"},
		"no value after a key":   {file: "kafka:\n  sasl:\n    password: geheim: x\n"},
		"misspelt variable":      {env: []string{"MARSAD_KAFKA_SASL_PASSWROD=geheim"}},
		"misspelt setting":       {sets: []string{"kafka.sasl.passwrod=geheim"}},
		"variable of other type": {env: []string{"MARSAD_KAFKA_SASL_PASSWORD=geheim", "MARSAD_KAFKA_CREATE_TOPICS=many"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := ""
			if tt.file != "" {
				path = filepath.Join(t.TempDir(), "c.yaml")
				if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var c config
			err := service.Load(&c, path, service.EnvPrefix, tt.env, tt.sets)
			if err == nil || strings.Contains(err.Error(), "geheim") {
				t.Errorf("error is %v, want one without the password", err)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	var c config
	if err := service.Load(&c, filepath.Join(t.TempDir(), "none.yaml"), "MARSAD", nil, nil); err == nil {
		t.Error("a missing file was accepted")
	}
}
