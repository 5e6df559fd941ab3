package tls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDockerAPI puts the certificates into a server that asks as dockerd does with --tlsverify, and knocks with every
// kind of certificate.
func TestDockerAPI(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, "services: {traefik: {certificate: {selfSigned: {}}}}\n"))
	dir, other := t.TempDir(), t.TempDir()
	good(t, s, dir)
	good(t, s, other)
	address := serve(t, dir)

	client := pair(t, dir, "clients/nuvla/cert.pem", "clients/nuvla/key.pem")
	server := pair(t, dir, "servers/m1/server-cert.pem", "servers/m1/server-key.pem")
	web := pair(t, dir, "web/web.crt", "web/web.key")
	foreign := pair(t, other, "clients/nuvla/cert.pem", "clients/nuvla/key.pem")
	for _, knock := range []struct {
		name string
		cert *tls.Certificate
		ca   string // authority that the client trusts
		host string // name that the client expects
		in   bool
	}{
		{"right client by name", &client, dir, "edge.example.org", true},
		{"right client by node", &client, dir, "m1", true},
		{"right client by address", &client, dir, "10.0.0.11", true},
		{"right client, wrong name", &client, dir, "evil.example.org", false},
		{"no certificate", nil, dir, "m1", false},
		{"server certificate", &server, dir, "m1", false},
		{"web certificate", &web, dir, "m1", false},
		{"client of another authority", &foreign, dir, "m1", false},
		{"server of another authority", &client, other, "m1", false},
	} {
		t.Run(knock.name, func(t *testing.T) {
			config := &tls.Config{RootCAs: pool(t, knock.ca), ServerName: knock.host, MinVersion: tls.VersionTLS12}
			if knock.cert != nil {
				// Sent even when the server does not ask for its authority.
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return knock.cert, nil }
			}
			if err := get(address, config); (err == nil) != knock.in {
				t.Errorf("in: %v (%v), want %v", err == nil, err, knock.in)
			}
		})
	}
	old := &tls.Config{RootCAs: pool(t, dir), ServerName: "m1", MaxVersion: tls.VersionTLS11, Certificates: []tls.Certificate{client}}
	if err := get(address, old); err == nil {
		t.Error("TLS 1.1 got in")
	}
}

// serve answers on a loopback port as dockerd does: its pool holds the cluster's authority alone.
func serve(t *testing.T, dir string) string {
	t.Helper()
	return serveAt(t, dir, time.Now)
}

// serveAt serves at another time than now.
func serveAt(t *testing.T, dir string, now func() time.Time) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "OK") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair(t, dir, "servers/m1/server-cert.pem", "servers/m1/server-key.pem")},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool(t, filepath.Join(dir, "servers", "m1")),
		MinVersion:   tls.VersionTLS12,
		Time:         now,
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func get(address string, config *tls.Config) error {
	transport := &http.Transport{
		TLSClientConfig: config,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Get("https://api/_ping")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func pair(t *testing.T, dir, cert, key string) tls.Certificate {
	t.Helper()
	p, err := tls.LoadX509KeyPair(filepath.Join(dir, cert), filepath.Join(dir, key))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pool(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("ca.pem holds no certificate")
	}
	return pool
}
