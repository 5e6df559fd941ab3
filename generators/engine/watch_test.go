package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
)

// TestTasksMissing runs the watch of a node beside an engine that answers as docker does.
func TestTasksMissing(t *testing.T) {
	const services = "app_web 1/3\nwell 2/2\nmost 2/6 (max 1 per node)\nnone 0/1\nmany 3/2\ndone 0/1 (1/1 completed)\nforged{x=\"y\"} 0/1\nstrange x/1\n"
	for _, test := range []struct {
		why, docker string
		want        []string
	}{
		{"a manager", "case $1 in info) echo true ;; service) cat \"${0%/*}/services\" ;; esac", []string{`{name="app_web"} 2`, `{name="most"} 4`, `{name="none"} 1`}},
		{"a worker", "case $1 in info) echo false ;; *) cat \"${0%/*}/services\" ;; esac", nil},
		{"no engine", "exit 1", nil},
	} {
		dir := t.TempDir()
		measures := filepath.Join(dir, "certificates.prom")
		script := artifact.Script("watch.sh", []artifact.Var{
			artifact.String("list", "/dev/null"), artifact.String("trust", "/dev/null"), artifact.String("web_certificate", ""),
			artifact.String("firewall", "true"), artifact.String("measures", measures),
		}, assets.Bodies("skep-certificates.sh")...)
		for name, text := range map[string]string{"watch.sh": string(script.Data), "docker": "#!/bin/sh\n" + test.docker + "\n", "services": services} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(filepath.Join(dir, "watch.sh"))
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", test.why, err, out)
		}
		text, err := os.ReadFile(measures)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "skep_service_tasks_missing"); ok {
				got = append(got, strings.TrimSpace(rest))
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.why, got, test.want)
		}
	}
}
