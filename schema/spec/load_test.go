package spec_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/finding"
	"skep.dev/schema/spec"
)

// examples are the specs that the repository shows.
func examples(tb testing.TB) []string {
	tb.Helper()
	found, err := filepath.Glob("../../examples/*/cluster.[cy]*")
	if err != nil || len(found) < 4 {
		tb.Fatalf("examples: %v, %v", found, err)
	}
	return found
}

// big writes a spec of n nodes and gives its directory.
func big(tb testing.TB, n int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString("package cluster\n\nimport \"skep.dev/schema\"\n\ncluster: schema.#Cluster\ncluster: {\n\tname: \"big\", kind: \"target\", domain: \"big.example.org\"\n\tnodes: {\n")
	for i := range n {
		role := "worker"
		if i < 3 {
			role = "manager"
		}
		fmt.Fprintf(&b, "\t\tn%d: {address: \"10.%d.%d.%d\", role: %q}\n", i, i>>16, i>>8&255, i&255, role)
	}
	b.WriteString("\t}\n\taccess: {management: [\"192.0.2.0/28\"], nuvla: [\"203.0.113.10/32\"]}\n\tservices: {traefik: certificate: selfSigned: {}, monitoring: {}, nfs: server: \"n0\", s3: {}}\n}\n")
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cluster.cue"), []byte(b.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestLoadExamples(t *testing.T) {
	for _, path := range examples(t) {
		c, _, err := spec.Load(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if filepath.Ext(path) != ".cue" {
			continue
		}
		dir, _, err := spec.Load(filepath.Dir(path))
		if err != nil || dir.Name != c.Name {
			t.Errorf("%s: as a directory: %v", path, err)
		}
	}
}

func TestPosition(t *testing.T) {
	_, s, err := spec.Load("../../examples/target")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("../../examples/target/cluster.cue")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	for path, begins := range map[string]string{
		"nodes.w1.address":       `"10.0.0.12"`,
		"access.users.1":         `"::/0"`,
		"services.nfs.path":      `"/nfs-root"`,
		"services.nfs.versions":  `nfs:`, // its default: the nearest parent
		"services.s3":            `s3:`,
		"engine.pool":            `cluster:`, // nothing above it either
		"nodes.none.address":     `nodes:`,
		"exposures.s3":           `cluster:`,
		"network.public.\"a.b\"": `cluster:`,
	} {
		file, line, column := s.Place(path)
		if filepath.ToSlash(file) != "../../examples/target/cluster.cue" || line < 1 || line > len(lines) {
			t.Errorf("%s: %s:%d", path, file, line)
			continue
		}
		if got := lines[line-1][column-1:]; !strings.HasPrefix(got, begins) {
			t.Errorf("%s is at %q, want %q", path, got, begins)
		}
	}
}

func TestLimits(t *testing.T) {
	_, _, err := spec.LoadFS(os.DirFS(big(t, 200)), ".", spec.Limits{Bytes: 1})
	var input *spec.InputError
	if !errors.As(err, &input) || !strings.Contains(err.Error(), "more than the 0 MB") {
		t.Error(err)
	}
}

func TestInputErrorKeepsItsCause(t *testing.T) {
	_, _, err := spec.Load(filepath.Join(t.TempDir(), "none.cue"))
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, new(finding.List)) {
		t.Errorf("%#v", err)
	}
}

// A spec may be silly, but it never stops the program and never gives more than one line a mistake.
func FuzzLoad(f *testing.F) {
	kinds := []string{".cue", ".yaml", ".json"}
	for _, path := range examples(f) {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for kind := range kinds {
			f.Add(b, uint8(kind))
		}
	}
	f.Add([]byte("nodes: {[string]: role: \"woker\"}\nservices: nfs: server: 1\n"), uint8(0))
	f.Add([]byte(`{"name": "\u0000", "nodes": {"a\nb": {"address": []}}, "exposures": {}}`), uint8(2))
	f.Add([]byte("\"00000"), uint8(0))
	f.Add([]byte("a: &a [x]\nnodes: *a\n"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, kind uint8) {
		name := "cluster" + kinds[int(kind)%len(kinds)]
		_, _, err := spec.LoadFS(fstest.MapFS{name: {Data: b}}, name, spec.Limits{Bytes: 1 << 16})
		var mistakes finding.List
		switch {
		case err == nil, errors.As(err, new(*spec.InputError)):
		case !errors.As(err, &mistakes) || len(mistakes) == 0:
			t.Errorf("neither mistakes nor an input error: %v", err)
		}
		for _, m := range mistakes {
			if line := m.Error(); m.Text == "" || strings.ContainsAny(line, "\n\r") || strings.Contains(line, "errors in empty disjunction") {
				t.Errorf("a bad line: %q", line)
			}
		}
	})
}

// TestLoadIsLinear counts bytes, not time: a rule that looks at all pairs of nodes allocates 16 times as much for 4 times the nodes.
func TestLoadIsLinear(t *testing.T) {
	allocated := func(n int) float64 {
		path := big(t, n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := spec.Load(path); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	if ratio := allocated(800) / allocated(200); ratio > 5 {
		t.Errorf("four times the nodes take %.1f times the memory", ratio)
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{3, 100, 500, 1000, 2000, 10000} {
		path := big(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := spec.Load(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
