package lab

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// login returns name:password of Traefik's pages.
func (l *lab) login(t *testing.T) string {
	t.Helper()
	return "admin:" + l.on(t, "m1", "cat /etc/skep/secrets/traefik-dashboard-r1.password")
}

// visit is a request to Traefik, and what it is to get.
type visit struct {
	zone, url, login string
	code             int
	text             string // part of the answer, or of where it leads
}

// visits are requests from each zone.
func visits(login string) []visit {
	const host = "lab.example.org"
	return []visit{
		{"users", "http://" + host + "/some/page", "", 301, "https://" + host + "/some/page"},
		{"users", "https://" + host + "/", "", 503, ""},
		{"nuvla", "https://" + host + "/", "", 503, ""},
		{"users", "https://" + host + "/grafana/api/health", "", 200, "stand-in for grafana"},
		{"users", "https://" + host + "/grafana/metrics", "", 503, ""},
		{"users", "https://" + host + "/prometheus/-/ready", login, 403, ""},
		{"management", "https://" + host + "/prometheus/-/ready", "", 401, ""},
		{"management", "https://" + host + "/prometheus/-/ready", "admin:admin", 401, ""},
		{"management", "https://" + host + "/prometheus/-/ready", login, 200, "Prometheus Server is Ready"},
		{"management", "https://" + host + "/alertmanager/-/ready", login, 200, "OK"},
		{"management", "https://" + host + ":8080/dashboard/", "", 401, ""},
		// The module of Traefik carries no built pages, so the dashboard itself is not found; what it asks is there.
		{"management", "https://" + host + ":8080/dashboard/", login, 404, ""},
		{"management", "https://" + host + ":8080/api/overview", login, 200, "routers"},
		{"management", "https://" + host + ":8080/api/rawdata", login, 200, "grafana"},
		{"users", "https://" + host + ":8080/dashboard/", login, 0, "timeout"},
		{"neighbour", "https://" + host + "/", "", 0, "timeout"},
	}
}

// pages asks Traefik from each zone.
func pages(t *testing.T, l *lab) { l.visit(t, visits(l.login(t))) }

// visit makes the requests. Every answer is verified with the cluster's authority.
func (l *lab) visit(t *testing.T, visits []visit) {
	t.Helper()
	authority := l.operatorFile(t, "certs", "ca.pem")
	for _, c := range visits {
		code, location, text := page(t, browser(c.zone, l.address(t, "m1"), authority), c.url, c.login)
		if code == 308 || code == 302 {
			code = 301
		}
		if code != c.code || !strings.Contains(location+text, c.text) {
			t.Errorf("%s %s: %d %s %.200s, want %d %s", c.zone, c.url, code, location, text, c.code, c.text)
		}
	}
}

