package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// outside is where clients of the VPN find m1: in none of the routes, or the tunnel would go through itself. gateway is
// m1 in the tunnel.
const (
	outside  = "10.79.0.11"
	gateway  = "10.200.0.1"
	complete = "Initialization Sequence Completed"
)

// access lets people in through the OpenVPN server, shuts one of them out, and takes the server away again. Clients are
// in the zone users, on their machine as in the tunnel: the address that a node sees says which way a packet came.
func access(t *testing.T, l *lab) {
	mustZone(t, "m1", "ip address add "+outside+"/32 dev lo")
	t.Cleanup(func() { mustZone(t, "m1", "ip address del "+outside+"/32 dev lo") })
	mustZone(t, "router", "ip route add "+outside+" via "+l.address(t, "m1"))
	t.Cleanup(func() { mustZone(t, "router", "ip route del "+outside) })
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Fatalf("the kernel has no tun devices, modprobe tun: %v", err)
	}
	good := l.spec
	for _, c := range []struct {
		name string
		f    func(*testing.T, *lab)
	}{
		{"server", accessServer},
		{"second run", secondRun},
		{"client", accessClient},
		{"revocation", accessRevocation},
		{"engine", accessEngine},
		{"boot", accessBoot},
		{"undo", accessUndo},
	} {
		if !t.Run(c.name, func(t *testing.T) { c.f(t, l) }) {
			return
		}
	}
	l.spec = good
	l.build(t)
	l.run(t)
	l.settled(t)
}

// accessServer has the server made, and wants systemd to have nothing to say against it.
func accessServer(t *testing.T, l *lab) {
	l.build(t, edit{"\tservices: {\n", "\tservices: {\n\t\tvpn: access: {node: \"m1\", zone: \"users\", routes: [\"10.77.0.0/24\"]}\n"})
	l.run(t)
	done := l.done(t)
	for _, step := range []string{"firewall m1", "nodes m1", "vpn-authorities operator", "vpn-access m1", "certificate-watch m1"} {
		if !slices.Contains(done, step) {
			t.Errorf("the VPN did not do %s: %q", step, done)
		}
	}
	for _, step := range done {
		switch name, _, _ := strings.Cut(step, " "); name {
		case "firewall", "nodes", "vpn-authorities", "vpn-access", "certificate-watch", "verify":
		default:
			t.Errorf("the VPN did %s", step)
		}
	}
	got := l.on(t, "m1", `systemctl is-enabled skep-vpn; systemctl is-active skep-vpn
		systemctl show --value -p NRestarts skep-vpn
		ps -o user= -p "$(systemctl show --value -p MainPID skep-vpn)"
		stat -c '%a %U' /etc/openvpn/skep/key.pem /var/lib/skep-vpn
		systemd-analyze verify --man=no /etc/systemd/system/skep-vpn.service 2>&1 | grep skep-vpn || true`)
	if want := "enabled\nactive\n0\nnobody\n600 root\n755 root"; got != want {
		t.Errorf("the unit is\n%s\nwant\n%s", got, want)
	}
}

// client is openvpn on the machine of the zone users.
type client struct {
	said transcript
	end  func()
}

// connect starts openvpn with a profile as it is; end, or the test's, ends it. The name in the profile has an address in
// this process's view of /etc/hosts alone.
func (l *lab) connect(t *testing.T, profile string) *client {
	t.Helper()
	hosts := filepath.Join(t.TempDir(), "hosts")
	write(t, hosts, outside+" lab.example.org\n")
	c := &client{}
	cmd := exec.Command("ip", "netns", "exec", "skep-users", "unshare", "--mount",
		"sh", "-ec", `mount --bind "$1" /etc/hosts; exec openvpn --config "$2"`, "sh", hosts, profile)
	cmd.Stdout, cmd.Stderr = &c.said, &c.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The process ends with the thread that started it, so the thread is kept: what ends this test ends both.
		runtime.LockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // what it had to say is in its output
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	c.end = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		<-ended
		timer.Stop()
	})
	t.Cleanup(c.end)
	return c
}

// connected is a client that is in.
func (l *lab) connected(t *testing.T, profile string) *client {
	t.Helper()
	c, began := l.connect(t, profile), time.Now()
	eventually(t, time.Minute, func() error {
		if said := c.said.String(); !strings.Contains(said, complete) {
			return fmt.Errorf("no connection:\n%s", said)
		}
		return nil
	})
	t.Logf("connected after %v", time.Since(began).Round(time.Millisecond))
	return c
}

// pass runs the bundle's script for clients, with the runbook's own directory of authorities.
func (l *lab) pass(t *testing.T, verb, name string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(l.bundle, "vpn/vpn-client.sh"), filepath.Join(l.bundle+".state", "vpn"), verb, name).CombinedOutput()
	if err != nil {
		t.Fatalf("vpn-client.sh %s %s: %v\n%s", verb, name, err, out)
	}
}

// issued makes a client, and returns a copy of its profile: revoking takes the original away.
func (l *lab) issued(t *testing.T, name string) string {
	t.Helper()
	l.pass(t, "issue", name)
	profile := filepath.Join(t.TempDir(), name+".conf")
	write(t, profile, string(l.operatorFile(t, "vpn", "clients", name, "client.conf")))
	return profile
}

