package firewall

import (
	"os"
	"os/exec"
	"path/filepath"
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
		for _, backend := range []string{"nft", "iptables"} {
			for _, f := range files(t, c, backend) {
				t.Run(name+"/"+f.Path, func(t *testing.T) { accept(t, f) })
			}
		}
	}
	for _, pattern := range []string{"*.nft", "*.rules"} {
		paths, err := filepath.Glob("../../*/bundle/firewall/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(path, func(t *testing.T) { accept(t, artifact.File{Path: path, Data: data}) })
		}
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

func accept(t *testing.T, f artifact.File) {
	t.Helper()
	var cmd *exec.Cmd
	switch {
	case strings.HasSuffix(f.Path, ".nft"):
		cmd = exec.Command("nft", "-c", "-f", "-")
	case strings.HasSuffix(f.Path, ".v4.rules"):
		cmd = exec.Command("iptables-restore", "--test", "--noflush")
	case strings.HasSuffix(f.Path, ".v6.rules"):
		cmd = exec.Command("ip6tables-restore", "--test", "--noflush")
	default:
		return
	}
	cmd.Stdin = strings.NewReader(string(f.Data))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
