// Package packages_test has apt-get fetch packages from a mirror on this machine, and take them, or not, on a node.
package packages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// site is a mirror with its key, and a spec with its bundle.
type site struct {
	t      *testing.T
	dir    string
	server *httptest.Server

	mutex sync.Mutex
	asked []string // paths of packages
	cut   string   // a package that does not come whole
}

// newSite makes a mirror of two releases. The fix of a library is in the security mirror; a tool is only recommended.
func newSite(t *testing.T) *site {
	t.Helper()
	for tool, pkg := range map[string]string{"apt-get": "apt", "dpkg-deb": "dpkg", "gpg": "gnupg", "xz": "xz-utils", "unshare": "util-linux"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("not proven: install %s", pkg)
		}
	}
	if os.Geteuid() != 0 || exec.Command("unshare", "--mount", "--net", "true").Run() != nil {
		t.Fatal("not proven: want root, and unshare(1) with mounts and a network of its own")
	}
	s := &site{t: t, dir: t.TempDir()}
	if err := os.Chmod(s.dir, 0o755); err != nil { // apt reads as another user
		t.Fatal(err)
	}
	s.shell(`for who in debian thief; do
	mkdir -m 0700 $who
	gpg --homedir $who --batch --quiet --passphrase '' --quick-generate-key $who@example.org ed25519 sign never 2>/dev/null
	gpg --homedir $who --export >$who.gpg
done`)
	t.Cleanup(func() { s.shell("for who in debian thief; do gpgconf --homedir $PWD/$who --kill all; done") })
	for _, architecture := range []string{"amd64", "arm64"} {
		for _, release := range []string{"bookworm", "trixie"} {
			s.packages("debian", release, architecture, "main",
				deb{"web", "1:1.0", "Depends: libweb (>= 1)\nRecommends: extra\n"}, deb{"libweb", "1.0+b1~1", ""}, deb{"extra", "1.0", ""}, deb{"nftables", "1.0", ""})
			s.packages("security", release+"-security", architecture, "updates", deb{"libweb", "1.1", ""})
		}
	}
	s.packages("debian", "trixie", "arm64", "main", deb{"web", "2.0", "Depends: libweb (>= 1)\n"}, deb{"libweb", "1.0+b1~1", ""},
		deb{"nftables", "1.0", ""}, deb{"docker-cli", "1.0", ""})
	s.sign("debian", "")
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	s.build()
	return s
}

// ServeHTTP serves the mirror.
func (s *site) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if strings.HasSuffix(q.URL.Path, ".deb") {
		s.asked = append(s.asked, filepath.Base(q.URL.Path))
		if filepath.Base(q.URL.Path) == s.cut {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
	}
	http.ServeFile(w, q, filepath.Join(s.dir, "mirror", filepath.FromSlash(q.URL.Path)))
}

type deb struct{ name, version, more string }

// packages writes packages and their list. Each brings a program, and nothing else.
func (s *site) packages(mirror, suite, architecture, pool string, debs ...deb) {
	s.t.Helper()
	list := ""
	for _, d := range debs {
		file := fmt.Sprintf("pool/%s/%s/%s_%s_%s.deb", pool, d.name, d.name, d.version[strings.Index(d.version, ":")+1:], architecture)
		control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: nobody <nobody@example.org>\n%sDescription: a test\n", d.name, d.version, architecture, d.more)
		s.write("tree/DEBIAN/control", control)
		s.write("tree/usr/local/sbin/skep-"+d.name, "#!/bin/sh\necho "+d.version+"\n")
		sum := s.shell(fmt.Sprintf("chmod 0755 tree/usr/local/sbin/* && mkdir -p mirror/%[1]s/$(dirname %[2]s) && SOURCE_DATE_EPOCH=1704067200 dpkg-deb --root-owner-group --build tree mirror/%[1]s/%[2]s >/dev/null && rm -r tree && stat -c %%s mirror/%[1]s/%[2]s && sha256sum <mirror/%[1]s/%[2]s", mirror, file))
		f := strings.Fields(sum)
		list += fmt.Sprintf("%sFilename: %s\nSize: %s\nSHA256: %s\n\n", control, file, f[0], f[1])
	}
	s.write(fmt.Sprintf("mirror/%s/dists/%s/main/binary-%s/Packages", mirror, suite, architecture), list)
	s.shell(fmt.Sprintf("xz --keep --force mirror/%s/dists/%s/main/binary-%s/Packages", mirror, suite, architecture))
}

// sign writes the InRelease of each suite below mirror, signed by one who may.
func (s *site) sign(who, more string) {
	s.t.Helper()
	s.shell(fmt.Sprintf(`for dir in mirror/*/dists/*; do
	suite=${dir##*/}
	{
		printf 'Origin: Debian\nSuite: %%s\nCodename: %%s\nDate: Mon, 01 Jan 2024 00:00:00 UTC\n%sArchitectures: amd64 arm64\nComponents: main\nSHA256:\n' $suite $suite
		(cd $dir && for file in main/*/*; do printf ' %%s %%s %%s\n' $(sha256sum <$file | cut -d ' ' -f 1) $(stat -c %%s $file) $file; done)
	} >Release
	gpg --homedir %s --batch --yes --quiet --clearsign --output $dir/InRelease Release
done`, more, who))
}

// build writes the bundle of a cluster with a node of either release.
func (s *site) build() {
	s.t.Helper()
	s.write("cluster.yaml", "name: paris\nkind: swarm\ndomain: paris.example.org\nnodes:\n  m1: {address: 10.0.0.11, role: manager}\n"+
		"  w1: {address: 10.0.0.12, platform: {architecture: arm64, release: trixie}}\naccess: {management: [192.0.2.0/28]}\n")
	c, _, err := spec.Load(filepath.Join(s.dir, "cluster.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	c.Rows.Packages = schema.Rows[schema.Package, *schema.Package]{
		{Command: "skep-web", Package: "web", Nodes: "all"}, {Command: "sh", Package: "docker-cli", Nodes: "all"},
	}
	files, err := generators.Generate(c)
	if err != nil {
		s.t.Fatal(err)
	}
	judge.Write(s.t, filepath.Join(s.dir, "bundle"), append(files, artifact.Manifest(files)))
}

func (s *site) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// shell returns what a script prints that has to succeed.
func (s *site) shell(script string) string {
	s.t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}
