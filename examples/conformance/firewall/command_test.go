package firewall

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// trial is a node without neighbours, on which the emitted command tries, keeps and gives back rules.
type trial struct {
	*world
	rules []string // the manager's ruleset in the bundle
	other []string // the worker's: any second one
}

// onBothBackends runs a test with the rules of examples/target.
func onBothBackends(t *testing.T, test func(*testing.T, *trial)) {
	kernel(t)
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["target"]
			c.Firewall.Backend = backend
			test(t, newTrial(t, backend+strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(strings.TrimSuffix(t.Name(), "/"+backend), "Test"), "/", "")), &c))
		})
	}
}

func newTrial(t *testing.T, id string, c *schema.Cluster) *trial {
	t.Helper()
	w := &world{id: id, cluster: c, dir: t.TempDir()}
	for _, dir := range []string{"run", "etc", "bundle", "bundle/firewall", "stubs"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tr := &trial{world: w}
	tr.build(t, c)
	// Without systemd the command's own timer sleeps; here it sleeps until the test writes into a pipe.
	sh(t, `mkfifo "$1/alarm"`, w.dir)
	tr.stub(t, "sleep", `echo "$@" >"`+w.dir+`/slept"; read -r _ <"`+w.dir+`/alarm"`)
	tr.stub(t, "systemctl", `exit 1`)
	t.Cleanup(func() { sh(t, `ip netns del "$1"`, w.ns("node")) })
	sh(t, `ip netns add "$1"`, w.ns("node"))
	return tr
}

// build writes the cluster's bundle, as the newest one that the node gets.
func (tr *trial) build(t *testing.T, c *schema.Cluster) {
	t.Helper()
	tr.cluster = c
	for _, f := range files(t, c, c.Firewall.Backend) {
		write(t, filepath.Join(tr.dir, "bundle", f.Path), f.Data)
	}
	in := func(paths []string) (out []string) {
		for _, p := range paths {
			out = append(out, filepath.Join(tr.dir, "bundle", p))
		}
		return out
	}
	classes := firewall.Classes(c)
	tr.rules, tr.other = in(classes[0].Files(c)), in(classes[1].Files(c))
}

func (tr *trial) stub(t *testing.T, name, body string) {
	t.Helper()
	write(t, filepath.Join(tr.dir, "stubs", name), []byte("#!/bin/bash\n"+body+"\n"))
}

// command runs the emitted command and returns what it said and its exit code.
func (tr *trial) command(t *testing.T, env string, args ...string) (string, int) {
	t.Helper()
	out, err := tr.try(`if [ -d "$1/sys" ]; then mount --bind "$1/sys" /sys/class/net; fi; if [ -d "$1/units" ]; then mount --bind "$1/units" /etc/systemd/system; fi; export PATH="$1/stubs:$PATH" SSH_CONNECTION="$2"; d=$1; shift 2; exec bash "$d/bundle/firewall/skep-firewall.sh" "$@"`,
		append([]string{tr.dir, env}, args...)...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out, exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, 0
}

// want runs the command and compares its exit code and a part of what it says.
func (tr *trial) want(t *testing.T, code int, part, env string, args ...string) {
	t.Helper()
	out, got := tr.command(t, env, args...)
	if got != code || !strings.Contains(out, part) {
		t.Fatalf("skep-firewall %s: exit %d, want %d, and %q in:\n%s", strings.Join(args, " "), got, code, part, out)
	}
}

// holds compares the kernel's rules with those at an earlier time.
func (tr *trial) holds(t *testing.T, want string) {
	t.Helper()
	if got := tr.own(t); got != want {
		t.Fatalf("the kernel has more:\n%s\nand lacks:\n%s\nof:\n%s", without(got, want), without(want, got), want)
	}
}

// without returns the lines that other does not have, or not as often.
func without(text, other string) string {
	count := map[string]int{}
	for line := range strings.Lines(other) {
		count[line]++
	}
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if count[line]--; count[line] < 0 {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// own is what the kernel has of skep, sorted by table and chain: the order of chains means nothing, and one that comes back
// comes last. An emptied table of iptables stays behind, and is nothing.
func (tr *trial) own(t *testing.T) string {
	t.Helper()
	out := tr.ruleset(t)
	blocks := map[string]string{}
	var table, block string
	for line := range strings.Lines(out) {
		switch {
		case strings.Trim(line, "\t}\n") == "":
			continue
		case !strings.HasPrefix(line, "\t"):
			table, block = line, ""
		case !strings.HasPrefix(line, "\t\t"):
			block = line
		}
		blocks[table+block] += line
	}
	tables := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		table, _, _ := strings.Cut(name, "\n")
		tables[table] += blocks[name]
	}
	var sorted strings.Builder
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if strings.Contains(strings.ToLower(tables[table]), "skep") {
			sorted.WriteString(tables[table])
		}
	}
	return sorted.String()
}

// ring ends the sleep of the command's timer and waits until the trial is over.
func (tr *trial) ring(t *testing.T) {
	t.Helper()
	sh(t, `echo >"$1/alarm"`, tr.dir)
	phase := filepath.Join(tr.dir, "run", "skep-firewall", "phase")
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(phase); err == nil && string(b) != "pending\n" {
			return
		}
	}
	t.Fatal("the timer did not end the trial")
}

// TestForgotten: nobody confirms, so what was there before comes back: nothing at first, then the rules of before.
func TestForgotten(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.want(t, 0, "skep-firewall confirm", "", append([]string{"try"}, tr.rules...)...)
		if tr.own(t) == "" {
			t.Fatal("nothing was loaded")
		}
		tr.want(t, 1, "trial: pending", "", "status")
		tr.want(t, 3, "a trial is pending", "", append([]string{"try"}, tr.other...)...)
		tr.want(t, 3, "a trial is pending", "", "load")
		if b, err := os.ReadFile(filepath.Join(tr.dir, "slept")); err != nil || string(b) != "120\n" {
			t.Fatalf("the timer waits %q seconds, want those of firewall.rollback", b)
		}
		tr.ring(t)
		tr.holds(t, "")
		tr.want(t, 3, "too late", "", "confirm")

		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		tr.want(t, 0, "kept", "", "confirm")
		first := tr.own(t)
		tr.want(t, 0, "", "", append([]string{"try"}, tr.other...)...)
		if tr.own(t) == first {
			t.Fatal("the other rules were not loaded")
		}
		tr.ring(t)
		tr.holds(t, first)
	})
}

