package traefik

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
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
	if os.Geteuid() != 0 || exec.Command("unshare", "--net", "--mount", "true").Run() != nil {
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
	const script = `set -e
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/secrets
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
mkdir -p /etc/traefik
ip link set lo up
sysctl -q net.ipv4.ip_unprivileged_port_start=0
exec "$@"`
	cmd := exec.Command("unshare", append([]string{"--net", "--mount", "sh", "-c", script, "sh", self}, os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), insideVar+"=all", binaryVar+"="+binary, authorityVar+"="+authority, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return run(cmd)
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

// build returns the path of a program that is a tool of a module, built as the lab does. The go command keeps it in its
// cache: Traefik takes minutes the first time.
func build(module, pkg string) (string, error) {
	cmd := exec.Command("go", "tool", "-n", pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", cmd, err)
	}
	path := strings.TrimSpace(string(out))
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s printed %q", cmd, path)
	}
	return path, nil
}
