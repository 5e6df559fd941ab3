package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// brought writes packages as packages/fetch.sh leaves them.
func brought(t *testing.T, dir, folder string, debs ...string) {
	t.Helper()
	for _, name := range append(debs, "../dists/bookworm/InRelease", "../../security/dists/bookworm-security/InRelease") {
		file := filepath.Join(dir, folder, "debian/pool", name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, nil, 0o644))
	}
}

// Packages that were brought are carried to a node, but for those that it has; apt asks them and nobody else, and they are taken
// away again, also when it refuses them.
func TestLongBroughtPackages(t *testing.T) {
	s := newSandbox(t, target(t))
	s.remove("node/dockerd")
	dir := t.TempDir()
	if r := s.want(4, "run", "--packages", dir); r.stderr != "runbook: --packages "+dir+": holds no packages; packages/fetch.sh writes them\n" {
		t.Error(r.stderr)
	}
	brought(t, dir, "bookworm_amd64", "d/docker.io_19.03.1+dfsg1-2_amd64.deb")
	only := []string{"--yes", "--only", "packages", "--packages", dir, "--host", "m1"}
	want := func(code int, verb string, text string) {
		t.Helper()
		if r := s.want(code, append(strings.Fields(verb), only...)...); !strings.Contains(r.stdout, text) {
			t.Errorf("want %q:\n%s\n%s", text, r.stdout, r.stderr)
		}
	}
	want(1, "run", "apt would install docker.io 19.03.1, which is outside engine.versions")
	must(t, os.RemoveAll(dir))
	brought(t, dir, "trixie_amd64")
	want(1, "run", dir+"/bookworm_amd64: no such directory, so no packages were brought for m1: fetch them (packages/fetch.sh)\n")
	brought(t, dir, "bookworm_amd64", "d/docker.io_20.10.24+dfsg1-1_amd64.deb", "l/libc6_2.36-9_amd64.deb", "o/old_1-1_all.deb")
	want(0, "run --dry-run", "would install docker.io from "+dir+"/bookworm_amd64\n")

	// A directory of that name that holds something else is nobody's business.
	must(t, os.MkdirAll(filepath.Join(filepath.Dir(s.bundle), "packages/web/src"), 0o755))
	if r := s.want(0, "run", "--dry-run", "--only", "packages", "--host", "w1"); !strings.Contains(r.stdout, "would install docker.io\n") {
		t.Error(r.stdout)
	}

	node := filepath.Join(s.fake, "hosts/10.0.0.11")
	release := filepath.Join(node, "etc/os-release")
	must(t, os.WriteFile(release, []byte("ID=debian\nVERSION_CODENAME=trixie\n"), 0o644))
	want(1, "run", `m1 has Debian trixie, and the spec says bookworm, so the packages that were brought are not for it: set nodes.m1.platform.release, build, and fetch them (packages/fetch.sh)`+"\n")
	must(t, os.WriteFile(release, []byte("VERSION_CODENAME=\"bookworm\"\n"), 0o644))
	if calls := s.calls(); strings.Contains(calls, "apt-get") || strings.Contains(calls, "tar --extract") {
		t.Errorf("something was done:\n%s", calls)
	}

	must(t, os.WriteFile(filepath.Join(node, "packages"), []byte("installed libc6_1:2.36-9_amd64.deb\ninstalled old_2-1_all.deb\nconfig-files docker.io_20.10.24+dfsg1-1_amd64.deb\n"), 0o644))
	gone := func() {
		t.Helper()
		if left, _ := filepath.Glob(filepath.Join(node, "var/cache/*")); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	for _, verb := range []string{"update", "install"} {
		s.write("refused", verb)
		want(1, "run", map[string]string{"update": "apt does not take the packages of " + dir + "/bookworm_amd64", "install": "apt-get cannot install docker.io from " + dir + "/bookworm_amd64"}[verb])
		gone()
	}
	s.remove("refused")
	want(0, "run", " DONE ")
	gone()
	b, err := os.ReadFile(filepath.Join(node, "carried"))
	if err != nil || string(b) != "docker.io_20.10.24+dfsg1-1_amd64.deb\nold_1-1_all.deb\n" {
		t.Errorf("carried %q, %v", b, err)
	}
	b, err = os.ReadFile(filepath.Join(node, "sources"))
	const trust = "deb [arch=amd64 lang=none target=Packages by-hash=no check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] file:/var/cache/skep-packages/"
	if err != nil || !strings.HasSuffix(string(b), trust+"debian bookworm main\n"+trust+"security bookworm-security main\n") {
		t.Errorf("sources %q, %v", b, err)
	}
	for line := range strings.Lines(s.calls()) {
		if strings.Contains(line, " apt-get ") && !strings.Contains(line, "-o Dir::Etc::sourcelist=/var/cache/skep-packages/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=/var/cache/skep-packages/lists") {
			t.Errorf("apt asks others, too: %s", line)
		}
	}
}
