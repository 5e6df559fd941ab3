package packages_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/packages"
)

// fetch runs the script, and returns its code and what it said, without the directory of the test.
func (s *site) fetch(args ...string) (int, string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.dir, "bundle", packages.Fetch), args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(strings.TrimSuffix(string(out), "\n"), s.dir+"/", "")
}

// mirrors are the options that name the mirror of the test.
func (s *site) mirrors(more ...string) []string {
	return append([]string{"--mirror", s.server.URL + "/debian/", "--security-mirror", s.server.URL + "/security", "--keyring", filepath.Join(s.dir, "debian.gpg")}, more...)
}

// sums tells the files below a directory, each with its sum.
func (s *site) sums(dir string) string {
	return s.shell("cd " + dir + " && find . -type f | LC_ALL=C sort | xargs sha256sum")
}

// TestFetch fetches for both kinds of nodes what they need and no more; what is there is not fetched again.
func TestFetch(t *testing.T) {
	s := newSite(t)
	s.cut = "web_1.0_amd64.deb"
	code, said := s.fetch(s.mirrors("out")...)
	if code != 4 || !strings.HasPrefix(said, "fetch.sh: bookworm for amd64: Failed to fetch ") || strings.Contains(said, "\n") {
		t.Error(code, said)
	}
	if all, _ := filepath.Glob(filepath.Join(s.dir, "out", "*")); len(all) != 1 || filepath.Base(all[0]) != "bookworm_amd64.part" {
		t.Errorf("half of it is taken for whole: %q", all)
	}
	s.cut = ""
	code, said = s.fetch(s.mirrors("out")...)
	if want := "out/bookworm_amd64: 3 packages for nftables web\nout/trixie_arm64: 4 packages for docker-cli nftables web"; code != 0 || said != want {
		t.Fatalf("%d: %s\nwant %s", code, said, want)
	}
	slices.Sort(s.asked)
	if got, want := strings.Join(s.asked, " "), "docker-cli_1.0_arm64.deb libweb_1.1_amd64.deb libweb_1.1_arm64.deb nftables_1.0_amd64.deb nftables_1.0_arm64.deb web_1.0_amd64.deb web_1.0_amd64.deb web_2.0_arm64.deb"; got != want {
		t.Errorf("asked for %s\nwant %s", got, want)
	}
	files := s.shell("cd out && find . -type f | LC_ALL=C sort")
	const want = `./bookworm_amd64/debian/dists/bookworm/InRelease
./bookworm_amd64/debian/dists/bookworm/main/binary-amd64/Packages.xz
./bookworm_amd64/debian/pool/main/nftables/nftables_1.0_amd64.deb
./bookworm_amd64/debian/pool/main/web/web_1.0_amd64.deb
./bookworm_amd64/security/dists/bookworm-security/InRelease
./bookworm_amd64/security/dists/bookworm-security/main/binary-amd64/Packages.xz
./bookworm_amd64/security/pool/updates/libweb/libweb_1.1_amd64.deb
./trixie_arm64/debian/dists/trixie/InRelease
./trixie_arm64/debian/dists/trixie/main/binary-arm64/Packages.xz
./trixie_arm64/debian/pool/main/docker-cli/docker-cli_1.0_arm64.deb
./trixie_arm64/debian/pool/main/nftables/nftables_1.0_arm64.deb
./trixie_arm64/debian/pool/main/web/web_2.0_arm64.deb
./trixie_arm64/security/dists/trixie-security/InRelease
./trixie_arm64/security/dists/trixie-security/main/binary-arm64/Packages.xz
./trixie_arm64/security/pool/updates/libweb/libweb_1.1_arm64.deb
`
	if files != want {
		t.Errorf("files:\n%s", files)
	}
	s.shell("cmp out/bookworm_amd64/debian/dists/bookworm/InRelease mirror/debian/dists/bookworm/InRelease")
	first := s.sums("out")
	s.asked = nil
	// Spoiled on the disk, it is fetched again, and nothing else.
	s.write("out/bookworm_amd64/debian/pool/main/web/web_1.0_amd64.deb", "spoiled")
	if code, said = s.fetch(s.mirrors("out")...); code != 0 || strings.Join(s.asked, " ") != "web_1.0_amd64.deb" || s.sums("out") != first {
		t.Errorf("the second time: %d: %s; asked for %q", code, said, s.asked)
	}
}

// TestFetchRefuses tells what is wrong in a line, and leaves what is there.
func TestFetchRefuses(t *testing.T) {
	s := newSite(t)
	if code, said := s.fetch(s.mirrors("out")...); code != 0 {
		t.Fatal(code, said)
	}
	first := s.sums("out")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no mirror":    {[]string{"--mirror", s.server.URL + "/none", "out"}, 4, "fetch.sh: bookworm for amd64: "},
		"no answer":    {[]string{"--mirror", "http://127.0.0.1:1/debian", "out"}, 4, "fetch.sh: bookworm for amd64: Failed to fetch http://127.0.0.1:1/debian"},
		"no security":  {[]string{"--security-mirror", s.server.URL + "/none", "out"}, 4, "fetch.sh: bookworm for amd64: "},
		"another key":  {[]string{"--keyring", filepath.Join(s.dir, "thief.gpg"), "out"}, 4, "(--keyring names the file of keys)"},
		"no key":       {[]string{"--keyring", "none.gpg", "out"}, 4, "fetch.sh: none.gpg: cannot be read: install debian-archive-keyring, or name another file with --keyring"},
		"no directory": {[]string{"debian.gpg/out"}, 4, "fetch.sh: debian.gpg/out: cannot be written"},
		"no DIR":       {nil, 2, "fetch.sh: want DIR; see --help"},
		"two":          {[]string{"one", "two"}, 2, "fetch.sh: want one DIR; see --help"},
		"option":       {[]string{"--nonsense", "out"}, 2, "fetch.sh: --nonsense: no such option; see --help"},
		"no URL":       {[]string{"--mirror", "example.org", "out"}, 2, "fetch.sh: --mirror example.org: want a URL"},
		"no value":     {[]string{"--mirror"}, 2, "fetch.sh: --mirror: want a value"},
	} {
		if code, said := s.fetch(s.mirrors(c.args...)...); code != c.code || !strings.Contains(said, c.want) || strings.Contains(said, "\n") {
			t.Errorf("%s: %d: %s", name, code, said)
		}
	}

	// The disk is full.
	script := "mkdir full && mount -t tmpfs -o size=48k none full && exec bundle/" + packages.Fetch + ` "$@" full`
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh"}, s.mirrors()...)...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "No space left on device") {
		t.Errorf("a full disk: %v: %s", err, out)
	}

	// A package that is not there, after all the others.
	s.packages("debian", "bookworm", "amd64", "main", deb{"libweb", "1.0", ""}, deb{"nftables", "1.0", ""})
	s.sign("debian", "")
	if code, said := s.fetch(s.mirrors("out")...); code != 4 || said != "fetch.sh: bookworm for amd64: Unable to locate package web" {
		t.Errorf("a missing package: %d: %s", code, said)
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "out", "bookworm_amd64.part")); err != nil {
		t.Fatal(err)
	}
	if got := s.sums("out"); got != first {
		t.Errorf("what was there has changed:\n%s", got)
	}
}
