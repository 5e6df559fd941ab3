package packages_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A machine without a network: its dpkg knows no package, its apt has a source that nobody can ask, and a key of its own.
const machine = `
mount -t tmpfs none /var/lib
mount -t tmpfs none /var/cache
mount -t tmpfs none /var/log
mount -t tmpfs none /etc/apt
mount -t tmpfs none /usr/local/sbin
mount -t tmpfs none /usr/share/keyrings
mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers /var/lib/apt/lists/partial /var/cache/apt/archives/partial /var/log/apt /etc/apt/apt.conf.d /etc/apt/preferences.d /etc/apt/sources.list.d
touch /var/lib/dpkg/status /var/lib/apt/lists/own
echo 'deb [trusted=yes] http://127.0.0.1:9/debian bookworm main' >/etc/apt/sources.list
cp debian.gpg /usr/share/keyrings/debian-archive-keyring.gpg
echo 'VERSION_CODENAME=bookworm' >release
mount --bind release /etc/os-release
code=0
bundle/runbook.sh run --transport local --host m1 --only packages --packages carried || code=$?
echo "exit $code"
echo left: $(ls /var/cache /var/lib/apt/lists /etc/apt/sources.list.d)
echo sources: $(cat /etc/apt/sources.list)
dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Status}\n'
skep-web || true
`

// node has the runbook install what is in carried on such a machine.
func (s *site) node() string {
	s.t.Helper()
	cmd := exec.Command("unshare", "--mount", "--net", "bash", "-euc", machine)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestNode installs what was fetched, from there alone, and leaves nothing behind. A list whose time is over is taken, what
// Debian did not sign is not.
func TestNode(t *testing.T) {
	s := newSite(t)
	if code, said := s.fetch(s.mirrors("out")...); code != 0 {
		t.Fatal(code, said)
	}
	const left = "\nleft: /etc/apt/sources.list.d: /var/cache: apt /var/lib/apt/lists: own partial\nsources: deb [trusted=yes] http://127.0.0.1:9/debian bookworm main\n"
	const repository = "carried/bookworm_amd64/debian/"
	for _, c := range []struct{ name, spoil, want string }{
		{"as it is", "", ""},
		{"its time is over", "cp mirror/security/dists/bookworm-security/InRelease carried/bookworm_amd64/security/dists/bookworm-security/", ""},
		{"another .deb", "cp carried/bookworm_amd64/debian/pool/main/nftables/*.deb " + repository + "pool/main/web/web_1.0_amd64.deb", "apt-get cannot install web from carried/bookworm_amd64"},
		{"another list", "cd " + repository + "dists/bookworm/main/binary-amd64 && xz --decompress Packages.xz && sed -i 's/^Version: 1:1.0/Version: 1:9.0/' Packages && xz Packages", "apt does not take the packages of carried/bookworm_amd64"},
		{"no signature", "sed -i '/BEGIN PGP/,/^$/d; /BEGIN PGP SIGNATURE/,$d' " + repository + "dists/bookworm/InRelease", "apt does not take the packages of carried/bookworm_amd64"},
		{"another signature", "cp thief/InRelease " + repository + "dists/bookworm/InRelease", "apt does not take the packages of carried/bookworm_amd64"},
	} {
		s.shell("rm -rf carried bundle.state && cp -r out carried")
		if c.name == "its time is over" {
			s.sign("debian", "Valid-Until: Tue, 02 Jan 2024 00:00:00 UTC\\n")
		}
		if c.name == "another signature" {
			s.sign("thief", "")
			s.shell("cp mirror/debian/dists/bookworm/InRelease thief/")
		}
		s.shell(c.spoil)
		got := s.node()
		if !strings.Contains(got, left) {
			t.Errorf("%s: something is left:\n%s", c.name, got)
		}
		if c.want == "" {
			if !strings.Contains(got, "\nexit 0\n") || !strings.HasSuffix(got, "libweb 1.1 installed\nweb 1:1.0 installed\n1:1.0\n") {
				t.Errorf("%s: %s", c.name, got)
			}
		} else if !strings.Contains(got, c.want) || !strings.Contains(got, "\nexit 1\n") || strings.Contains(got, " installed\n") {
			t.Errorf("%s: want %q:\n%s", c.name, c.want, got)
		}
	}
	if _, err := os.Stat(filepath.Join(s.dir, "bundle.state")); err != nil {
		t.Error(err)
	}
}
