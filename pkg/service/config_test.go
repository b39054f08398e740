package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		{name: "wrong type in file", file: "part:\n  size: many\n", fails: "size: many"},
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

func TestLoadMissingFile(t *testing.T) {
	var c config
	if err := service.Load(&c, filepath.Join(t.TempDir(), "none.yaml"), "MARSAD", nil, nil); err == nil {
		t.Error("a missing file was accepted")
	}
}