// TestConfirm: only a new connection keeps the rules, once; they are installed, and load at boot.
func TestConfirm(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		const old, fresh = "192.0.2.1 50000 10.0.0.11 22", "192.0.2.1 50001 10.0.0.11 22"
		tr.want(t, 3, "nothing is on trial", old, "confirm")
		tr.want(t, 1, "nothing is installed", "", "load")
		tr.want(t, 0, "NEW connection", old, append([]string{"try"}, tr.rules...)...)
		tr.want(t, 3, "confirm over a new one", old, "confirm")
		tr.want(t, 0, "the rules are kept", fresh, "confirm")
		tr.want(t, 0, "confirmed before", fresh, "confirm")
		tr.want(t, 0, "trial: confirmed", fresh, "status")
		tr.want(t, 3, "nothing is on trial", fresh, "rollback")
		loaded := tr.own(t)
		for i, path := range firewall.BackendOf(tr.cluster).Installed() {
			want, err := os.ReadFile(tr.rules[i])
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(tr.dir, "etc", filepath.Base(path)))
			if err != nil || string(got) != string(want) {
				t.Fatalf("%s is not what was tried: %v", path, err)
			}
		}
		tr.want(t, 0, "", "", "load")
		tr.holds(t, loaded)
		tr.want(t, 0, "", "", "remove")
		tr.holds(t, "")
		tr.want(t, 1, "loaded: no", "", "status")
		tr.want(t, 0, "", "", "remove")
	})
}

// TestRollback: it ends a trial at once; rules that do not load never start one.
func TestRollback(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		tr.want(t, 0, "the previous rules are back", "", "rollback")
		tr.holds(t, "")
		tr.want(t, 0, "back already", "", "rollback")

		for text, part := range map[string]string{
			"flush ruleset\n":                                                   "",        // of anyone
			"table inet skep {\n}\nflush ruleset\n":                             "touches", // more than its own
			"*mangle\n:SKEP - [0:0]\n-A PREROUTING -j DROP\nCOMMIT\n":           "",
			"table inet skep {\n\tchain x {\n\t\ttcp dport no accept\n\t}\n}\n": "",
		} {
			var bad []string
			for _, path := range tr.rules {
				file := filepath.Join(tr.dir, filepath.Base(path))
				write(t, file, []byte(text))
				bad = append(bad, file)
			}
			if tr.cluster.Firewall.Backend == "iptables" {
				part = ""
			}
			tr.want(t, 1, part, "", append([]string{"try"}, bad...)...)
			tr.holds(t, "")
		}
		tr.want(t, 2, "want", "", "try")
		tr.want(t, 2, "usage", "", "reload")
	})
}

