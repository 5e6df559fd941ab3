package traefik

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/stack"
)

// spec is the cluster whose Traefik runs here; %s stands for further fields of services.traefik.
const spec = `
name: paris
kind: target
domain: paris.example.org
nodes: {m1: {address: 10.20.0.11, role: manager}}
access: {management: [192.0.2.0/28, "2001:db8::/64"], nuvla: [203.0.113.10/32], users: [0.0.0.0/0, "::/0"]}
certificates: {names: [grafana.example.org, 10.20.0.100, "2001:db8::11"]}
services:
  monitoring: {}
  s3: {host: s3.paris.example.org}
  traefik: {image: "traefik:v3.6.12", %s}
`

const selfSigned = `certificate: {selfSigned: {}}`

// skep's services, the tenant and the socket proxy by the names that they have in the swarm, each behind an address.
var backends = map[string]string{
	"monitoring_grafana": ":3000", "monitoring_prometheus": ":9090", "s3_s3": ":7070",
}

const (
	who    = "X-Who" // the header by which a backend says its name
	tenant = "tenant"
	user   = 65532 // of the task
	volume = "/run/acme"
)

// world makes everything around Traefik, and writes its files from the bundle of the spec.
func world(t *testing.T, spec string) {
	t.Helper()
	if os.Getenv(binaryVar) == "" {
		judge.Missing(t, "want root and unshare(1) from util-linux")
	}
	hosts := "10.20.0.11 paris.example.org grafana.example.org s3.paris.example.org app.example.org\n127.0.0.2 ca.example.org\n127.0.0.1 localhost traefik_socket-proxy"
	for name, port := range backends {
		hosts += " " + name
		serve(t, "127.0.0.1"+port, backend(name))
	}
	put(t, "/etc/hosts", hosts+"\n")
	for _, a := range []string{"10.20.0.11/32", "10.20.0.100/32", "192.0.2.1/32", "198.51.100.7/32", "10.9.0.66/32", "2001:db8::11/128"} {
		command(t, "ip", "addr", "replace", a, "dev", "lo")
	}
	cert, key := pair(t, "paris.example.org")
	put(t, "/run/secrets/web-certificate", cert)
	put(t, "/run/secrets/web-key", key)
	put(t, "/run/secrets/traefik-dashboard", "admin:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n") // "password"
	serve(t, "10.9.0.66:6666", backend(tenant))
	sealed(t, "10.9.0.66:6667", cert, key)
	swarm(t, "127.0.0.1:2375", "testdata/tenant.yaml", "traefik-public", "10.9.0.66")

	files, err := stack.Files(judge.Cluster(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "stacks/traefik/") {
			// The volume is not to stand in the root of this machine.
			put(t, "/etc/traefik/"+filepath.Base(f.Path), strings.Replace(string(f.Data), "storage: /acme/", "storage: "+volume+"/", 1))
		}
	}
}

// start runs Traefik as the stack does, as a user of its own, waits until the labels of testdata/tenant.yaml are in
// force, and returns how to stop it.
func start(t *testing.T, uid uint32) (stop func()) {
	t.Helper()
	binary, err := os.ReadFile(os.Getenv(binaryVar)) // the cache of the go command is not for every user
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "traefik")
	for dir := filepath.Dir(program); dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(program, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(program)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	until(t, "Traefik serves the tenant's own page", func() bool {
		return ask(t, question{to: "10.20.0.11:443", name: "app.example.org", tls: true}).who == tenant
	})
	return stop
}

// until waits for something, for a while.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// question is a request, and answer what came back: the name of the backend, or of skep's own way to answer.
type question struct {
	to   string // address and port
	from string // source address; empty for any
	name string // server name and Host; empty for a visitor by address
	path string
	tls  bool
	body io.Reader // of a PUT; nil for a GET
}

type answer struct {
	who      string // backend, or empty
	path     string // as the backend got it
	status   int    // 0: no answer
	location string
	login    bool
}

func ask(t *testing.T, q question) answer {
	t.Helper()
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if q.from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(q.from)}
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", q.to)
		},
	}
	defer transport.CloseIdleConnections()
	host := q.name
	if host == "" {
		host, _, _ = net.SplitHostPort(q.to)
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	}
	scheme := "http://"
	if q.tls {
		scheme = "https://"
	}
	client := http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	method := http.MethodGet
	if q.body != nil {
		method = http.MethodPut
	}
	req, err := http.NewRequest(method, scheme+host+q.path, q.body)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", "password")
	resp, err := client.Do(req)
	if err != nil {
		return answer{}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return answer{who: resp.Header.Get(who), path: resp.Header.Get("X-Path"), status: resp.StatusCode, location: resp.Header.Get("Location"), login: resp.Header.Get("WWW-Authenticate") != ""}
}

func backend(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set(who, name)
		w.Header().Set("X-Path", r.RequestURI)
	})
}

// sealed is the tenant's port for TLS that passes through.
func sealed(t *testing.T, listen, cert, key string) {
	t.Helper()
	c, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", listen, &tls.Config{Certificates: []tls.Certificate{c}})
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: backend(tenant)}
	go s.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { s.Close() })
}

// pair is a certificate for a name, signed by itself, so that it can stand for an authority too.
func pair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
