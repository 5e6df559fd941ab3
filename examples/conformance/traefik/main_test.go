package traefik

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"skep.dev/examples/conformance/judge"
)

// The test binary runs itself once more, with a network and an /etc of its own, which end with it.
const (
	insideVar = "SKEP_CONFORMANCE_INSIDE"
	binaryVar = "SKEP_CONFORMANCE_TRAEFIK"
)

func TestMain(m *testing.M) {
	if os.Getenv(insideVar) != "" {
		os.Exit(m.Run())
	}
	code, err := runInside()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func runInside() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	if os.Geteuid() != 0 || !judge.Confines() {
		// The files can be judged all the same; a test that wants the program itself says what is missing.
		cmd := exec.Command(self, os.Args[1:]...)
		cmd.Env = append(os.Environ(), insideVar+"=files")
		return run(cmd)
	}
	binary, err := build("../../lab", "github.com/traefik/traefik/v3/cmd/traefik")
	if err != nil {
		return 1, err
	}
	authority, err := build("..", "github.com/letsencrypt/pebble/v2/cmd/pebble")
	if err != nil {
		return 1, err
	}
	const prepare = `mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/secrets
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
mkdir -p /etc/traefik
ip link set lo up
sysctl -q net.ipv4.ip_unprivileged_port_start=0`
	return 1, judge.Inside(prepare, insideVar+"=all", binaryVar+"="+binary, authorityVar+"="+authority)
}

func run(cmd *exec.Cmd) (int, error) {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// build returns the path of a program that is a tool of a module. It is built as the lab builds it, once for the
// versions of the module, and kept in the user's cache: Traefik takes minutes.
func build(module, pkg string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	versions, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(versions, runtime.Version()...))
	out := filepath.Join(cache, "skep-conformance", fmt.Sprintf("%s-%x", filepath.Base(pkg), sum[:6]))
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	fmt.Fprintln(os.Stderr, "building", pkg, "once")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w", cmd, err)
	}
	return out, nil
}
