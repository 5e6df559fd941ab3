package firewall

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/firewall"
)

// keep has the trial's rules tried and confirmed.
func (tr *trial) keep(t *testing.T) {
	t.Helper()
	tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
	tr.want(t, 0, "the rules are kept", "", "confirm")
}

// reboot leaves what a reboot does: files, but no rules and nothing in /run.
func (tr *trial) reboot(t *testing.T) {
	t.Helper()
	tr.run(t, `nft flush ruleset; rm -rf /run/skep-firewall`)
}

// in is a file of the node's /etc/skep.
func (tr *trial) in(path string) string { return filepath.Join(tr.dir, "etc", filepath.Base(path)) }

// marked reports whether Docker would start.
func (tr *trial) marked() bool {
	_, err := os.Stat(filepath.Join(tr.dir, "run", "skep-firewall", "loaded"))
	return err == nil
}

// damages are what may become of a file of rules. An altered one is good, and would load.
var damages = map[string]func(text string) string{
	"empty":      func(string) string { return "" },
	"first line": func(s string) string { return s[:strings.Index(s, "\n")+1] },
	"cut":        func(s string) string { return s[:len(s)/2] },
	"last line":  func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] },
	"unparsable": func(s string) string { return s + "and so on\n" },
	"altered": func(s string) string {
		s = strings.Replace(s, "\t\tjump control\n", "\t\ttcp dport 5432 accept\n\t\tjump control\n", 1)
		return strings.Replace(s, "-A SKEP -i lo -j RETURN\n", "-A SKEP -i lo -j RETURN\n-A SKEP -p tcp --dport 5432 -j RETURN\n", 1)
	},
}

// TestBroken: whatever became of the installed rules, the node is closed but for ssh, Docker waits, and somebody is told.
func TestBroken(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		for _, path := range firewall.BackendOf(tr.cluster).Installed() {
			good, err := os.ReadFile(tr.in(path))
			if err != nil {
				t.Fatal(err)
			}
			for name, damage := range damages {
				t.Run(name, func(t *testing.T) {
					write(t, tr.in(path), []byte(damage(string(good))))
					tr.reboot(t)
					tr.isClosed(t)
					write(t, tr.in(path), good)
					tr.isWell(t)
				})
			}
			t.Run("missing", func(t *testing.T) {
				sh(t, `rm "$1"`, tr.in(path))
				tr.reboot(t)
				tr.isClosed(t)
				write(t, tr.in(path), good)
				tr.isWell(t)
			})
		}
	})
}

// TestAllGone: rules and digest are missing, as after `rm -r /etc/skep`. The drop-in for Docker tells that this is no first
// install: the node is closed, as with any other damage.
func TestAllGone(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		sh(t, `find "$1/etc" -mindepth 1 -delete; mkdir -p "$1/units/docker.service.d"`, tr.dir)
		write(t, filepath.Join(tr.dir, "units", "docker.service.d", filepath.Base(firewall.DockerPath)), nil)
		tr.reboot(t)
		tr.isClosed(t)
	})
}

// isClosed wants load to leave the closed minimum.
func (tr *trial) isClosed(t *testing.T) {
	t.Helper()
	tr.want(t, 1, "the closed minimum is loaded", "", "load")
	if own := tr.own(t); !strings.Contains(own, "dport 22 ") || strings.Contains(own, "dport 2377 ") || tr.marked() {
		t.Fatalf("Docker would start: %v; loaded:\n%s", tr.marked(), own)
	}
	tr.want(t, 1, "loaded: the closed minimum", "", "status")
}

// isWell wants load to load the rules.
func (tr *trial) isWell(t *testing.T) {
	t.Helper()
	tr.want(t, 0, "", "", "load")
	if !tr.marked() {
		t.Fatal("Docker would not start")
	}
	tr.want(t, 0, "loaded: yes", "", "status")
}

// TestOldRules: an older skep kept no digest. Its rules load when they are whole, and whoever looks is told.
func TestOldRules(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		digest := tr.in("firewall.sha256")
		path := firewall.BackendOf(tr.cluster).Installed()[0]
		good, err := os.ReadFile(tr.in(path))
		if err != nil {
			t.Fatal(err)
		}
		sh(t, `rm "$1"`, digest)
		tr.reboot(t)
		tr.want(t, 0, "an older skep confirmed these rules", "", "load")
		if !tr.marked() {
			t.Fatal("Docker would not start")
		}
		tr.want(t, 1, "no digest", "", "status")
		for name, damage := range damages {
			if name == "altered" {
				continue
			}
			write(t, tr.in(path), []byte(damage(string(good))))
			tr.reboot(t)
			tr.isClosed(t)
		}
		tr.keep(t)
		tr.want(t, 0, "loaded: yes", "", "status")
	})
}

