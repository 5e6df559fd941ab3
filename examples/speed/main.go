// Command speed prints what `skep build` costs for clusters of growing size, beside `cue export` of the same spec
// and schema in the same run. Times are medians of alternating runs of whole processes; compare the ratios, since
// machines differ and are noisy. A build also writes its bundle, and sees it safely on disk: TMPDIR says on which one.
//
//	go run ./examples/speed
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"skep.dev/schema"
)

// cueModule is the cue command of the version that go.mod names.
const cueModule = "cuelang.org/go/cmd/cue@v0.17.1"

func main() {
	runs := flag.Int("runs", 5, "counted runs of each command")
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
	medians := map[int]time.Duration{}
	fmt.Printf("%-8s%12s%10s%14s%10s%8s\n", "nodes", "skep build", "peak", "cue export", "peak", "ratio")
	for _, n := range []int{3, 100, 500, 1000, 2000, 10000} {
		spec, err := writeSpec(dir, n)
		if err != nil {
			return err
		}
		bundle := filepath.Join(dir, "bundle")
		build, export, err := alternate(runs, bundle,
			exec.Command(skep, "build", ".", "-o", bundle), exec.Command(cue, "export", "."), spec)
		if err != nil {
			return err
		}
		medians[n] = build.time()
		fmt.Printf("%-8d%12s%8d M%14s%8d M%8.2f\n", n, round(build.time()), build.peak(), round(export.time()), export.peak(),
			float64(build.time())/float64(export.time()))
	}
	fmt.Printf("\ntime(2000) / time(500) = %.1f (linear is 4)\n", float64(medians[2000])/float64(medians[500]))
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

// writeSpec writes the target example with n nodes, three of them managers, and the schema for cue.
func writeSpec(dir string, n int) (string, error) {
	spec := filepath.Join(dir, fmt.Sprint(n))
	for name, text := range schema.Vendored() {
		path := filepath.Join(spec, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return "", err
		}
	}
	module := "module: \"speed.example@v0\"\nlanguage: version: \"v0.17.0\"\n"
	if err := os.WriteFile(filepath.Join(spec, "cue.mod", "module.cue"), []byte(module), 0o644); err != nil {
		return "", err
	}
	return spec, os.WriteFile(filepath.Join(spec, "cluster.cue"), []byte(text(n)), 0o644)
}

func text(n int) string {
	var nodes strings.Builder
	for i := range n {
		role := "worker"
		if i < 3 {
			role = "manager"
		}
		fmt.Fprintf(&nodes, "\tn%d: {address: \"10.%d.%d.%d\", role: %q}\n", i, i>>16, i>>8&255, i&255, role)
	}
	return fmt.Sprintf(`package cluster

import "skep.dev/schema"

cluster: schema.#Cluster
cluster: {name: "speed", kind: "target", domain: "speed.example.org"}
cluster: nodes: {
%s}
cluster: access: {management: ["192.0.2.0/28"], nuvla: ["203.0.113.10/32"], users: ["0.0.0.0/0", "::/0"]}
cluster: services: {traefik: certificate: selfSigned: {}, monitoring: {}, nfs: server: "n0", s3: {}}
`, nodes.String())
}

// sample is what the runs of one command took.
type sample struct {
	times []time.Duration
	kib   []int64
}

func (s sample) time() time.Duration { slices.Sort(s.times); return s.times[len(s.times)/2] }
func (s sample) peak() int64         { slices.Sort(s.kib); return s.kib[len(s.kib)/2] / 1024 }

// alternate runs a and b in turn in dir, after one run of each that does not count; a writes a whole bundle each time.
func alternate(runs int, bundle string, a, b *exec.Cmd, dir string) (sa, sb sample, err error) {
	for i := range runs + 1 {
		if err := os.RemoveAll(bundle); err != nil {
			return sa, sb, err
		}
		if err := errors.Join(sa.run(a, dir), sb.run(b, dir)); err != nil {
			return sa, sb, err
		}
		if i == 0 {
			sa, sb = sample{}, sample{}
		}
	}
	return sa, sb, nil
}

// run runs a copy of the command; its output is thrown away by the kernel, not read.
func (s *sample) run(command *exec.Cmd, dir string) error {
	c := exec.Command(command.Path, command.Args[1:]...)
	c.Dir = dir
	var stderr strings.Builder
	c.Stderr = &stderr
	start := time.Now()
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, stderr.String())
	}
	s.times = append(s.times, time.Since(start))
	s.kib = append(s.kib, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	return nil
}

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
