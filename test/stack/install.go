package stack

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

//go:embed java
var sources embed.FS

// tools looks for what the machine must have.
func tools() error {
	for _, t := range []struct{ name, debian string }{
		{"java", "openjdk-17-jdk-headless"}, {"javac", "openjdk-17-jdk-headless"}, {"mvn", "maven"},
	} {
		if _, err := exec.LookPath(t.name); err != nil {
			return fmt.Errorf("%s is missing, which runs real Kafka and Elasticsearch: install it, on Debian by apt-get install %s", t.name, t.debian)
		}
	}
	return nil
}

// install gives the folder in the cache that holds the jars and classes of
// java/name, and makes it where it is missing. It is named by a hash of the
// sources, and made aside and renamed, so that several may install at once.
func install(ctx context.Context, cache, name string, finish func(dir string) error) (string, error) {
	if err := tools(); err != nil {
		return "", err
	}
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("looking for the cache folder: %w", err)
		}
		cache = filepath.Join(user, "marsad-stack")
	}
	sum, err := sourceHash(name)
	if err != nil {
		return "", err
	}
	target := filepath.Join(cache, name+"-"+sum)
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(cache, name+"-new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir, name); err != nil {
		return "", err
	}
	if err := finish(dir); err != nil {
		return "", fmt.Errorf("preparing %s: %w", name, err)
	}
	if err := os.Rename(dir, target); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return target, nil
}

func sourceHash(name string) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(sources, path.Join("java", name), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := sources.ReadFile(p)
		fmt.Fprintf(h, "%s:%d:%s", p, len(b), b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:6]), err
}

// build fetches the jars into dir/lib and compiles the sources into
// dir/classes.
func build(ctx context.Context, dir, name string) error {
	files, err := sources.ReadDir(path.Join("java", name))
	if err != nil {
		return err
	}
	lib, classes := filepath.Join(dir, "lib"), filepath.Join(dir, "classes")
	javac := []string{"-nowarn", "-cp", filepath.Join(lib, "*"), "-d", classes}
	for _, f := range files {
		b, err := sources.ReadFile(path.Join("java", name, f.Name()))
		if err != nil {
			return err
		}
		p := filepath.Join(dir, f.Name())
		if err := os.WriteFile(p, b, 0o644); err != nil {
			return err
		}
		if strings.HasSuffix(p, ".java") {
			javac = append(javac, p)
		}
	}
	if err := command(ctx, dir, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+lib); err != nil {
		return fmt.Errorf("fetching the jars of %s from Maven Central: %w", name, err)
	}
	if err := command(ctx, dir, "javac", javac...); err != nil {
		return fmt.Errorf("compiling the start of %s: %w", name, err)
	}
	return nil
}

// command runs a program; its error holds the end of what was printed.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out[max(0, len(out)-2000):]))
	}
	return nil
}

// jar packs class files into a jar.
func jar(target string, classes ...string) error {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, c := range classes {
		content, err := os.ReadFile(c)
		if err != nil {
			return err
		}
		f, err := w.Create(filepath.Base(c))
		if err != nil {
			return err
		}
		if _, err := f.Write(content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(target, b.Bytes(), 0o644)
}

// unzipped reads one file out of a jar.
func unzipped(jar, name string) ([]byte, error) {
	r, err := zip.OpenReader(jar)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
