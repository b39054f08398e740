package service

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Load fills cfg, a pointer to a struct with yaml tags that holds the
// defaults: first from the YAML file (empty path: none), then from environment
// variables, then from sets, a list of "key=value" as given by flags. A key is
// the dotted path of yaml names (web.listen); its variable is the same in
// upper case behind prefix and "_" with dots as underscores
// (MARSAD_WEB_LISTEN). Values are YAML. Unknown keys and variables are
// errors that name the nearest place.
func Load(cfg any, path, prefix string, environ, sets []string) error {
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading configuration: %w", err)
		}
		if err := decodeFile(b, cfg); err != nil {
			// Without the lines around, which may hold a password.
			return fmt.Errorf("configuration %s: %s", path, yaml.FormatError(err, false, false))
		}
	}
	fields := map[string]reflect.Value{}
	leaves(reflect.ValueOf(cfg).Elem(), "", fields)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, prefix+"_") {
			continue
		}
		if err := set(fields, name, value, func(key string) bool { return EnvName(prefix, key) == name }); err != nil {
			return fmt.Errorf("environment: %w", err)
		}
	}
	for _, kv := range sets {
		name, value, ok := strings.Cut(kv, "=")
		if !ok {
			return fmt.Errorf("setting %q: write key=value", kv)
		}
		if err := set(fields, name, value, func(key string) bool { return key == name }); err != nil {
			return fmt.Errorf("setting: %w", err)
		}
	}
	return nil
}

// decodeFile fills cfg from YAML; a file of comments alone changes nothing.
func decodeFile(b []byte, cfg any) error {
	var content any
	if err := yaml.Unmarshal(b, &content); err != nil || content == nil {
		return err
	}
	return yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(cfg)
}

// EnvName is the environment variable that sets key.
func EnvName(prefix, key string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Keys lists all keys of cfg, sorted.
func Keys(cfg any) []string {
	fields := map[string]reflect.Value{}
	leaves(reflect.ValueOf(cfg).Elem(), "", fields)
	return slices.Sorted(maps.Keys(fields))
}

func set(fields map[string]reflect.Value, name, value string, is func(key string) bool) error {
	for key, field := range fields {
		if !is(key) {
			continue
		}
		if field.Kind() == reflect.String { // taken as it is: no YAML quoting needed
			field.SetString(value)
			return nil
		}
		if err := yaml.Unmarshal([]byte(value), field.Addr().Interface()); err != nil {
			return fmt.Errorf("%s=%q is not a %s", name, value, field.Type())
		}
		return nil
	}
	return fmt.Errorf("%s is not known; known keys are %s", name, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
}

// leaves collects the fields of v that hold values, by dotted path.
func leaves(v reflect.Value, path string, out map[string]reflect.Value) {
	for i := range v.NumField() {
		name, opts, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if opts == "inline" {
			leaves(v.Field(i), path, out)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		if path != "" {
			name = path + "." + name
		}
		if f := v.Field(i); f.Kind() == reflect.Struct {
			leaves(f, name, out)
		} else {
			out[name] = f
		}
	}
}
