// Package firewall judges the rulesets with the kernel itself: packets from every zone, to every port, in network
// namespaces. All of it runs in a network and mount namespace of its own, which ends with the test, whatever happens.
package firewall

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// The test binary runs itself: once more inside namespaces, and as the programs that listen and dial.
const (
	insideVar = "SKEP_CONFORMANCE_INSIDE"
	agentVar  = "SKEP_CONFORMANCE_AGENT"
)

func TestMain(m *testing.M) {
	switch os.Getenv(agentVar) {
	case "listen":
		listenAgent()
		return
	case "dial":
		dialAgent()
		return
	case "hold":
		holdAgent()
		return
	case "wait-udp":
		waitAgent()
		return
	case "wait-raw":
		waitRawAgent()
		return
	case "inject":
		injectAgent()
		return
	}
	if os.Getenv(insideVar) == "" && len(missing()) == 0 {
		fmt.Fprintln(os.Stderr, judge.Inside(prepare, insideVar+"=1"))
		os.Exit(1)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // closed ports are waited for, not worked for
		panic(err)
	}
	os.Exit(m.Run())
}

// missing returns what has to be installed, or allowed, before the kernel can judge.
func missing() []string {
	var out []string
	for tool, from := range map[string]string{
		"nft": "nftables", "iptables-restore": "iptables", "ip6tables-restore": "iptables", "ip": "iproute2",
		"unshare": "util-linux", "conntrack": "conntrack", "flock": "util-linux", "sysctl": "procps",
	} {
		if _, err := exec.LookPath(tool); err != nil {
			out = append(out, from+" (for "+tool+")")
		}
	}
	if len(out) == 0 {
		if !judge.Confines() {
			out = append(out, "root, or user namespaces (for unshare)")
		}
	}
	slices.Sort(out)
	return out
}

// prepare gives the tests an empty /run, and an /etc whose changes nobody else sees.
const prepare = `mount -t tmpfs tmpfs /run
mkdir /run/etc-upper /run/etc-work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc-upper,workdir=/run/etc-work overlay /etc
mkdir -p /etc/skep
ip link set lo up`

// kernel fails a test that nothing here can judge.
func kernel(t *testing.T) {
	t.Helper()
	if lacking := missing(); len(lacking) > 0 {
		judge.Missing(t, "install "+strings.Join(lacking, ", "))
	}
}

// specs returns every example and every spec of testdata, by name.
func specs(t *testing.T) map[string]*schema.Cluster {
	t.Helper()
	out := map[string]*schema.Cluster{}
	var paths []string
	for _, pattern := range []string{"../../*/cluster.cue", "../../*/cluster.yaml", "testdata/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		c, _, err := spec.Load(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		name := filepath.Base(filepath.Dir(path))
		if name == "testdata" {
			name = strings.TrimSuffix(filepath.Base(path), ".yaml")
		}
		out[name] = c
	}
	if out["target"] == nil || out["host"] == nil {
		t.Fatal("examples/target or examples/host is missing")
	}
	return out
}

// sh runs a shell script and returns what it printed.
func sh(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	return string(out)
}
