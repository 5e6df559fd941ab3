package firewall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience is how long a dialer waits before it calls a port closed; an open one answers in well under a millisecond, on
// an idle machine. Where an answer is expected, stamina costs nothing: it ends the wait.
const (
	patience = 900 * time.Millisecond
	stamina  = 20 * time.Second
)

// plan is what a listener listens on. Each answers with the banner.
type plan struct {
	Banner    string
	Addresses []string
	Ports     map[string][]int // by protocol
}

// probe is one attempt: proto is "tcp", "udp" or "esp".
type probe struct {
	Proto   string
	Address string
	Port    int
}

func (p probe) String() string { return fmt.Sprintf("%s %s %d", p.Proto, p.Address, p.Port) }

// listenAgent listens as its standard input says, prints "ready", and ends with its standard input.
func listenAgent() {
	in := json.NewDecoder(os.Stdin)
	var p plan
	if err := in.Decode(&p); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, address := range p.Addresses {
		for _, port := range p.Ports["tcp"] {
			go serveStream(must(net.Listen("tcp", endpoint(address, port))), p.Banner)
		}
		for _, port := range p.Ports["udp"] {
			go servePackets(must(net.ListenPacket("udp", endpoint(address, port))), p.Banner)
		}
		if len(p.Ports["esp"]) > 0 {
			go servePackets(must(net.ListenPacket("ip:50", address)), p.Banner)
		}
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return v
}

func endpoint(address string, port int) string { return net.JoinHostPort(address, fmt.Sprint(port)) }

func serveStream(l net.Listener, banner string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, banner)
		_ = c.Close()
	}
}

func servePackets(c net.PacketConn, banner string) {
	buf := make([]byte, 64)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if bytes.Equal(buf[:n], []byte("?")) {
			_, _ = c.WriteTo([]byte(banner), from)
		}
	}
}

// attempt is a probe, and how long it may take.
type attempt struct {
	probe
	Within time.Duration
}

// dialAgent dials every probe of its standard input at once and prints who answered each, "" for nobody.
func dialAgent() {
	var probes []attempt
	if err := json.NewDecoder(os.Stdin).Decode(&probes); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	answers := make([]string, len(probes))
	var all sync.WaitGroup
	for i, p := range probes {
		all.Go(func() { answers[i] = dial(p) })
	}
	all.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(answers)
}

func dial(p attempt) string {
	network, to := p.Proto, endpoint(p.Address, p.Port)
	if p.Proto == "esp" {
		network, to = "ip:50", p.Address
	}
	deadline := time.Now().Add(p.Within)
	c, err := net.DialTimeout(network, to, p.Within)
	if err != nil {
		if e, ok := err.(net.Error); ok && e.Timeout() {
			return ""
		}
		return err.Error()
	}
	defer c.Close()
	buf := make([]byte, 64)
	for time.Now().Before(deadline) {
		if p.Proto != "tcp" {
			_, _ = io.WriteString(c, "?") // a first packet may be lost while neighbours are found
		}
		_ = c.SetReadDeadline(time.Now().Add(patience / 3))
		if n, err := c.Read(buf); err == nil && n > 0 {
			return payload(p.probe, buf[:n])
		}
	}
	return ""
}

// payload takes off the IPv4 header, which a raw socket shows.
func payload(p probe, b []byte) string {
	if p.Proto == "esp" && len(b) > 20 && b[0] == 0x45 {
		b = b[20:]
	}
	return string(b)
}

// agent returns this binary as a program in a network namespace.
func agent(t *testing.T, ns, role string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", ns, self)
	cmd.Env = append(os.Environ(), agentVar+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// listen starts a listener that ends with the test.
func listen(t *testing.T, ns string, p plan) {
	t.Helper()
	out := started(t, ns, "listen", p)
	buf := make([]byte, 256)
	if n, _ := out.Read(buf); string(buf[:n]) != "ready\n" {
		t.Fatalf("listener in %s: %s", ns, buf[:n])
	}
}

// started gives an agent its work, and returns what it says. It ends with the test.
func started[W plan | hold](t *testing.T, ns, role string, work W) io.Reader {
	t.Helper()
	cmd := agent(t, ns, role)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if err := json.NewEncoder(in).Encode(work); err != nil {
		t.Fatal(err)
	}
	return out
}

// answers dials the probes from a namespace. wants are who is to answer each, "" for nobody: only somebody is waited for long.
func answers(t *testing.T, ns string, probes []probe, wants ...string) []string {
	t.Helper()
	attempts := make([]attempt, len(probes))
	for i, p := range probes {
		attempts[i] = attempt{p, patience}
		if i < len(wants) && wants[i] != "" {
			attempts[i].Within = stamina
		}
	}
	in, err := json.Marshal(attempts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := agent(t, ns, "dial")
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("dialer in %s: %v: %s", ns, err, out)
		return make([]string, len(probes))
	}
	var who []string
	if err := json.Unmarshal(out, &who); err != nil || len(who) != len(probes) {
		t.Errorf("dialer in %s: %v: %s", ns, err, out)
		return make([]string, len(probes))
	}
	return who
}