// targets wants Prometheus to see every page that it should, up, under the name of its node.
func targets(t *testing.T, l *lab) {
	want := []string{"alertmanager m1", "grafana m1", "prometheus m1", "traefik m1"}
	for _, node := range l.nodes(t) {
		want = append(want, "cadvisor "+node, "engine "+node, "node-exporter "+node)
	}
	slices.Sort(want)
	client, login := browser("management", l.address(t, "m1"), l.operatorFile(t, "certs", "ca.pem")), l.login(t)
	eventually(t, 2*time.Minute, func() error {
		_, _, text := page(t, client, "https://lab.example.org/prometheus/api/v1/targets?state=active", login)
		var answer struct {
			Data struct {
				ActiveTargets []struct {
					Labels    map[string]string
					Health    string
					LastError string
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			return fmt.Errorf("%w: %.200s", err, text)
		}
		up := map[string]bool{}
		for _, target := range answer.Data.ActiveTargets {
			name := strings.TrimSpace(target.Labels["job"] + " " + target.Labels["node"])
			if target.Health != "up" {
				return fmt.Errorf("%s is %s: %s", name, target.Health, target.LastError)
			}
			up[name] = true
		}
		if got := slices.Sorted(maps.Keys(up)); !slices.Equal(got, want) {
			return fmt.Errorf("targets %q, want %q", got, want)
		}
		return nil
	})
}

// measures asks Prometheus for what the nodes' own networks have: the device with the node's address, and its conntrack.
// The port that they are asked on is the cluster's own.
func measures(t *testing.T, l *lab) {
	if r := l.runbook(t, "run", "--yes", "--only", "preflight"); strings.Contains(r.text, "9100/tcp is taken") {
		t.Errorf("the runbook takes the cluster's own task for a stranger:\n%s", r.text)
	}
	client, login := browser("management", l.address(t, "m1"), l.operatorFile(t, "certs", "ca.pem")), l.login(t)
	for _, node := range l.nodes(t) {
		device := lastLine(l.on(t, node, "ip -o address show to "+l.address(t, node)+" | awk '{print $2}'"))
		limit := lastLine(l.on(t, node, "sysctl -n net.netfilter.nf_conntrack_max"))
		for _, query := range []string{
			fmt.Sprintf("node_network_receive_bytes_total{node=%q,device=%q} > 0", node, device),
			fmt.Sprintf("node_nf_conntrack_entries{node=%q} > 0", node),
			fmt.Sprintf("node_nf_conntrack_entries_limit{node=%q} == %s", node, limit),
			fmt.Sprintf("node_scrape_collector_success{node=%q,collector=\"conntrack\"} == 1", node),
		} {
			eventually(t, 2*time.Minute, func() error {
				_, _, text := page(t, client, "https://lab.example.org/prometheus/api/v1/query?query="+url.QueryEscape(query), login)
				var answer struct {
					Data struct {
						Result []struct{ Metric map[string]string }
					}
				}
				if err := json.Unmarshal([]byte(text), &answer); err != nil {
					return fmt.Errorf("%w: %.200s", err, text)
				}
				if len(answer.Data.Result) != 1 {
					return fmt.Errorf("%s: want one answer, got %.300s", query, text)
				}
				return nil
			})
		}
	}
}

// storage puts a file through S3 and reads it as a plain file and over NFS.
func storage(t *testing.T, l *lab) {
	file := filepath.Join(t.TempDir(), "bees.txt")
	write(t, file, "the bees of "+t.Name()+"\n")
	l.on(t, "m1", "rm -rf /srv/nfs/hive")
	if *light {
		l.on(t, "m1", fmt.Sprintf("mkdir /srv/nfs/hive && echo %s | base64 -d >/srv/nfs/hive/bees.txt", base64.StdEncoding.EncodeToString([]byte(read(t, file)))))
	} else {
		upload(t, l, file)
	}
	if *kernel == "full" {
		kernelClients(t, l, read(t, file))
		return
	}
	url := "nfs://" + l.address(t, "m1") + "/srv/nfs/hive/bees.txt"
	for _, node := range []string{"w1", "w2"} {
		if got, err := l.try(node, "nfs-cat '"+url+"?version=4'"); err != nil || got+"\n" != read(t, file) {
			t.Errorf("%s reads %q over NFS: %v", node, got, err)
		}
		if out, err := l.try(node, "nfs-cp /etc/hostname '"+strings.Replace(url, "bees", node, 1)+"?version=4'"); err == nil {
			t.Errorf("%s can write over NFS: %s", node, out)
		}
	}
	// The neighbour has the client, too; the firewall lets nothing of it through.
	base := strings.TrimSpace(read(t, filepath.Join(filepath.Dir(filepath.Dir(l.config)), "nodes", "m1.base")))
	out, err := l.command("zone", "neighbour", "timeout", "5", "chroot", base, "nfs-cat", url+"?version=4").CombinedOutput()
	if err == nil {
		t.Errorf("the neighbour reads over NFS: %s", out)
	}
	if got := l.on(t, "m1", "ls /srv/nfs/hive"); got != "bees.txt" {
		t.Errorf("in the export are %q", got)
	}
}

// upload puts a file into a new bucket, where it is a plain file of the S3 server's user.
func upload(t *testing.T, l *lab, file string) {
	t.Helper()
	key := "nuvla:" + l.on(t, "m1", "cat /etc/skep/secrets/s3-user-key-r1")
	for _, args := range [][]string{{"-X", "PUT", "https://lab.example.org:9000/hive"}, {"-T", file, "https://lab.example.org:9000/hive/bees.txt"}} {
		if out, err := l.s3(t, "users", key, args...); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	if out, err := l.s3(t, "users", "nobody:nothing", "https://lab.example.org:9000/hive/bees.txt"); err == nil {
		t.Errorf("S3 answers a stranger: %s", out)
	}
	if got := l.on(t, "m1", "cat /srv/nfs/hive/bees.txt") + "\n"; got != read(t, file) {
		t.Errorf("the file in the export is %q", got)
	}
	if got := l.on(t, "m1", "stat -c %u:%g:%a /srv/nfs/hive/bees.txt"); got != "10001:10001:644" {
		t.Errorf("the file belongs to %s", got)
	}
}

// s3 is curl in a zone, with a signature.
func (l *lab) s3(t *testing.T, zone, key string, args ...string) (string, error) {
	t.Helper()
	line := append([]string{"zone", zone, "curl", "--silent", "--show-error", "--fail-with-body", "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--max-time", strconv.Itoa(30 * *patience), "--aws-sigv4", "aws:amz:us-east-1:s3", "--config", "-",
		"--cacert", filepath.Join(l.bundle+".state", "certs", "ca.pem"), "--connect-to", "::" + l.address(t, "m1") + ":"}, args...)
	cmd := l.command(line...)
	cmd.Stdin = strings.NewReader("user = \"" + key + "\"\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
