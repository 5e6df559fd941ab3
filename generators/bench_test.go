package generators_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/schema/spec"
)

// sizes are the clusters whose speed matters, in nodes. `go run ./examples/speed` measures whole processes.
var sizes = []int{3, 100, 1000, 10000}

// bigSpec writes the target example with n nodes, three of them managers.
func bigSpec(tb testing.TB, n int) string {
	tb.Helper()
	text, err := os.ReadFile("../examples/target/cluster.cue")
	if err != nil {
		tb.Fatal(err)
	}
	var nodes strings.Builder
	for i := range n - 3 {
		fmt.Fprintf(&nodes, "cluster: nodes: n%d: address: \"10.64.%d.%d\"\n", i, i>>8, i&255)
	}
	spec := filepath.Join(tb.TempDir(), "cluster.cue")
	if err := os.WriteFile(spec, append(text, nodes.String()...), 0o644); err != nil {
		tb.Fatal(err)
	}
	return spec
}

// TestManyNodes adds a thousand workers: no file is added, and only those grow that must name each node.
func TestManyNodes(t *testing.T) {
	few, many := generate(t, bigSpec(t, 3)), generate(t, bigSpec(t, 1003))
	if len(few) != len(many) {
		t.Fatalf("%d files became %d", len(few), len(many))
	}
	for i, f := range many {
		switch {
		case f.Path != few[i].Path:
			t.Fatalf("%s became %s", few[i].Path, f.Path)
		case f.Path == "runbook/hosts", f.Path == "nfs/skep.exports":
		case strings.HasPrefix(f.Path, "firewall/") && len(f.Data) < len(few[i].Data)+1000: // prefixes, not nodes
		case len(f.Data) > len(few[i].Data)+200:
			t.Errorf("%s grew from %d to %d bytes", f.Path, len(few[i].Data), len(f.Data))
		}
	}
}

// BenchmarkGenerate is what a loaded cluster still costs; Load has its own benchmark beside it.
func BenchmarkGenerate(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, _, err := spec.Load(bigSpec(b, n))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := generators.Generate(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBuild is `skep build` without the start of the process: from the spec to the bundle on disk.
func BenchmarkBuild(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := bigSpec(b, n)
			b.ReportAllocs()
			for b.Loop() {
				c, _, err := spec.Load(path)
				if err != nil {
					b.Fatal(err)
				}
				files, err := generators.Generate(c)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := artifact.Write(filepath.Join(b.TempDir(), "bundle"), files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
