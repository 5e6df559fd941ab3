// Package login_test has OpenSSH's client judge runbook/known_hosts: servers on loopback show the keys of the spec, or others.
package login_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators"
	"skep.dev/generators/artifact"
)

// sshd answers every program with what a node in a swarm says, and runs none.
type sshd struct {
	net.Listener
	logins atomic.Int32
}

func serve(t *testing.T, at string, key ssh.Signer) *sshd {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(at, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := &sshd{Listener: listener}
	t.Cleanup(func() { _ = s.Close() })
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(key)
	go func() {
		for {
			conn, err := s.Accept()
			if err != nil {
				return
			}
			go s.answer(conn, config)
		}
	}()
	return s
}

func (s *sshd) answer(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.logins.Add(1)
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(true, nil)
				if r.Type != "exec" {
					continue
				}
				_, _ = io.Copy(io.Discard, channel)
				_, _ = io.WriteString(channel, "active true\n@skep preflight 0\n")
				_, _ = channel.SendRequest("exit-status", false, make([]byte, 4))
				_ = channel.Close()
			}
		}()
	}
}

func (s *sshd) port() int { return s.Addr().(*net.TCPAddr).Port }

func hostKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey())))
}

func TestHostKeys(t *testing.T) {
	judge.Tool(t, "ssh", "openssh-client")
	m1, m1Line := hostKey(t)
	w1, w1Line := hostKey(t)
	stranger, strangerLine := hostKey(t)
	// A stranger whom the operator's own files know all about.
	manager, worker, other := serve(t, "127.0.0.2", m1), serve(t, "::1", w1), serve(t, "::1", stranger)
	dir := filepath.Join(t.TempDir(), "with a blank")
	own := filepath.Join(dir, "own")
	config := filepath.Join(dir, "config")
	write(t, own, fmt.Sprintf("[127.0.0.2]:%d %s\n[::1]:%d %s\n", manager.port(), strangerLine, other.port(), strangerLine))
	write(t, config, fmt.Sprintf("Host *\n\tUserKnownHostsFile %q\n\tStrictHostKeyChecking no\n\tUpdateHostKeys yes\n\tHostKeyAlias any\n", own))

	for name, test := range map[string]struct {
		worker *sshd
		want   string
	}{
		"of the spec":   {worker, ""},
		"of a stranger": {other, "runbook: ssh.hostKeys of w1: another key answers there; if the node was made anew, read the new key on its console, correct the spec and build; else somebody stands between\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge.Cluster(t, fmt.Sprintf(`{name: paris, kind: swarm, domain: paris.example.org, access: {management: [192.0.2.0/28]}, nodes: {
				m1: {address: 10.0.0.11, role: manager, ssh: {port: %d, hostKeys: [%q]}},
				w1: {address: 10.0.0.12, ssh: {user: admin, port: %d, hostKeys: [%q]}}}}`, manager.port(), m1Line, test.worker.port(), w1Line))
			for i, s := range []*sshd{manager, test.worker} {
				c.Nodes[i].Public = s.Addr().(*net.TCPAddr).AddrPort().Addr() // no spec may name loopback
			}
			files, err := generators.Generate(c)
			if err != nil {
				t.Fatal(err)
			}
			bundle := judge.Write(t, filepath.Join(dir, name), append(files, artifact.Manifest(files)))
			cmd := exec.Command("bash", filepath.Join(bundle, "runbook.sh"), "run", "--dry-run", "--only", "preflight", "--ssh-config", config)
			cmd.Env = append(os.Environ(), "TMPDIR="+dir)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			var exit *exec.ExitError
			switch {
			case test.want == "" && err != nil:
				t.Errorf("%v: %s%s", err, out, stderr.String())
			case test.want != "" && (!errors.As(err, &exit) || exit.ExitCode() != 3):
				t.Errorf("%v, want exit 3: %s", err, out)
			}
			if stderr.String() != test.want || strings.Contains(string(out), "SILENT") {
				t.Errorf("%s%s", out, stderr.String())
			}
		})
	}
	if n := other.logins.Load(); n != 0 {
		t.Errorf("%d logins to a stranger", n)
	}
	if manager.logins.Load() == 0 || worker.logins.Load() == 0 {
		t.Error("nobody logged in to the nodes")
	}
	if text, err := os.ReadFile(own); err != nil || strings.Contains(string(text), m1Line) {
		t.Errorf("the operator's own file was written: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
