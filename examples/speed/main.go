// Command speed prints what `skep build` costs for clusters of growing size, beside `cue export` of the same spec and
// schema. Whole processes run in turn, and each pair gives one ratio of their CPU seconds: machines differ and are noisy, so
// only the ratios' median says much. Every build writes into a directory of its own, for some file systems take longer for
// a file right after another was deleted than a build takes; TMPDIR says on which one.
//
//	go run ./examples/speed
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"skep.dev/schema"
)

// cueModule is the cue command of the version that go.mod names.
const cueModule = "cuelang.org/go/cmd/cue@v0.17.1"

func main() {
	runs := flag.Int("runs", 5, "counted pairs for each spec")
	flag.Parse()
	if err := measure(*runs); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func measure(runs int) error {
	dir, err := os.MkdirTemp("", "skep-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	skep, cue, err := commands(dir)
	if err != nil {
		return err
	}
	fmt.Printf("%-12s%12s%8s%14s%8s%8s\n", "nodes", "skep build", "peak", "cue export", "peak", "ratio")
	for _, s := range []struct {
		name, imports, nodes string
	}{
		{"3", "", literal(3)},
		{"1000", "", literal(1000)},
		{"1000 made", "import \"list\"\n", made(1000)},
		{"10000", "", literal(10000)},
	} {
		spec, err := writeSpec(filepath.Join(dir, s.name), s.imports, s.nodes)
		if err != nil {
			return err
		}
		build, export, err := pairs(runs, skep, cue, spec)
		if err != nil {
			return err
		}
		fmt.Printf("%-12s%10.3f s%6d M%12.3f s%6d M%8.2f\n", s.name, median(build.cpu), median(build.kib)/1024,
			median(export.cpu), median(export.kib)/1024, median(ratios(build.cpu, export.cpu)))
	}
	return nil
}

// commands builds skep from this checkout and cue from the module cache.
func commands(dir string) (skep, cue string, err error) {
	skep, cue = filepath.Join(dir, "skep"), filepath.Join(dir, "cue")
	for _, c := range []*exec.Cmd{exec.Command("go", "build", "-o", skep, "skep.dev/cmd/skep"), exec.Command("go", "install", cueModule)} {
		c.Env = append(os.Environ(), "GOBIN="+dir)
		if out, err := c.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, out)
		}
	}
	return skep, cue, nil
}

// writeSpec writes the target example with other nodes, and the schema for cue.
func writeSpec(spec, imports, nodes string) (string, error) {
	files := schema.Vendored()
	files["cue.mod/module.cue"] = []byte("module: \"speed.example@v0\"\nlanguage: version: \"v0.17.0\"\n")
	files["cluster.cue"] = []byte("package cluster\n" + imports + `
import "skep.dev/schema"

cluster: schema.#Cluster
cluster: {name: "speed", kind: "target", domain: "speed.example.org"}
cluster: access: {management: ["192.0.2.0/28"], nuvla: ["203.0.113.10/32"], users: ["0.0.0.0/0", "::/0"]}
cluster: services: {traefik: certificate: selfSigned: {}, monitoring: {}, nfs: server: "n0", s3: {}}
cluster: nodes: {
` + nodes + "}\n")
	for name, text := range files {
		path := filepath.Join(spec, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return "", err
		}
	}
	return spec, nil
}

// literal writes n nodes one by one, three of them managers.
func literal(n int) string {
	var nodes strings.Builder
	for i := range n {
		role := "worker"
		if i < 3 {
			role = "manager"
		}
		fmt.Fprintf(&nodes, "\tn%d: {address: \"10.%d.%d.%d\", role: %q}\n", i, i>>16, i>>8&255, i&255, role)
	}
	return nodes.String()
}

// made writes the same nodes as a loop.
func made(n int) string {
	return fmt.Sprintf(`	for i in list.Range(0, %d, 1) {
		"n\(i)": {address: "10.0.\(div(i, 256)).\(mod(i, 256))", role: [if i < 3 {"manager"}, "worker"][0]}
	}
`, n)
}

// sample is what the runs of one command took.
type sample struct {
	cpu []float64 // seconds, of the user and of the system
	kib []int64   // at the peak
}

// pairs runs both commands in turn, after one run of each that does not count.
func pairs(runs int, skep, cue, spec string) (build, export sample, err error) {
	for i := range runs + 1 {
		bundle := filepath.Join(spec, "bundles", strconv.Itoa(i))
		if err := errors.Join(build.run(spec, skep, "build", ".", "-o", bundle), export.run(spec, cue, "export", ".")); err != nil {
			return build, export, err
		}
		if i == 0 {
			build, export = sample{}, sample{}
		}
	}
	return build, export, nil
}

// run runs a command; its output is thrown away by the kernel, not read.
func (s *sample) run(dir, command string, args ...string) error {
	c := exec.Command(command, args...)
	c.Dir = dir
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, stderr.String())
	}
	s.cpu = append(s.cpu, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
	s.kib = append(s.kib, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	return nil
}

func ratios(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

func median[T cmp.Ordered](values []T) T { return slices.Sorted(slices.Values(values))[len(values)/2] }
