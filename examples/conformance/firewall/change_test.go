package firewall

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/firewall"
	"skep.dev/generators/vpn"
)

// change gives the node a bundle of the other backend, and returns where that of before has its rules.
func (tr *trial) change(t *testing.T) []string {
	t.Helper()
	old := firewall.BackendOf(tr.cluster)
	c := *tr.cluster
	c.Firewall.Backend = otherBackend(old.Name)
	tr.build(t, &c)
	return old.Installed()
}

func otherBackend(name string) string {
	all := backends()
	return all[(slices.Index(all, name)+1)%len(all)]
}

// holdsBackend wants the kernel to have rules of that backend, and of no other.
func (tr *trial) holdsBackend(t *testing.T, want string) {
	t.Helper()
	have := tr.own(t)
	for _, backend := range backends() {
		mark := map[string]string{"nft": "table inet skep {", "iptables": "jump SKEP\n"}[backend]
		if strings.Contains(have, mark) != (backend == want) {
			t.Fatalf("want the rules of %s and no others, have:\n%s", want, have)
		}
	}
}

// TestBackendChanged: when a backend's rules are kept, those of the one before are unloaded and gone from the disk; until
// then both hold. What an older bundle left is seen, and goes with the next rules that somebody confirms.
func TestBackendChanged(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		old := tr.change(t)
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		if have := tr.own(t); !strings.Contains(have, "table inet skep {") || !strings.Contains(have, "jump SKEP\n") {
			t.Fatalf("during the trial not both backends' rules hold:\n%s", have)
		}
		tr.want(t, 0, "the rules are kept", "", "confirm")
		tr.holdsBackend(t, tr.cluster.Firewall.Backend)
		for _, path := range old {
			if _, err := os.Stat(tr.in(path)); !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", path, err)
			}
		}
		tr.want(t, 0, "loaded: yes", "", "status")
		tr.reboot(t)
		tr.isWell(t)
		tr.holdsBackend(t, tr.cluster.Firewall.Backend)
	})
}

// TestBackendLeft: rules of the other backend beside good ones, as an older skep left them, are told until they are gone.
func TestBackendLeft(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		tr.run(t, `cp -a /etc/skep /run/older`)
		leave := func() {
			t.Helper()
			tr.run(t, `rm -f /run/older/firewall.sha256; cp -a /run/older/. /etc/skep/
if [ -e /run/older/firewall.nft ]; then nft -f /run/older/firewall.nft; exit; fi
for v in 4 6; do
	case $v in 4) c=iptables ;; 6) c=ip6tables ;; esac
	$c-restore --noflush </run/older/firewall.v$v.rules
	$c -t mangle -I PREROUTING 1 -j SKEP
done`)
		}
		name := tr.cluster.Firewall.Backend
		old := tr.change(t)
		tr.keep(t)
		for _, end := range [][]string{append([]string{"try"}, tr.rules...), {"remove"}} {
			leave()
			tr.want(t, 1, "also loaded: the rules of the "+name+" backend, from an older bundle\nalso installed: "+old[0], "", "status")
			tr.want(t, 0, "", "", end...)
			if end[0] == "try" {
				tr.want(t, 0, "kept", "", "confirm")
				tr.want(t, 0, "loaded: yes", "", "status")
				tr.holdsBackend(t, tr.cluster.Firewall.Backend)
			}
		}
		tr.holds(t, "")
		if left := tr.run(t, `ls /etc/skep`); left != "" {
			t.Errorf("left in /etc/skep: %s", left)
		}
	})
}

// TestBackendRefused: a change that nobody confirms leaves the rules of before, also after a reboot.
func TestBackendRefused(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.keep(t)
		name, loaded := tr.cluster.Firewall.Backend, tr.own(t)
		tr.change(t)
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		tr.ring(t)
		tr.holds(t, loaded)
		tr.want(t, 1, "also loaded: the rules of the "+name+" backend", "", "status")
		tr.reboot(t)
		tr.want(t, 0, "those of the "+name+" backend are loaded", "", "load")
		tr.holds(t, loaded)
		if !tr.marked() {
			t.Error("Docker would not start")
		}
	})
}

// TestTunnel: what the VPN's server has in the kernel is no rule of the firewall, with either backend: it is not missed, not
// told as left, and stays when the rules change, go back or go.
func TestTunnel(t *testing.T) {
	kernel(t)
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["vpn"]
			c.Firewall.Backend = backend
			tr := newTrial(t, backend+"tunnel", &c)
			fs, err := vpn.Files(&c)
			if err != nil {
				t.Fatal(err)
			}
			forward := filepath.Join(tr.dir, "forward")
			for _, f := range fs {
				if f.Path == vpn.Forward {
					write(t, forward, f.Data)
				}
			}
			tunnel := func() string {
				return tr.run(t, `iptables-save | sed -n '/^\*/p; /SKEP-VPN/{s/\[.*//; p}'`)
			}
			tr.run(t, `bash "$1" up`, forward)
			up := tunnel()
			if !strings.Contains(up, "-A SKEP-VPN -o skep-vpn -j DROP") {
				t.Fatalf("the server's own rules are not there:\n%s", up)
			}
			tr.keep(t)
			tr.want(t, 0, "loaded: yes", "", "status")
			tr.want(t, 0, "", "", append([]string{"try"}, tr.other...)...)
			tr.ring(t)
			tr.want(t, 0, "loaded: yes", "", "status")
			if got := tunnel(); got != up {
				t.Errorf("a trial left of the tunnel:\n%s\nwant:\n%s", got, up)
			}
			tr.run(t, `bash "$1" down; bash "$1" up`, forward)
			tr.want(t, 0, "loaded: yes", "", "status")
			tr.want(t, 0, "", "", "remove")
			if got := tunnel(); got != up {
				t.Errorf("the firewall left of the tunnel:\n%s\nwant:\n%s", got, up)
			}
			tr.run(t, `bash "$1" down`, forward)
			tr.holds(t, "")
		})
	}
}
