// Package deploy holds what lies under deploy/ against the Kubernetes API, the
// Compose specification, the Dockerfile, the index's mapping and the programs
// themselves. It needs neither a cluster nor containers.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	root = "../.."
	user = 65532 // whom the images run as
)

// programs are the Dockerfile's targets and where each is built.
var programs = map[string]struct{ dir, pkg string }{
	"ingest": {"services/ingest", "./cmd/ingest"},
	"enrich": {"services/enrich", "./cmd/enrich"},
	"index":  {"services/index", "./cmd/index"},
	"web":    {"services/web", "./cmd/web"},
	"marsad": {"cmd/marsad", "."},
}

var binaries string // folder of the built programs, set by TestMain

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "marsad-deploy-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(binaries)
	for name, p := range programs {
		cmd := exec.Command("go", "build", "-o", filepath.Join(binaries, name), p.pkg)
		cmd.Dir = filepath.Join(root, p.dir)
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", name, err, out)
			return 1
		}
	}
	return m.Run()
}

// target is the Dockerfile's target that image, such as
// registry.example/marsad-web:1.0.0, is made of.
func target(t *testing.T, image string) string {
	t.Helper()
	name, _, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	name = strings.TrimPrefix(name, "marsad-")
	if _, ok := programs[name]; !ok {
		t.Fatalf("image %s is no target of the Dockerfile", image)
	}
	return name
}

// accepts fails where the program refuses its arguments or a setting of env, by
// name or by value. The program is given one setting more, which no program
// knows and which it looks at last, so that it goes no further.
func accepts(t *testing.T, target string, args, env []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, target), append(slices.Clone(args), "--set", "no.such=1")...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "setting: no.such is not known") {
		t.Errorf("%s %s does not take %q: %v\n%s", target, strings.Join(args, " "), env, err, out)
	}
}

func TestDockerfile(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	build, images, ok := strings.Cut(string(b), "\nFROM gcr.io/distroless/static-")
	if !ok || !strings.Contains(build, "CGO_ENABLED=0") {
		t.Error("the images are not static binaries on distroless/static")
	}
	if strings.Contains(images, "\nRUN ") {
		t.Error("the images have no shell to RUN anything with")
	}
	// A number, for only that lets Kubernetes see that it is not root.
	if !strings.Contains(images, fmt.Sprintf("\nUSER %d:%d\n", user, user)) {
		t.Errorf("the images do not run as %d", user)
	}
	base, stages, _ := strings.Cut(images, "\nFROM base AS ")
	var targets []string
	for stage := range strings.SplitSeq(stages, "\nFROM base AS ") {
		name, rest, _ := strings.Cut(stage, "\n")
		targets = append(targets, name)
		if !strings.Contains(rest, "COPY --from=build /out/"+name+" /"+name+"\n") || !strings.Contains(rest, `ENTRYPOINT ["/`+name+`"]`) {
			t.Errorf("target %s does not run the program of that name", name)
		}
		if _, ok := programs[name]; !ok {
			t.Fatalf("target %s is no program", name)
		}
		var args []string
		if strings.Contains(rest, `CMD ["up"]`) {
			args = []string{"up"}
		}
		accepts(t, name, args, append(assignments(base), assignments(rest)...))
	}
	if len(targets) != len(programs) {
		t.Errorf("targets are %q, programs are %d", targets, len(programs))
	}
}

// assignments are the variables that the ENV lines of a Dockerfile set.
func assignments(file string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^ENV (.+)$`).FindAllStringSubmatch(file, -1) {
		out = append(out, strings.Fields(m[1])...)
	}
	return out
}