// TestFirstInstall: before somebody confirmed rules nothing loads, neither rules nor the closed minimum.
func TestFirstInstall(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		tr.reboot(t)
		tr.want(t, 1, "nothing is installed", "", "load")
		tr.holds(t, "")
		if tr.marked() {
			t.Error("nobody confirmed, and Docker is told that rules are loaded")
		}
	})
}

// TestByHand: status names what somebody changed in the kernel, be it one rule or one address.
func TestByHand(t *testing.T) {
	changes := map[string]map[string]string{
		"nft": {
			`nft insert rule inet skep prerouting accept`:                      "added: accept",
			`nft add rule inet skep from_cluster accept`:                       "added: accept",
			`nft add element inet skep management4 '{ 198.51.100.7 }'`:         "198.51.100.7",
			`nft 'add chain inet skep prerouting { policy accept; }'`:          "policy accept",
			`nft delete table inet skep`:                                       "loaded: no",
			`nft flush chain inet skep refuse`:                                 "missing: counter",
			`nft add chain inet skep mine; nft add rule inet skep mine accept`: "chain mine",
		},
		"iptables": {
			`iptables -t mangle -I SKEP -j RETURN`:              "added: iptables SKEP -A SKEP -j RETURN",
			`ip6tables -t mangle -I SKEP -j RETURN`:             "added: ip6tables SKEP -A SKEP -j RETURN",
			`iptables -t mangle -I PREROUTING -p tcp -j ACCEPT`: "-A PREROUTING -p tcp -j ACCEPT",
			`iptables -t mangle -F SKEP-REFUSE`:                 "missing: iptables SKEP-REFUSE",
			`iptables -t mangle -D PREROUTING -j SKEP`:          "loaded: no",
			`iptables -t mangle -D PREROUTING -j SKEP; iptables -t mangle -A PREROUTING -i eth9 -j ACCEPT; iptables -t mangle -A PREROUTING -j SKEP`: "-i eth9 -j ACCEPT",
		},
	}
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		for change, told := range changes[tr.cluster.Firewall.Backend] {
			tr.run(t, change)
			tr.want(t, 1, told, "", "status")
			tr.run(t, `iptables -t mangle -F PREROUTING`) // Docker's and others' rules are no matter of load
			tr.isWell(t)
		}
		tr.run(t, `iptables -t mangle -I PREROUTING -p udp --dport 9 -j MARK --set-mark 1`)
		tr.want(t, 0, "loaded: yes", "", "status")
	})
}

// TestChangedOnTrial: what somebody changed during the trial is not what was tried.
func TestChangedOnTrial(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		tr.run(t, map[string]string{"nft": `nft insert rule inet skep prerouting accept`, "iptables": `iptables -t mangle -I SKEP -j RETURN`}[tr.cluster.Firewall.Backend])
		tr.want(t, 3, "added: ", "", "confirm")
		tr.want(t, 0, "the previous rules are back", "", "rollback")
		tr.holds(t, "")
	})
}

// TestWithoutRules: Docker starts behind the closed minimum where the spec says so.
func TestWithoutRules(t *testing.T) {
	kernel(t)
	c := *specs(t)["target"]
	c.Firewall.WithoutRules = "start"
	tr := newTrial(t, "withoutrules", &c)
	tr.keep(t)
	write(t, tr.in(firewall.BackendOf(tr.cluster).Installed()[0]), nil)
	tr.reboot(t)
	tr.want(t, 1, "the closed minimum is loaded", "", "load")
	if !tr.marked() {
		t.Error("Docker would not start")
	}
	tr.want(t, 1, "loaded: the closed minimum", "", "status")
}