// TestSystemdTimer: where systemd runs the machine, it keeps the time, and no timer means no trial.
func TestSystemdTimer(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		if err := os.MkdirAll(filepath.Join(tr.dir, "run", "systemd", "system"), 0o755); err != nil {
			t.Fatal(err)
		}
		tr.stub(t, "systemd-run", `exit 1`)
		tr.want(t, 1, "nothing was loaded", "", append([]string{"try"}, tr.rules...)...)
		tr.holds(t, "")

		tr.stub(t, "systemd-run", `printf '%s\n' "$@" >"`+tr.dir+`/unit"`)
		tr.want(t, 0, "on trial", "", append([]string{"try"}, tr.rules...)...)
		unit, err := os.ReadFile(filepath.Join(tr.dir, "unit"))
		if err != nil || !strings.Contains(string(unit), "--on-active=120\n") {
			t.Fatalf("systemd-run got %q", unit)
		}
		// What the timer was told to run, run as it would be.
		_, program, _ := strings.Cut(string(unit), "AccuracySec=1s\n")
		tr.run(t, `exec "$@"`, strings.Fields(program)...)
		tr.holds(t, "")
	})
}

// TestBridges: a machine that is reached through what the rules take for a bridge of Docker would lock everyone out.
func TestBridges(t *testing.T) {
	for name, c := range map[string]struct{ build, told string }{
		"default": {`ip -n $1 route add default dev br-lan`, "the way back to management leaves through br-lan"},
		"managed": {`ip -n $1 route add 192.0.2.0/24 dev br-lan`, "the way back to management leaves through br-lan"},
		"card":    {`mkdir -p $2/sys/br-lan/device`, "br-lan is a network card"},
		"port":    {`mkdir -p $2/sys/br-lan/lower_eth0/device`, "br-lan leads to a network card"},
	} {
		t.Run(name, func(t *testing.T) {
			onBothBackends(t, func(t *testing.T, tr *trial) {
				sh(t, `ip -n $1 link add br-lan type bridge; ip -n $1 addr add 100.64.7.1/24 dev br-lan; ip -n $1 link set br-lan up; `+c.build, tr.ns("node"), tr.dir)
				tr.want(t, 3, c.told, "", append([]string{"try"}, tr.rules...)...)
				tr.holds(t, "")
			})
		})
	}
}

// TestForeignRules: Docker's rules and those of the operator stay where they are.
func TestForeignRules(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.run(t, `iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -P FORWARD DROP
iptables -t mangle -A PREROUTING -p udp --dport 9 -j MARK --set-mark 1; ip6tables -t mangle -A PREROUTING -p udp --dport 9 -j MARK --set-mark 1; nft add table ip mine`)
		foreign := func() string {
			return tr.run(t, `nft -s list ruleset 2>/dev/null; iptables-save -t mangle | sed '/SKEP/d; /^#/d; s/\[.*//'`)
		}
		before := foreign()
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		if after := foreign(); !strings.Contains(after, "DOCKER-USER") || !strings.Contains(after, "table ip mine") || !strings.Contains(after, "--set-xmark 0x1") {
			t.Fatalf("foreign rules are gone:\n%s", after)
		}
		tr.want(t, 0, "", "", "rollback")
		if after := foreign(); after != before {
			t.Fatalf("foreign rules changed:\n%s\nwere:\n%s", after, before)
		}
	})
}

// TestFlush: a service that would empty every table is told about, and stops nobody.
func TestFlush(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		write(t, "/etc/nftables.conf", []byte("#!/usr/sbin/nft -f\n\nflush ruleset\n")) // an /etc of this test's own
		tr.stub(t, "systemctl", `[[ "$*" == "is-enabled --quiet nftables.service" ]]`)
		tr.want(t, 0, "nftables.service is enabled", "", append([]string{"check"}, tr.rules...)...)
		tr.want(t, 1, "nftables.service is enabled", "", "status")
	})
}
