package lab

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// tenant is what the stand-in of the tenant's service says.
const tenant = "stand-in for tenant"

// labels runs a service of somebody who may only deploy. Its own name works, be it for a slow upload; its other labels ask for
// what skep answers on every entry point, as raw TCP and as pages, and get nothing of it.
func labels(t *testing.T, l *lab) {
	const domain = "lab.example.org"
	asked := []string{"traefik.enable=true",
		"traefik.http.services.tenant.loadbalancer.server.port=8000",
		"traefik.tcp.services.tenant.loadbalancer.server.port=8000",
		"traefik.http.routers.honest.entrypoints=websecure",
		"traefik.http.routers.honest.rule=Host(`app." + domain + "`)",
		"traefik.http.routers.honest.tls=true",
		"traefik.http.routers.honest.service=tenant",
	}
	hostile := func(kind, name, rule string, entries ...string) {
		for _, entry := range entries {
			router := fmt.Sprintf("traefik.%s.routers.%s-%s.", kind, name, entry)
			asked = append(asked, router+"entrypoints="+entry, router+"rule="+rule, router+"service=tenant", router+"priority=9223372036854774806")
			if entry != "web" && !strings.HasPrefix(name, "clear") {
				asked = append(asked, router+"tls=true")
			}
		}
	}
	tls := []string{"websecure", "dashboard", "s3"}
	hostile("tcp", "name", "HostSNI(`"+domain+"`)", append(tls, "web")...)
	hostile("tcp", "all", "HostSNI(`*`)", tls...)
	hostile("tcp", "clear", "HostSNI(`*`)", append(tls, "web")...)
	hostile("http", "page", "Host(`"+domain+"`)", append(tls, "web")...)
	hostile("http", "address", "Host(`"+l.address(t, "m1")+"`)", append(tls, "web")...)
	hostile("http", "path", "PathPrefix(`/prometheus`) || PathPrefix(`/.well-known`) || PathPrefix(`/api`)", append(tls, "web")...)

	image := strings.Fields(l.on(t, "m1", "docker image ls --format '{{.Repository}}:{{.Tag}}' ghcr.io/google/cadvisor"))[0]
	l.on(t, "m1", "docker service create --detach --quiet --name tenant --network traefik-public --endpoint-mode dnsrr --no-resolve-image "+
		"--constraint node.role==worker --entrypoint '/bin/standin tenant :8000' --label '"+strings.Join(asked, "' --label '")+"' "+image)
	t.Cleanup(func() { l.on(t, "m1", "docker service rm tenant >/dev/null") })

	users := browser("users", l.address(t, "m1"), nil)
	transport := users.Transport.(*http.Transport)
	transport.TLSClientConfig.InsecureSkipVerify = true // its name is in no certificate
	eventually(t, time.Minute, func() error {
		if code, _, text := page(t, users, "https://app."+domain+"/", ""); code != http.StatusOK || !strings.Contains(text, tenant) {
			return fmt.Errorf("the tenant's own page: %d %.200s", code, text)
		}
		return nil
	})
	upload := make(chan error, 1)
	go func() { upload <- slowUpload(users, "https://app."+domain+"/", *long) }()

	login := l.login(t)
	// A page that skep does not have may be the tenant's.
	l.visit(t, slices.DeleteFunc(visits(login), func(v visit) bool { return v.code == http.StatusServiceUnavailable }))
	for _, zone := range []string{"management", "users"} {
		client := browser(zone, l.address(t, "m1"), l.operatorFile(t, "certs", "ca.pem"))
		for _, host := range []string{domain, l.address(t, "m1")} {
			for _, path := range []string{"/", "/prometheus/", "/.well-known/acme-challenge/x", "/api/rawdata"} {
				for _, base := range []string{"http://" + host, "https://" + host, "https://" + host + ":8080", "https://" + host + ":9000", "http://" + host + ":8080", "http://" + host + ":9000", "http://" + host + ":443"} {
					if zone == "users" && strings.Contains(base, ":8080") {
						continue // the firewall's part
					}
					if code, _, text := page(t, client, base+path, login); strings.Contains(text, tenant) && !applications(base, path) {
						t.Errorf("%s: %s%s is the tenant's: %d %.200s", zone, base, path, code, text)
					}
				}
			}
		}
	}
	if err := <-upload; err != nil {
		t.Errorf("an upload of %v through 443: %v", *long, err)
	}
}

// applications says whether a page is one that skep leaves to whoever asks for it.
func applications(base, path string) bool {
	return strings.HasPrefix(base, "https://") && strings.Count(base, ":") == 1 && (path == "/" || path == "/api/rawdata")
}

// slowUpload sends a few bytes each second, and wants the server to have read them all.
func slowUpload(client *http.Client, url string, d time.Duration) error {
	slow := *client
	slow.Timeout = d + patient(time.Minute)
	body, pen := io.Pipe()
	sent := 0
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
			n, err := pen.Write([]byte(strings.Repeat("bee ", 256)))
			if sent += n; err != nil {
				return
			}
		}
		pen.Close()
	}()
	response, err := slow.Post(url, "application/octet-stream", body)
	if err != nil {
		return fmt.Errorf("after %d bytes: %w", sent, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if want := fmt.Sprintf("# %d bytes came", sent); err != nil || !strings.Contains(string(text), want) {
		return fmt.Errorf("%s %q (%v), want %s", response.Status, text, err, want)
	}
	return nil
}
