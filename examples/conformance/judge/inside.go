package judge

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Flags of unshare. Whatever is started inside ends with the first process, and that one with unshare: a test that fails,
// panics or is killed leaves no timer, server or tunnel behind.
func confinement() []string {
	flags := []string{"--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--user", "--map-root-user")
	}
	return flags
}

// Confines reports whether Inside can make its namespaces here.
func Confines() bool {
	return exec.Command("unshare", append(confinement(), "true")...).Run() == nil
}

// Inside becomes this test binary with a network, mounts and processes of its own: there the shell prepares what the test
// wants, and then runs the binary again, with the variables besides. It returns only when that cannot be.
func Inside(prepare string, variables ...string) error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// The shell stays, as the first process: it buries whom others leave.
	script := "set -e\n" + prepare + "\n\"$@\"\nexit\n"
	args := append(append([]string{unshare}, confinement()...), append([]string{"sh", "-c", script, "sh", self}, os.Args[1:]...)...)
	env := append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return fmt.Errorf("%s: %w", unshare, syscall.Exec(unshare, args, append(env, variables...)))
}
