package traefik

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	authorityVar = "SKEP_CONFORMANCE_PEBBLE"
	authorityLog = "/run/authority.log"
)

// authority runs an ACME authority that asks on the ports of the world, and believes whoever answers there. It returns
// the root by which it is known itself.
func authority(t *testing.T) (root string) {
	t.Helper()
	root, key := pair(t, "ca.example.org")
	put(t, "/run/ca.pem", root)
	put(t, "/run/ca.key", key)
	config, err := json.Marshal(map[string]map[string]any{"pebble": {
		"listenAddress": "127.0.0.2:14000", "managementListenAddress": "127.0.0.2:15000",
		"certificate": "/run/ca.pem", "privateKey": "/run/ca.key", "httpPort": 80, "tlsPort": 443,
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]map[string]any{"default": {"description": "the only one", "validityPeriod": 7776000}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, "/run/pebble.json", string(config))
	cmd := exec.Command(os.Getenv(authorityVar), "-config", "/run/pebble.json")
	cmd.Env = []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"}
	log, err := os.Create(authorityLog)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(issued(t))
		}
		log.Close()
	})
	return root
}

// issued is what the authority has said so far, the serial numbers of its certificates among it.
func issued(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(authorityLog)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// served is the certificate that Traefik serves for a name, or nil.
func served(name string) *x509.Certificate {
	conn, err := tls.Dial("tcp", "10.20.0.11:443", &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// kept are the serial numbers of the certificates in acme.json. One may be for several names: for all of a router, or for one
// that an earlier router asked for.
func kept() map[string]bool {
	var resolvers map[string]struct {
		Certificates []struct{ Certificate []byte }
	}
	out := map[string]bool{}
	b, err := os.ReadFile(volume + "/acme.json")
	if err != nil || json.Unmarshal(b, &resolvers) != nil {
		return out
	}
	for _, r := range resolvers {
		for _, c := range r.Certificates {
			block, _ := pem.Decode(c.Certificate)
			if block == nil {
				continue
			}
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				out[c.SerialNumber.String()] = true
			}
		}
	}
	return out
}

// TestACME has an authority of one's own, known by the root in the spec, certify the cluster's names while a tenant
// tries to answer in its place. The certificate outlives the day when Traefik stops being root.
func TestACME(t *testing.T) {
	// On port 80 Traefik sends visitors to https, and answers what it does not know of its own challenges.
	for challenge, answer := range map[string]int{"tls": http.StatusMovedPermanently, "http": http.StatusNotFound} {
		t.Run(challenge, func(t *testing.T) {
			if os.Getenv(binaryVar) == "" {
				world(t, fmt.Sprintf(spec, selfSigned)) // says what is missing
			}
			root := authority(t)
			acme := fmt.Sprintf(`certificate: {acme: {email: ops@example.org, server: "https://ca.example.org:14000/dir", challenge: %s, root: %s}}`, challenge, strconv.Quote(root))
			world(t, fmt.Sprintf(spec, acme))
			command(t, "rm", "-rf", volume)
			command(t, "mkdir", volume)

			stop := start(t, 0)
			names := []string{"paris.example.org", "grafana.example.org", "s3.paris.example.org"}
			for _, name := range names {
				until(t, "a certificate for "+name, func() bool {
					c := served(name)
					return c != nil && strings.HasPrefix(c.Issuer.CommonName, "Pebble") && c.VerifyHostname(name) == nil
				})
			}
			until(t, "the certificates on the disk", func() bool { // Traefik shows them before it has written them
				kept := kept()
				return !slices.ContainsFunc(names, func(name string) bool {
					c := served(name)
					return c == nil || !kept[c.SerialNumber.String()]
				})
			})
			stop()
			before := issued(t)
			command(t, "chown", "-R", fmt.Sprintf("%d:%[1]d", user), volume) // the step acme of the runbook
			start(t, user)
			for _, name := range names {
				if c := served(name); c == nil || !strings.Contains(before, fmt.Sprintf("Issued certificate serial %016x ", c.SerialNumber)) {
					t.Errorf("%s has another certificate after the upgrade", name)
				}
			}
			info, err := os.Stat(volume + "/acme.json")
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("acme.json: %v, %v", info, err)
			}
			for _, v := range visitors {
				t.Run(v.name+"@"+v.address, func(t *testing.T) { pages(t, v.name, v.address, "none", answer) })
			}
		})
	}
}
