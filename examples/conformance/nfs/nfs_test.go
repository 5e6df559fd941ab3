// Package nfs_test lets exportfs, nfsconf and modprobe read what configures the NFS server. None of them needs a
// kernel that serves NFS.
package nfs_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/artifact"
	"skep.dev/generators/nfs"
	"skep.dev/schema"
)

func TestExamples(t *testing.T) {
	served := 0
	for _, bundle := range judge.Bundles(t) {
		c := judge.Spec(t, bundle)
		var files []artifact.File
		for _, path := range []string{nfs.Exports, nfs.Conf, nfs.Lockd} {
			data, err := os.ReadFile(filepath.Join(bundle, path))
			if err == nil {
				files = append(files, artifact.File{Path: path, Mode: 0o644, Data: data})
			} else if !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		if (c.Services.NFS == nil) != (len(files) == 0) {
			t.Errorf("%s: %d files of NFS", judge.Example(bundle), len(files))
		}
		if c.Services.NFS == nil {
			continue
		}
		served++
		t.Run(judge.Example(bundle), func(t *testing.T) { judgeServer(t, c, files) })
	}
	if served == 0 {
		t.Error("no example has an NFS server")
	}
}

// TestEdges judges what no example has: ten thousand clients, and clients with IPv6 addresses.
func TestEdges(t *testing.T) {
	const spec = `name: edge
kind: host
domain: edge.example.org
nodes: {m1: {address: 10.0.0.11, role: manager}}
access: {management: [192.0.2.0/28]}
services: {nfs: {server: m1, path: /srv/a-b_c.d/e, versions: "3+4"}}
`
	for name, first := range map[string]string{"four": "10.16.0.1", "six": "2001:db8::fff0"} {
		t.Run(name, func(t *testing.T) {
			c := judge.Cluster(t, spec)
			address := netip.MustParseAddr(first)
			for i := range 10_000 {
				c.Nodes = append(c.Nodes, schema.Node{Name: fmt.Sprintf("w%d", i), Address: address, Role: "worker"})
				address = address.Next()
			}
			files, err := nfs.Files(c)
			if err != nil {
				t.Fatal(err)
			}
			judgeServer(t, c, files)
		})
	}
}

// TestShares judges shares of each mode and squash, for clients with addresses of both kinds.
func TestShares(t *testing.T) {
	c := judge.Cluster(t, `name: edge
kind: host
domain: edge.example.org
nodes: {m1: {address: 10.0.0.11, role: manager}, w1: {address: 10.0.0.12}}
access: {management: [192.0.2.0/28]}
services: {nfs: {server: m1, path: /srv/a-b_c.d/e, shares: {
  shop: {mode: read-write, owner: {uid: 999, gid: 998}}, mail-1: {path: /srv/a-b_c.d/mail.1, filesystem: own, mode: read-write, squash: none}, look: {}}}}
`)
	c.Nodes = append(c.Nodes, schema.Node{Name: "w2", Address: netip.MustParseAddr("2001:db8::7"), Role: "worker"})
	files, err := nfs.Files(c)
	if err != nil {
		t.Fatal(err)
	}
	judgeServer(t, c, files)
}

// judgeServer installs files below a root of its own and asks the real programs what they read.
func judgeServer(t *testing.T, c *schema.Cluster, files []artifact.File) {
	t.Helper()
	root := t.TempDir()
	installed := map[string]string{nfs.Exports: nfs.InstalledExports, nfs.Conf: nfs.InstalledConf, nfs.Lockd: nfs.InstalledLockd}
	for _, f := range files {
		if to, ok := installed[f.Path]; ok {
			judge.Write(t, root, []artifact.File{{Path: to, Mode: f.Mode, Data: f.Data}})
		}
	}
	judge.Write(t, root, []artifact.File{
		{Path: "/etc/exports", Mode: 0o644},
		{Path: "/etc/nfs.conf", Mode: 0o644, Data: []byte("[mountd]\nmanage-gids=y\n")}, // as Debian has it
		{Path: filepath.Join(c.Services.NFS.Path, "file"), Mode: 0o644},
	})
	for _, s := range c.Services.NFS.Shares {
		judge.Write(t, root, []artifact.File{{Path: filepath.Join(s.Path, "file"), Mode: 0o644}})
	}
	judgeExports(t, c, root)
	judgeConf(t, c, root)
}

func judgeExports(t *testing.T, c *schema.Cluster, root string) {
	t.Helper()
	exportfs := judge.Tool(t, "exportfs", "nfs-kernel-server")
	out := in(t, root, "/bin/sh", "-c", exportfs+" -ra && "+exportfs+" -s")
	n := c.Services.NFS
	wanted := map[string][]string{n.Path: append(own(n.Filesystem), "ro", "root_squash", "no_all_squash")}
	for _, s := range n.Shares {
		mode := map[string]string{"read-only": "ro", "read-write": "rw"}[s.Mode]
		squash := []string{"no_root_squash", "no_all_squash"}
		if s.Squash == "all" {
			squash = []string{"all_squash"}
			if s.Owner != n.Nobody { // whom exportfs leaves out
				squash = append(squash, fmt.Sprintf("anonuid=%d", s.Owner.UID), fmt.Sprintf("anongid=%d", s.Owner.GID))
			}
		}
		wanted[s.Path] = append(append(own(s.Filesystem), mode), squash...)
	}
	left := map[[2]string]bool{}
	for _, node := range c.Nodes {
		for path := range wanted {
			left[[2]string{path, node.Address.String()}] = true
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		path, rest, _ := strings.Cut(line, " ")
		client, options, ok := strings.Cut(strings.TrimSpace(rest), "(")
		list := strings.Split(strings.TrimSuffix(options, ")"), ",")
		if key := [2]string{path, client}; ok && left[key] {
			delete(left, key)
		} else {
			t.Fatalf("export %q: want what the spec shares, to the addresses of the nodes", line)
		}
		for _, o := range append([]string{"sync", "no_subtree_check", "sec=sys"}, wanted[path]...) {
			if !slices.Contains(list, o) {
				t.Fatalf("export %q: lacks %s", line, o)
			}
		}
		if slices.Contains(list, "mountpoint") != slices.Contains(wanted[path], "mountpoint") {
			t.Fatalf("export %q: only some are tied to a disk of their own", line)
		}
	}
	if len(left) != 0 {
		t.Errorf("%d exports are missing", len(left))
	}
}

func own(filesystem string) []string {
	if filesystem == "own" {
		return []string{"mountpoint"}
	}
	return nil
}

func judgeConf(t *testing.T, c *schema.Cluster, root string) {
	t.Helper()
	nfsconf := judge.Tool(t, "nfsconf", "nfs-common")
	p := c.Services.NFS.Ports
	want := map[string]string{
		"nfsd port": number(p.NFS), "nfsd udp": "n", "nfsd vers3": "n", "nfsd vers4": "y", "nfsd vers4.0": "n", "nfsd vers4.2": "y",
		"mountd port": number(p.Mountd), "mountd manage-gids": "y",
	}
	if c.Services.NFS.Versions == "3+4" {
		for k, v := range map[string]string{
			"nfsd vers3": "y", "lockd port": number(p.Lockd), "lockd udp-port": number(p.Lockd),
			"statd port": number(p.Statd), "statd outgoing-port": number(p.StatdOutgoing),
		} {
			want[k] = v
		}
		modprobe := judge.Tool(t, "modprobe", "kmod")
		options := fmt.Sprintf("options lockd nlm_tcpport=%d nlm_udpport=%d\n", p.Lockd, p.Lockd)
		if got := in(t, root, modprobe, "--showconfig"); !strings.Contains(got, options) {
			t.Errorf("modprobe lacks %q:\n%s", options, got)
		}
	}
	for key, value := range want {
		section, name, _ := strings.Cut(key, " ")
		if got := strings.TrimSpace(in(t, root, nfsconf, "--get", section, name)); got != value {
			t.Errorf("[%s] %s = %q, want %q", section, name, got, value)
		}
	}
}

// TestMasked wants the units that are masked without NFSv3 to be units of the packages.
func TestMasked(t *testing.T) {
	judge.Tool(t, "rpc.statd", "nfs-common")
	c := judge.Cluster(t, `name: edge
kind: host
domain: edge.example.org
nodes: {m1: {address: 10.0.0.11, role: manager}}
access: {management: [192.0.2.0/28]}
services: {nfs: {server: m1}}
`)
	masked, _ := nfs.Units(c)
	for _, unit := range append(masked, nfs.Unit) {
		if _, err := os.Stat("/usr/lib/systemd/system/" + unit); err != nil {
			if _, err := os.Stat("/lib/systemd/system/" + unit); err != nil {
				t.Error(err)
			}
		}
	}
}

// in runs a command with root as its root directory, in a mount namespace of its own, and wants silence on stderr.
func in(t *testing.T, root string, command ...string) string {
	t.Helper()
	unshare := judge.Tool(t, "unshare", "util-linux")
	flags := []string{"-m"}
	if os.Getuid() != 0 {
		flags = []string{"-rm"}
	}
	if err := exec.Command(unshare, append(flags, "true")...).Run(); err != nil {
		judge.Missing(t, "no mount namespace can be made: run as root, or allow user namespaces")
	}
	var stderr strings.Builder
	cmd := exec.Command(unshare, append(append(flags, "testdata/run.sh", root), command...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %v: %s%s", command, err, out, stderr.String())
	}
	return string(out)
}

func number(port uint16) string { return strconv.Itoa(int(port)) }
