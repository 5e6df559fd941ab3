package lab

import "testing"

// reboot shuts all nodes down at once and boots them again, then pulls all their plugs. What the kernel was told is gone each
// time, and the promises are tried again.
func reboot(t *testing.T, l *lab) {
	before := l.state(t)
	restart(t, l)
	t.Run("transit", func(t *testing.T) { transit(t, l) })

	for _, node := range l.nodes(t) {
		l.do(t, "stop", node)
	}
	for _, node := range l.nodes(t) {
		l.do(t, "start", node)
	}
	l.whole(t)
	l.sameState(t, before)
	t.Run("firewall", func(t *testing.T) { firewall(t, l) })
	t.Run("arrivals", func(t *testing.T) { arrivals(t, l) })
	t.Run("transit", func(t *testing.T) { transit(t, l) })
	l.runbook(t, "verify").want(t, 0)
}

// restart has all nodes shut down and boot.
func restart(t *testing.T, l *lab) {
	before := l.state(t)
	l.do(t, append([]string{"reboot"}, l.nodes(t)...)...)
	l.whole(t)
	l.sameState(t, before)
}

// brokenRules has a node boot with rules that nobody confirmed: it is closed but for ssh from management, its engine waits,
// systemd says so, and a run of the runbook mends it.
func brokenRules(t *testing.T, l *lab) {
	const node = "w2"
	before := l.state(t)
	for _, c := range []struct{ name, damage string }{
		{"empty", ": >/etc/skep/firewall.nft"},
		{"cut", "sed -i 12q /etc/skep/firewall.nft"},
		{"altered", "sed -i '/type filter hook prerouting/a accept' /etc/skep/firewall.nft"},
		{"missing", "rm /etc/skep/firewall.nft"},
	} {
		t.Run(c.name, func(t *testing.T) {
			keep := l.on(t, node, "base64 -w 0 /etc/skep/firewall.nft; "+c.damage)
			l.do(t, "stop", node)
			l.do(t, "start", node, "ssh")
			l.closed(t, node)
			if c.name != "missing" {
				l.on(t, node, "echo "+keep+" | base64 -d >/etc/skep/firewall.nft")
			}
		})
	}
	l.run(t)
	l.ready(t, node)
	l.whole(t)
	l.sameState(t, before)
	if got := l.on(t, node, "systemctl is-active skep-firewall docker"); got != "active\nactive" {
		t.Errorf("after the mend: %s", got)
	}
	l.runbook(t, "verify").want(t, 0)
}

// closed wants a node that only an operator can reach, and that says why.
func (l *lab) closed(t *testing.T, node string) {
	t.Helper()
	got := l.on(t, node, `systemctl is-active skep-firewall docker || true
		systemctl status skep-firewall >/dev/null; echo "status $?"
		skep-firewall status >/dev/null 2>&1; echo "settled $?"`)
	if want := "failed\ninactive\nstatus 3\nsettled 1"; got != want {
		t.Errorf("the firewall's unit, the engine, and what both say: %q, want %q", got, want)
	}
	matrix := []row{{22, 22, []string{"tcp"}, []string{node}, []string{"management"}}}
	var probes []probe
	for _, p := range l.probes(t, "tcp", []int{22, 111, 443, 2377, 7946, 9323, 30000, 31234, 40000}) {
		if p.to == node {
			probes = append(probes, p)
		}
	}
	l.send(t, matrix, probes, passes)
}
