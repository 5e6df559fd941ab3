package runbook_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// theirs is a daemon.json as nodes have it before skep comes.
const theirs = `{
	"registry-mirrors": ["https://mirror.example.org"], "log-driver": "json-file",
	"log-opts": {"max-size": "100m", "tag": "token } \"{,"},
	"proxies": { "http-proxy": "http://10.0.0.3:3128" }, "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}},
	"storage-driver": "overlay2"
}
`

// A node keeps the keys of its own, skep's are changed and named, and undo brings the file back as it was.
func TestLongOwnSettings(t *testing.T) {
	c := target(t)
	c.Network.MTU = 1400
	s := newSandbox(t, c)
	s.want(0, "run", "--only", "preflight", "--host", "w1")
	daemon := filepath.Join(s.fake, "hosts/10.0.0.12/etc/docker/daemon.json")
	must(t, os.MkdirAll(filepath.Dir(daemon), 0o755))
	must(t, os.WriteFile(daemon, []byte(theirs), 0o644))
	only := []string{"--only", "engine", "--host", "w1"}
	run := func(args ...string) string { t.Helper(); return s.want(0, append(args, only...)...).stdout }

	told := run("run", "--dry-run")
	for _, line := range []string{
		"would install /etc/docker/daemon.json", `would change log-driver from "json-file" to "local"`, `would change log-opts.max-size from "100m" to "10m"`,
		"would lose log-opts.tag\n", "note: /etc/docker/daemon.json keeps what is this node's own: proxies registry-mirrors runtimes storage-driver\n",
	} {
		if !strings.Contains(told, line) {
			t.Errorf("the dry run lacks %q:\n%s", line, told)
		}
	}
	if strings.Contains(told, "token") {
		t.Errorf("the dry run tells what may be a token:\n%s", told)
	}

	run("run", "--yes")
	values := func() map[string]any {
		t.Helper()
		data, err := os.ReadFile(daemon)
		must(t, err)
		var v map[string]any
		must(t, json.Unmarshal(data, &v))
		return v
	}
	have := values()
	if have["log-driver"] != "local" || have["no-new-privileges"] != true || have["runtimes"].(map[string]any)["nvidia"] == nil || len(have["registry-mirrors"].([]any)) != 1 || have["storage-driver"] != "overlay2" {
		t.Errorf("daemon.json is %v", have)
	}
	if told = run("run"); strings.Contains(told, " DONE ") || strings.Contains(told, "note:") {
		t.Errorf("the second run did something:\n%s", told)
	}

	// What an edit of the spec takes away goes; what the operator adds stays.
	data, err := os.ReadFile(daemon)
	must(t, err)
	must(t, os.WriteFile(daemon, []byte(strings.Replace(string(data), "{", `{"dns": ["10.0.0.2"],`, 1)), 0o644))
	c.Network.MTU = 1500
	s.build(c)
	told = run("run", "--dry-run")
	if !strings.Contains(told, "would lose mtu\n") || strings.Contains(told, "lose dns") {
		t.Errorf("stdout:\n%s", told)
	}
	run("run", "--yes")
	if have = values(); have["mtu"] != nil || have["dns"] == nil || have["proxies"] == nil {
		t.Errorf("daemon.json is %v", have)
	}
	run("undo", "--yes")
	if data, err = os.ReadFile(daemon); err != nil || string(data) != theirs {
		t.Errorf("after undo: %v\n%s", err, data)
	}

	// A node that had no file keeps what the operator has added to skep's.
	only = []string{"--only", "engine", "--host", "w2"}
	daemon = filepath.Join(s.fake, "hosts/10.0.0.13/etc/docker/daemon.json")
	s.want(0, "run", "--only", "preflight", "--host", "w2")
	run("run", "--yes")
	data, err = os.ReadFile(daemon)
	must(t, err)
	must(t, os.WriteFile(daemon, []byte(strings.Replace(string(data), "{", `{"dns": ["10.0.0.2"],`, 1)), 0o644))
	run("undo", "--yes")
	if have = values(); len(have) != 1 || have["dns"] == nil {
		t.Errorf("after undo: %v", have)
	}
}

