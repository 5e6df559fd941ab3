// Package engine_test judges what configures the Docker engine and the kernel.
package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/engine"
)

// known are the keys that skep may use, as dockerd's own Config spells them, and the first engine that knows each.
// Another key stops dockerd ("the following directives don't match any configuration option").
// The tag since holds MAJOR.MINOR; engines before 20.10 are out of the schema's reach.
type known struct {
	Hosts        []string          `json:"hosts"`
	TLSVerify    *bool             `json:"tlsverify"`
	TLSCA        string            `json:"tlscacert"`
	TLSCert      string            `json:"tlscert"`
	TLSKey       string            `json:"tlskey"`
	Metrics      string            `json:"metrics-addr"` // out of experimental since 20.10
	LogDriver    string            `json:"log-driver"`
	LogOptions   map[string]string `json:"log-opts"`
	MTU          int               `json:"mtu"`
	NoPrivileges *bool             `json:"no-new-privileges"`
	Pools        []struct {
		Base string `json:"base"`
		Size int    `json:"size"`
	} `json:"default-address-pools"`
	Firewall string `json:"firewall-backend" since:"29.0"`
}

func TestDaemon(t *testing.T) {
	for _, bundle := range judge.Bundles(t) {
		for _, role := range []string{"manager", "worker"} {
			path := filepath.Join(bundle, engine.Daemon(role))
			data, err := os.ReadFile(path)
			if os.IsNotExist(err) && role == "worker" {
				continue // a cluster may have managers alone
			}
			t.Run(judge.Example(bundle)+"/"+role, func(t *testing.T) {
				if err != nil {
					t.Fatal(err)
				}
				judgeDaemon(t, role, judge.Spec(t, bundle).Engine.Versions.From, data)
			})
		}
	}
}

// TestVersions compiles one spec for each line of engines that people run.
func TestVersions(t *testing.T) {
	for _, v := range []struct {
		from, below string
		firewall    string
	}{
		{"20.10", "30.0", ""},
		{"28.0", "29.0", ""},
		{"28.5.1", "29.0.0", ""},
		{"29.0", "30.0", "iptables"},
		{"29.1.3", "29.9", "iptables"},
	} {
		t.Run(v.from, func(t *testing.T) {
			c := judge.Cluster(t, fmt.Sprintf(`name: edge
kind: host
domain: edge.example.org
nodes: {m1: {address: 10.0.0.11, role: manager}}
access: {management: [192.0.2.0/28]}
engine: {versions: {from: %q, below: %q}}
services: {traefik: {certificate: {selfSigned: {}}}, monitoring: {}}
`, v.from, v.below))
			files, err := engine.Files(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.Path != engine.Manager {
					continue
				}
				d := judgeDaemon(t, "manager", v.from, f.Data)
				if d.Firewall != v.firewall {
					t.Errorf("firewall-backend %q, want %q", d.Firewall, v.firewall)
				}
			}
		})
	}
}

// judgeDaemon decodes a daemon.json as dockerd does and wants the API over TLS on managers only.
func judgeDaemon(t *testing.T, role, from string, data []byte) known {
	t.Helper()
	var d known
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[known]().NumField() {
		field := reflect.TypeFor[known]().Field(i)
		since := field.Tag.Get("since")
		if since != "" && !reflect.ValueOf(d).Field(i).IsZero() && minor(t, from) < minor(t, since) {
			t.Errorf("%s is known since %s, and nodes may run %s", field.Tag.Get("json"), since, from)
		}
	}
	if len(d.Hosts) == 0 || d.Hosts[0] != "fd://" {
		t.Errorf("hosts %v: want systemd's socket first", d.Hosts)
	}
	overNetwork := len(d.Hosts) > 1
	if overNetwork != (role == "manager") {
		t.Errorf("hosts %v of a %s", d.Hosts, role)
	}
	safe := d.TLSVerify != nil && *d.TLSVerify && d.TLSCA != "" && d.TLSCert != "" && d.TLSKey != ""
	if overNetwork && !safe {
		t.Error("the API is open without client certificates")
	}
	return d
}

// minor returns a version as one number that can be compared.
func minor(t *testing.T, version string) int {
	t.Helper()
	parts := strings.Split(version+".0", ".")
	a, err1 := strconv.Atoi(parts[0])
	b, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		t.Fatalf("version %q", version)
	}
	return a*1000 + b
}

// TestDropIn puts the drop-in beside the units of Docker's and Debian's packages and lets systemd read both.
func TestDropIn(t *testing.T) {
	analyze := judge.Tool(t, "systemd-analyze", "systemd")
	for _, bundle := range judge.Bundles(t) {
		dropIn, err := os.ReadFile(filepath.Join(bundle, engine.DropIn))
		if err != nil {
			t.Fatal(err)
		}
		for dockerd, unit := range map[string]string{"/usr/bin/dockerd": dockerUnit, "/usr/sbin/dockerd": debianUnit} {
			t.Run(judge.Example(bundle)+dockerd, func(t *testing.T) {
				root := t.TempDir()
				put(t, root, "/lib/systemd/system/docker.service", unit, 0o644)
				put(t, root, "/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\n", 0o644)
				put(t, root, "/lib/systemd/system/sysinit.target", "[Unit]\nDescription=stand-in\n", 0o644)
				put(t, root, "/lib/systemd/system/basic.target", "[Unit]\nDescription=stand-in\n", 0o644)
				put(t, root, "/lib/systemd/system/shutdown.target", "[Unit]\nDescription=stand-in\n", 0o644)
				put(t, root, engine.InstalledDropIn, string(dropIn), 0o644)
				verify := func() string {
					out, _ := exec.Command(analyze, "verify", "--root="+root, "docker.service").CombinedOutput()
					return string(out)
				}
				// That systemd misses the program first proves that it looks for it.
				if out := verify(); !strings.Contains(out, "dockerd is not executable") {
					t.Errorf("without dockerd: %s", out)
				}
				put(t, root, dockerd, "#!/bin/sh\n", 0o755)
				if out := verify(); out != "" {
					t.Errorf("with dockerd: %s", out)
				}
			})
		}
	}
}

const dockerUnit = `[Unit]
Requires=docker.socket
[Service]
Type=notify
ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock
`

const debianUnit = `[Unit]
Requires=docker.socket
[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
`

func put(t *testing.T, root, path, data string, mode os.FileMode) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
}

// TestSysctl sets the kernel of a network namespace.
func TestSysctl(t *testing.T) {
	sysctl, unshare := judge.Tool(t, "sysctl", "procps"), judge.Tool(t, "unshare", "util-linux")
	if err := exec.Command(unshare, "-rn", "true").Run(); err != nil {
		judge.Missing(t, "no network namespace can be made: run as root, or allow user namespaces")
	}
	line := regexp.MustCompile(`^[a-z0-9_.]+ = [0-9 ,-]+$`)
	for _, bundle := range judge.Bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			path := filepath.Join(bundle, engine.Sysctl)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"-rn", sysctl, "-p", path}
			if os.Getuid() == 0 {
				args[0] = "-n"
			}
			out, err := exec.Command(unshare, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var want []string
			for _, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
				if l == "" || strings.HasPrefix(l, "#") {
					continue
				}
				if !line.MatchString(l) {
					t.Errorf("line %q", l)
				}
				want = append(want, l)
			}
			if got := strings.TrimSpace(string(out)); got != strings.Join(want, "\n") {
				t.Errorf("the kernel took %q, want %q", got, want)
			}
		})
	}
}