// TestUnit: systemd shows what is true. Nothing is started before somebody confirmed; what waited is started then.
func TestUnit(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		if err := os.MkdirAll(filepath.Join(tr.dir, "run", "systemd", "system"), 0o755); err != nil {
			t.Fatal(err)
		}
		calls := filepath.Join(tr.dir, "calls")
		held := func(stamp string) {
			t.Helper()
			tr.stub(t, "systemd-run", ``)
			tr.stub(t, "systemctl", `[[ $1 != show ]] || printf 'AssertResult=no\nAssertTimestampMonotonic=`+stamp+`\n'
[[ $1 != is-enabled ]] || exit 1
echo "$*" >>"`+calls+`"`)
		}
		said := func(text string) bool {
			b, err := os.ReadFile(calls)
			return err == nil && strings.Contains(string(b), text)
		}
		held("0")
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		if said("start skep-firewall.service") || said("enable ") {
			t.Error("the unit was started before somebody confirmed")
		}
		tr.want(t, 0, "the rules are kept", "", "confirm")
		if !said("enable --quiet skep-firewall.service") || !said("start skep-firewall.service") {
			t.Error("the unit does not show that rules are loaded")
		}
		tr.want(t, 0, "", "", "load")
		if said("docker.service\nreset") || said("start --no-block docker.service") {
			t.Error("load started an engine that had not waited")
		}
		held("123")
		path := firewall.BackendOf(tr.cluster).Installed()[0]
		good, err := os.ReadFile(tr.in(path))
		if err != nil {
			t.Fatal(err)
		}
		write(t, tr.in(path), nil)
		tr.want(t, 1, "Docker does not start", "", "load")
		if said("start --no-block docker.service") {
			t.Error("Docker was started without rules")
		}
		write(t, tr.in(path), good)
		tr.want(t, 0, "Docker waited", "", "load")
		if !said("start --no-block docker.service") {
			t.Error("Docker still waits for rules that are loaded")
		}
		sh(t, `mkdir -p "$(dirname "$1")"; touch "$1"`, firewall.DockerPath) // an /etc of this test's own
		tr.want(t, 0, "", "", "remove")
		if _, err := os.Stat(firewall.DockerPath); err == nil || tr.marked() || !said("disable --quiet skep-firewall.service") {
			t.Error("the node is open, and Docker still waits for rules")
		}
	})
}

// TestClosed sends packets at the closed minimum: management gets in by ssh, and by the VPN where it comes through it.
func TestClosed(t *testing.T) {
	kernel(t)
	for name, spec := range map[string]string{"target": "target", "six": "six", "mesh": "everything"} {
		for _, backend := range backends() {
			t.Run(name+"/"+backend, func(t *testing.T) {
				t.Parallel()
				c := *specs(t)[spec]
				c.Firewall.Backend = backend
				testClosed(t, newWorld(t, "closed"+name+backend, &c, c.Nodes[0].Name))
			})
		}
	}
}

func testClosed(t *testing.T, w *world) {
	for _, f := range files(t, w.cluster, w.cluster.Firewall.Backend) {
		if f.Path == firewall.Command {
			write(t, filepath.Join(w.dir, "skep-firewall.sh"), f.Data)
		}
	}
	for _, path := range firewall.BackendOf(w.cluster).Installed() {
		write(t, filepath.Join(w.dir, "etc", filepath.Base(path)), nil)
	}
	ports := interesting(w.cluster)
	listen(t, w.ns("node"), plan{"node", texts(w.at["node"]), ports})
	listen(t, w.ns("users"), plan{"world", texts(w.at["users"]), map[string][]int{"tcp": ports["tcp"], "udp": ports["udp"]}})
	w.run(t, `if bash "$1/skep-firewall.sh" load; then exit 1; fi`, w.dir)
	ssh := map[int]bool{}
	for _, e := range w.cluster.Exposures {
		if strings.HasPrefix(e.Name, "ssh-") {
			ssh[int(e.Port)] = true
		}
	}
	mesh, _ := w.cluster.Exposure("vpn-mesh") // both specs that have one have a peer in management
	w.judge(t, ports, "node", func(from string, p probe) bool {
		switch {
		case from == "node":
			return true
		case !slices.Contains(texts(w.at["node"]), p.Address):
			return false
		case p.Proto == "tcp" && ssh[p.Port]:
			a := netip.MustParseAddr(p.Address)
			return from == "management" && slices.ContainsFunc(w.cluster.Access.Management, func(m netip.Prefix) bool { return m.Addr().Is4() == a.Is4() })
		}
		return p.Proto == mesh.Proto && p.Port == int(mesh.Port)
	})
}