// What decides where the engine's data is stops the run before anything is changed, also as a flag of dockerd; and so does what a swarm cannot live with.
func TestForeignSettings(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "w1")
	node := filepath.Join(s.fake, "hosts/10.0.0.12")
	must(t, os.MkdirAll(filepath.Join(node, "etc/docker"), 0o755))
	const unit = "# /lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// \\\n  --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\n"
	for _, test := range []struct {
		name, daemon, unit, options, want string
		code                              int
	}{
		{name: "another directory", daemon: `{"data-root": "/srv/docker"}`, want: "/etc/docker/daemon.json sets data-root to /srv/docker: it decides where the engine's data is, and the spec cannot say it yet\n", code: 1},
		{name: "the same directory", daemon: `{"data-root": "/var/lib/docker"}`},
		{name: "another driver", daemon: `{"storage-driver": "btrfs"}`, want: "sets storage-driver to btrfs", code: 1},
		{name: "users of their own", daemon: `{"userns-remap": "default"}`, want: "sets userns-remap to default", code: 1},
		{name: "the image store of new engines", daemon: `{"features": {"containerd-snapshotter": true}}`, want: "sets features to", code: 1},
		{name: "live-restore", daemon: `{"live-restore": true}`, want: "sets live-restore, and a swarm refuses engines that have it", code: 1},
		{name: "no iptables", daemon: `{"iptables": false}`, want: "turns iptables off", code: 1},
		{name: "no JSON", daemon: `{"live-restore": true`, want: "/etc/docker/daemon.json is not a JSON object", code: 1},
		{name: "Debian's unit", unit: unit},
		{name: "Debian's options", unit: unit, options: "DOCKER_OPTS=\"--dns 8.8.8.8 --data-root=/srv/docker\"\n", want: "/lib/systemd/system/docker.service sets data-root to /srv/docker", code: 1},
		{name: "a flag that is lost", unit: unit, options: "DOCKER_OPTS=\"--dns 8.8.8.8\"\n", want: "would lose --dns of dockerd's command line\n"},
		{name: "a drop-in before", unit: unit + "\n# /etc/systemd/system/docker.service.d/override.conf\n[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H tcp://0.0.0.0:2375 -g /data\n",
			want: "/etc/systemd/system/docker.service.d/override.conf sets g to /data", code: 1},
		{name: "a drop-in after", unit: unit + "\n# /etc/systemd/system/docker.service.d/skep.conf\n[Service]\nExecStart=\nExecStart=dockerd\n\n# /etc/systemd/system/docker.service.d/zz.conf\n[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n",
			want: "/etc/systemd/system/docker.service.d/zz.conf starts dockerd with a command of its own", code: 1},
	} {
		for path, text := range map[string]string{"etc/docker/daemon.json": test.daemon, "docker.unit": test.unit, "etc/default/docker": test.options} {
			path = filepath.Join(node, path)
			must(t, os.RemoveAll(path))
			if text != "" {
				must(t, os.MkdirAll(filepath.Dir(path), 0o755))
				must(t, os.WriteFile(path, []byte(text), 0o644))
			}
		}
		for _, args := range [][]string{{"run", "--dry-run"}, {"run", "--yes"}} {
			if test.code == 0 && args[1] == "--yes" {
				continue
			}
			r := s.want(test.code, append(args, "--only", "engine", "--host", "w1")...)
			if !strings.Contains(r.stdout, test.want) || test.want == "" && strings.Contains(r.stdout, "lose") {
				t.Errorf("%s: %v:\n%s", test.name, args, r.stdout)
			}
		}
	}
	if strings.Contains(s.calls(), "restart docker") {
		t.Error("an engine was restarted")
	}
}

// An export of the share, or around it, that somebody else made is refused; another one is told once.
func TestForeignExports(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "m1")
	etc := filepath.Join(s.fake, "hosts/10.0.0.11/etc")
	must(t, os.MkdirAll(filepath.Join(etc, "exports.d"), 0o755))
	for _, test := range []struct{ file, text, want string }{
		{"exports", "# mine\n/var/lib/share 10.0.0.0/8(rw)\n", "/etc/exports exports /var/lib/share, and /var/lib/share is to be read-only"},
		{"exports", "/var \\\n 10.0.0.0/8(rw)\n", "/etc/exports exports /var, and"},
		{"exports.d/mine.exports", "\"/var/lib/share/a b\" *(ro)\n", "/etc/exports.d/mine.exports exports /var/lib/share/a b, and"},
		{"exports", "/ *(ro)\n", "/etc/exports exports /, and"},
		{"exports", "/var/lib/shared *(ro)\n/srv *(rw)\n", "note: this node exports /var/lib/shared /srv too: the firewall opens NFS to the nodes alone\n"},
	} {
		must(t, os.WriteFile(filepath.Join(etc, test.file), []byte(test.text), 0o644))
		code := 1
		if strings.HasPrefix(test.want, "note") {
			code = 0
		}
		if r := s.want(code, "run", "--dry-run", "--only", "nfs-server"); !strings.Contains(r.stdout, test.want) {
			t.Errorf("%q:\n%s", test.text, r.stdout)
		}
		must(t, os.Remove(filepath.Join(etc, test.file)))
	}
}

// A setting of the kernel that somebody else's file would take back at boot stops the first run; what changes is named.
func TestForeignSysctl(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "w1")
	dir := filepath.Join(s.fake, "hosts/10.0.0.12/etc/sysctl.d")
	must(t, os.MkdirAll(dir, 0o755))
	const want = "/etc/sysctl.d/99-mine.conf sets net.ipv4.ip_forward to 0, which is read after /etc/sysctl.d/90-skep.conf: 1 would not survive a reboot"
	for file, refused := range map[string]bool{"99-mine.conf": true, "10-mine.conf": false} {
		must(t, os.WriteFile(filepath.Join(dir, file), []byte("# mine\n-net/ipv4/ip_forward=0\n"), 0o644))
		code := 0
		if refused {
			code = 1
		}
		r := s.want(code, "run", "--dry-run", "--only", "engine", "--host", "w1")
		if strings.Contains(r.stdout, want) != refused || !strings.Contains(r.stdout, "would set net.ipv4.ip_forward to 1") {
			t.Errorf("%s:\n%s", file, r.stdout)
		}
		must(t, os.Remove(filepath.Join(dir, file)))
	}
}
