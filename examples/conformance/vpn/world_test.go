package vpn

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// plug puts a namespace with addresses on the one link that all share: no router is needed, and no address has a way
// to another but this link.
const plug = `ip netns list | grep -q '^wire' || { ip netns add wire; ip -n wire link add lan type bridge; ip -n wire link set lan up; }
ip netns add $1
ip -n $1 link set lo up
ip link add name eth0 netns $1 type veth peer name p-$1 netns wire
ip -n wire link set p-$1 master lan up
ip -n $1 link set eth0 up
`

// newHost makes a namespace with addresses; the first one is the source of what it sends.
func newHost(t *testing.T, name string, addresses ...string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(plug)
	for _, a := range addresses {
		fmt.Fprintf(&b, "ip -n %s addr add %s/32 dev eth0\n", name, a)
	}
	fmt.Fprintf(&b, "ip -n %s route add default dev eth0 src %s\n", name, addresses[0])
	t.Cleanup(func() { sh(t, "ip -n wire link del p-$1; ip netns del $1", name) })
	sh(t, b.String(), name)
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

// on runs a command in a namespace and returns what it printed.
func on(t *testing.T, ns string, command ...string) string {
	t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", ns}, command...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %v\n%s", ns, command, err, out)
	}
	return string(out)
}

// process is a program whose lines are watched.
type process struct {
	name string
	mu   sync.Mutex
	seen []string
	more chan struct{}
	end  func()
}

// start runs a program in a namespace until the test, or end, ends it.
func start(t *testing.T, ns string, env []string, command ...string) *process {
	t.Helper()
	p := &process{name: command[0] + " on " + ns, more: make(chan struct{}, 1)}
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns}, command...)...)
	cmd.Env = append(os.Environ(), env...)
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	cmd.Stderr = cmd.Stdout
	if inErr != nil || outErr != nil {
		t.Fatal(inErr, outErr)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(stdout)
	}()
	var once sync.Once
	p.end = func() {
		once.Do(func() {
			_ = stdin.Close()
			_ = cmd.Process.Signal(os.Interrupt)
			timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
			<-read
			_ = cmd.Wait()
			timer.Stop()
		})
	}
	t.Cleanup(p.end)
	return p
}

func (p *process) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.mu.Lock()
		p.seen = append(p.seen, lines.Text())
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

// forget makes await look only at what is said from now on.
func (p *process) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = nil
}

// await waits until a line holds one of the texts, and returns that text.
func (p *process) await(t *testing.T, texts ...string) string {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		all := strings.Join(p.seen, "\n")
		p.mu.Unlock()
		for _, text := range texts {
			if strings.Contains(all, text) {
				return text
			}
		}
		select {
		case <-p.more:
		case <-limit:
			t.Fatalf("%s never says %q:\n%s", p.name, texts, all)
		}
	}
}

// listeners answer on the addresses of a host.
func listeners(t *testing.T, ns string, addresses ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start(t, ns, []string{agentVar + "=listen"}, append([]string{self}, addresses...)...).await(t, "ready")
}

// ask dials from a host; who is whom the listener saw.
func ask(t *testing.T, ns, address string) (who string, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", ns, self, address)
	cmd.Env = append(os.Environ(), agentVar+"=dial")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// place copies a file.
func place(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, b, mode)
}

func write(t *testing.T, to string, b []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, mode); err != nil { // a file that was there keeps its mode
		t.Fatal(err)
	}
}

// replaced writes a copy of a file in which every old is new.
func replaced(t *testing.T, from, to, old, new string) string {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s has no %q", from, old)
	}
	write(t, to, bytes.ReplaceAll(b, []byte(old), []byte(new)), 0o600)
	return to
}
