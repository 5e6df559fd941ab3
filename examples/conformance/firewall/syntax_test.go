package firewall

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// TestSyntax asks the kernel about every ruleset of every spec, with both backends, and of every checked-in bundle.
func TestSyntax(t *testing.T) {
	kernel(t)
	for name, c := range specs(t) {
		for _, backend := range backends() {
			for _, f := range files(t, c, backend) {
				t.Run(name+"/"+f.Path, func(t *testing.T) { accept(t, f) })
			}
		}
	}
	paths, err := filepath.Glob("../../*/bundle/firewall/*")
	if err != nil || len(paths) == 0 {
		t.Fatal("no bundles", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(path, func(t *testing.T) { accept(t, artifact.File{Path: "firewall/" + filepath.Base(path), Data: data}) })
	}
}

// files returns the firewall's part of the cluster's bundle, as the backend has it.
func files(t *testing.T, c *schema.Cluster, backend string) []artifact.File {
	t.Helper()
	copied := *c
	copied.Firewall.Backend = backend
	fs, err := firewall.Files(&copied)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// backends returns the names of the backends.
func backends() []string {
	var out []string
	for _, b := range firewall.Backends() {
		out = append(out, b.Name)
	}
	return out
}

// tool is how the kernel is asked whether it accepts a ruleset, and how it is given one: "$file", in the namespace "$1".
type tool struct {
	ending string
	check  []string
	load   string
}

var tools = []tool{
	{".nft", []string{"nft", "-c", "-f", "-"}, `ip netns exec "$1" nft -f "$file"`},
	{".v4.rules", []string{"iptables-restore", "--test", "--noflush"},
		`ip netns exec "$1" iptables-restore --noflush "$file"; ip netns exec "$1" iptables -t mangle -I PREROUTING -j SKEP`},
	{".v6.rules", []string{"ip6tables-restore", "--test", "--noflush"},
		`ip netns exec "$1" ip6tables-restore --noflush "$file"; ip netns exec "$1" ip6tables -t mangle -I PREROUTING -j SKEP`},
}

// toolFor returns the tool for a ruleset; a backend without one fails its tests.
func toolFor(t *testing.T, path string) tool {
	t.Helper()
	i := slices.IndexFunc(tools, func(a tool) bool { return strings.HasSuffix(path, a.ending) })
	if i < 0 {
		t.Fatalf("%s: no tool loads it", path)
	}
	return tools[i]
}

func accept(t *testing.T, f artifact.File) {
	t.Helper()
	if !firewall.IsRuleset(f.Path) {
		return
	}
	check := toolFor(t, f.Path).check
	cmd := exec.Command(check[0], check[1:]...)
	cmd.Stdin = strings.NewReader(string(f.Data))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