// seen says how a port of a node sees the machine of the zone users: as the address from, or not at all.
func seen(callers <-chan net.Addr, address, from string) error {
	conn, err := dial("users", "tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	select {
	case caller := <-callers:
		if host, _, err := net.SplitHostPort(caller.String()); err != nil || host != from {
			return fmt.Errorf("%s sees %s, want %s", address, caller, from)
		}
		return nil
	case <-time.After(5 * time.Second):
		return errors.New(address + " sees nobody")
	}
}

// secure asks for m1's page through the tunnel: a port that Docker publishes.
func (l *lab) secure(t *testing.T, address string) error {
	t.Helper()
	code, _, text := page(t, browser("users", address, l.operatorFile(t, "certs", "ca.pem")), "https://lab.example.org/", "")
	if code != 503 {
		return fmt.Errorf("https of %s: %d %s, want Traefik's 503", address, code, text)
	}
	return nil
}

// accessClient wants a client to reach what its zone reaches, and nothing that belongs to the nodes.
func accessClient(t *testing.T, l *lab) {
	l.connected(t, l.issued(t, "alice"))
	m1, w1 := l.address(t, "m1"), l.address(t, "w1")
	for _, address := range []string{gateway, m1} {
		if err := l.secure(t, address); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct{ node, from string }{
		{"m1", "10.200.0.2"},
		{"w1", m1}, // which has no way to the clients' subnet
	} {
		address := net.JoinHostPort(l.address(t, c.node), "31234")
		if err := seen(listen(t, c.node, address), address, c.from); err != nil {
			t.Error(err)
		}
	}
	l.on(t, "m1", "nc -z -w 3 "+gateway+" 22 && nc -z -w 3 "+gateway+" 2376 && nc -z -w 3 "+m1+" 2377")
	l.on(t, "w1", "nc -z -w 3 "+w1+" 22 && nc -z -w 3 "+w1+" 7946")
	for _, address := range []string{
		gateway + ":22", gateway + ":2376", gateway + ":2377", gateway + ":9323", m1 + ":22", m1 + ":2377", m1 + ":9323", w1 + ":22", w1 + ":7946", w1 + ":9323",
	} {
		if open, err := passes("users", address, 2*time.Second); open || err != nil {
			t.Errorf("a client of the VPN to %s: open is %v (%v)", address, open, err)
		}
	}
}

// refusals counts the clients that the server sent away for their certificate.
func (l *lab) refusals(t *testing.T) int {
	t.Helper()
	return strings.Count(l.on(t, "m1", "journalctl --quiet --no-pager -u skep-vpn"), "certificate revoked")
}

// accessRevocation ends the session of a client, and the next one before it begins.
func accessRevocation(t *testing.T, l *lab) {
	profile := l.issued(t, "carol")
	carol := l.connected(t, profile)
	if err := l.secure(t, gateway); err != nil {
		t.Error(err)
	}
	l.pass(t, "revoke", "carol")
	l.run(t, "--only", "vpn-access")
	l.did(t, "vpn-access m1")
	gone := func() error {
		// Silence, or "network is unreachable": without the tunnel nobody knows the address.
		if conn, err := dial("users", "tcp", gateway+":443", time.Second); err == nil {
			conn.Close()
			return errors.New("who was revoked still gets through")
		}
		return nil
	}
	eventually(t, time.Minute, gone)
	eventually(t, time.Minute, func() error {
		if l.refusals(t) == 0 {
			return errors.New("the server refused nobody:\n" + carol.said.String())
		}
		return nil
	})
	carol.end()
	before := l.refusals(t)
	again := l.connect(t, profile)
	eventually(t, time.Minute, func() error {
		if l.refusals(t) == before {
			return errors.New("the server refused nobody:\n" + again.said.String())
		}
		return nil
	})
	if err := gone(); err != nil {
		t.Error(err)
	}
	if strings.Count(carol.said.String(), complete) != 1 || strings.Contains(again.said.String(), complete) {
		t.Errorf("who was revoked got in:\n%s\n%s", carol.said.String(), again.said.String())
	}
	l.run(t)
	l.did(t, "certificate-watch m1") // whose clients are others now
}

// answersOnly wants m1 to reach a port of the client's machine through the tunnel, and a container on m1 not to.
func (l *lab) answersOnly(t *testing.T, address string) {
	t.Helper()
	ask := "nc -z -w 3 " + strings.Replace(address, ":", " ", 1)
	l.on(t, "m1", ask)
	task := l.on(t, "m1", "docker inspect -f '{{.State.Pid}}' $(docker ps -q -f name=traefik_traefik)")
	if _, err := l.try("m1", "nsenter -t "+task+" -n "+ask); err == nil {
		t.Errorf("a container reaches %s, the machine of a client:\n%s", address, l.on(t, "m1", "iptables -S FORWARD"))
	}
}

// accessEngine restarts the engine, which writes its chains anew and before all others; the tunnel, its way through the
// node and its limits hold.
func accessEngine(t *testing.T, l *lab) {
	bob := l.connected(t, l.issued(t, "bob"))
	out, err := exec.Command("ip", "-n", "skep-users", "-j", "-4", "address", "show", "dev", "vpn").Output()
	own := regexp.MustCompile(`"local":"([0-9.]+)"`).FindSubmatch(out)
	if err != nil || own == nil {
		t.Fatalf("the client has no address: %v %s", err, out)
	}
	machine := net.JoinHostPort(string(own[1]), "8123")
	listen(t, "users", machine)
	l.answersOnly(t, machine)
	m1, address := l.address(t, "m1"), net.JoinHostPort(l.address(t, "w1"), "31234")
	callers := listen(t, "w1", address)
	if err := seen(callers, address, m1); err != nil {
		t.Error(err)
	}
	pid := l.on(t, "m1", "systemctl show --value -p MainPID skep-vpn")
	l.on(t, "m1", "systemctl restart docker")
	if err := seen(callers, address, m1); err != nil {
		t.Errorf("after a restart of the engine: %v\n%s", err, l.on(t, "m1", "iptables -S FORWARD; iptables -t nat -S POSTROUTING"))
	}
	if got := l.on(t, "m1", "systemctl show --value -p MainPID skep-vpn"); got != pid {
		t.Errorf("the VPN's server was restarted with the engine: %s, was %s", got, pid)
	}
	eventually(t, 2*time.Minute, func() error { return l.secure(t, gateway) })
	if err := seen(callers, address, m1); err != nil {
		t.Errorf("when the engine is back: %v", err)
	}
	l.answersOnly(t, machine)
	if got := strings.Count(bob.said.String(), complete); got != 1 {
		t.Errorf("bob connected %d times", got)
	}
	l.whole(t)
}

// whole waits until every node is ready, and every service has all its tasks again.
func (l *lab) whole(t *testing.T) {
	t.Helper()
	eventually(t, 3*time.Minute, func() error {
		out, err := l.try("m1", "docker node ls --format '{{.Status}}'")
		if err != nil || strings.Count(out, "Ready") < len(l.nodes(t)) {
			return fmt.Errorf("docker node ls: %v: %s", err, out)
		}
		out, err = l.try("m1", "docker service ls --format '{{.Name}} {{.Replicas}}'")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		for line := range strings.Lines(out) {
			var have, want int
			if _, err := fmt.Sscanf(strings.Fields(line)[1], "%d/%d", &have, &want); err != nil || have < want {
				return errors.New(line) // swarm counts the tasks of a node that is down as running for a while
			}
		}
		return nil
	})
}

// accessBoot pulls the plug of the server's node: it comes back after the firewall and the engine, and lets people in.
func accessBoot(t *testing.T, l *lab) {
	profile := l.issued(t, "dora")
	l.do(t, "stop", "m1")
	l.do(t, "start", "m1")
	mustZone(t, "m1", "ip address add "+outside+"/32 dev lo") // what the test added went with the plug
	eventually(t, 30*time.Second, func() error {
		got, err := l.try("m1", "systemctl is-active skep-vpn")
		if err != nil {
			return fmt.Errorf("the VPN's server is %s: %w", got, err)
		}
		return nil
	})
	var began []int
	for unit := range strings.FieldsSeq("skep-firewall docker skep-vpn") {
		at, err := strconv.Atoi(l.on(t, "m1", "systemctl show --value -p ActiveEnterTimestampMonotonic "+unit))
		if err != nil || at == 0 {
			t.Errorf("%s never began: %v", unit, err)
		}
		began = append(began, at/1000)
	}
	if !slices.IsSorted(began) {
		t.Errorf("firewall, engine and VPN were up after %v ms", began)
	}
	t.Logf("firewall, engine and VPN were up after %v ms", began)
	if got := l.on(t, "m1", "systemctl show --value -p NRestarts skep-vpn"); got != "0" {
		t.Errorf("the VPN's server began %s times more", got)
	}
	l.connected(t, profile)
	address := net.JoinHostPort(l.address(t, "w1"), "31234")
	if err := seen(listen(t, "w1", address), address, l.address(t, "m1")); err != nil {
		t.Error(err)
	}
	eventually(t, 3*time.Minute, func() error { return l.secure(t, gateway) })
	l.whole(t)
}

// accessUndo takes the server away.
func accessUndo(t *testing.T, l *lab) {
	for range 2 { // what is taken back can be taken back again
		l.runbook(t, "undo", "--yes", "--only", "vpn-access").want(t, 0)
		got := l.on(t, "m1", `systemctl is-active skep-vpn
			systemctl cat skep-vpn 2>/dev/null
			find /etc/openvpn/skep /usr/local/sbin/skep-vpn-forward 2>/dev/null
			{ iptables-save; nft list ruleset; } 2>/dev/null | grep SKEP-VPN
			ss -H -lun 'sport = :1194'
			ip -o link show dev skep-vpn 2>/dev/null
			systemctl --failed --no-legend | grep skep || true`)
		if got != "inactive" {
			t.Errorf("of the VPN is left:\n%s", got)
		}
	}
}
