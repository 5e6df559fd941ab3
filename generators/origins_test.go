package generators_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/written"
)

// TestOrigins looks at what the files of a bundle say about their lines: each origin is a field of the schema, and each
// comment that begins with a field is one.
func TestOrigins(t *testing.T) {
	root := written.NewSchema().Root
	comment := regexp.MustCompile(`(?m)^\s*# ((services|nodes|access|engine|network|firewall|certificates|exposures)\.[\w.*]+)$`)
	want := map[string]string{ // a line of it, and the field that decides
		"nfs/skep.exports":                 "\t10.0.0.12 \\ <- services.nfs.path",
		"stacks/traefik/traefik.yaml":      "  level: INFO <- services.traefik.log",
		"runbook/cluster.sh":               "\t\t'docker_gwbridge' <- firewall.bridges",
		"certs/generate-certificates.sh":   "readonly days=397 <- certificates.days",
		"firewall/manager-nfs-traefik.nft": "\t\ttcp dport 22 goto from_management comment \"ssh\" <- nodes.*.ssh.port",
	}
	for _, f := range generate(t, "../examples/target/cluster.cue") {
		lines := strings.Split(string(f.Data), "\n")
		at := map[string][]string{} // by line, the fields
		var fields []string
		for _, o := range f.Origins {
			if _, depth := root.Find(schema.SplitPath(o.Field)); depth < len(schema.SplitPath(o.Field)) {
				t.Errorf("%s:%d: %s is not a field", f.Path, o.First, o.Field)
			}
			if o.First < 1 || o.Last < o.First || o.Last > len(lines) {
				t.Fatalf("%s: %+v", f.Path, o)
			}
			for _, line := range lines[o.First-1 : o.Last] {
				at[line] = append(at[line], o.Field)
			}
			fields = append(fields, o.Field)
		}
		for _, m := range comment.FindAllStringSubmatch(string(f.Data), -1) {
			if !slices.Contains(fields, m[1]) {
				t.Errorf("%s: a comment names %s, and no origin does", f.Path, m[1])
			}
		}
		if line, field, ok := strings.Cut(want[f.Path], " <- "); ok && !slices.Contains(at[line], field) {
			t.Errorf("%s: %q follows from %v, want %s", f.Path, line, at[line], field)
		}
	}
}

// TestEveryLine: each line of a bundle follows from fields of the spec, or stands in the source of skep.
func TestEveryLine(t *testing.T) {
	root := written.NewSchema().Root
	sources := map[string][]string{}
	for _, spec := range exampleSpecs(t) {
		for _, f := range generate(t, spec) {
			lines := strings.SplitAfter(string(f.Data), "\n")
			told := make([]bool, len(lines))
			for _, field := range f.Of {
				if _, depth := root.Find(schema.SplitPath(field)); depth < len(schema.SplitPath(field)) {
					t.Errorf("%s: %s is not a field", f.Path, field)
				}
			}
			for _, o := range f.Origins {
				for i := o.First; i <= o.Last; i++ {
					told[i-1] = true
				}
			}
			for _, s := range f.Static {
				if sources[s.Source] == nil {
					text, err := os.ReadFile(filepath.Join("..", s.Source))
					if err != nil {
						t.Fatal(err)
					}
					sources[s.Source] = strings.SplitAfter(string(text), "\n")
				}
				for i := s.First; i <= s.Last; i++ {
					told[i-1] = true
					if at := s.Line + i - s.First; s.Line > 0 && (at > len(sources[s.Source]) || sources[s.Source][at-1] != lines[i-1]) {
						t.Fatalf("%s:%d is not line %d of %s", f.Path, i, at, s.Source)
					}
				}
			}
			if n := slices.Index(told[:len(lines)-1], false); n >= 0 && len(f.Of) == 0 && f.Path != artifact.AttributesName {
				t.Errorf("%s:%d: nothing says where it comes from: %q", f.Path, n+1, lines[n])
			}
		}
	}
}
