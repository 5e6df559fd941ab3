package lab

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machineParts are the parts of the test that run in the machine unless -run picks others: those that its kernel is for,
// and what they need.
const machineParts = "TestLab/(deploy|arrivals|routing|encryption|storage)$"

// emulated is how much longer than elsewhere things may take in the virtual machine.
const emulated = 8

// inMachine runs this very test in the virtual machine of lab --vm, and shows what it says.
func inMachine(t *testing.T) {
	if *engine != "" {
		t.Fatal("-engine: the virtual machine has the engines of Debian alone")
	}
	need(t, map[string]string{
		"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs", "debootstrap": "debootstrap", "ssh": "openssh-client",
		"unshare": "util-linux", "tar": "tar", "jq": "jq",
	})
	dir := t.TempDir()
	buildSkep(t, filepath.Join(dir, "skep"))
	build := exec.Command("go", "test", "-c", "-o", filepath.Join(dir, "lab.test"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	here(t, build)
	here(t, exec.Command(filepath.Join(dir, "skep"), "build", ".", "-o", filepath.Join(dir, "bundle")))
	here(t, exec.Command("./lab", "--suite", *suite, "images", filepath.Join(dir, "bundle")))
	if !*keep {
		if out, _ := machine("status").CombinedOutput(); !strings.Contains(string(out), "machine is down") {
			t.Fatalf("the virtual machine is up already: lab --vm down, or -keep to use it\n%s", out)
		}
		t.Cleanup(func() { here(t, machine("down")) })
	}
	t.Log(lastLine(here(t, machine("shell", "uname -sr"))))
	pack := exec.Command("tar", "-C", dir, "-c", "skep", "lab.test")
	unpack := machine("shell", "rm -rf test && tar -x --one-top-level=test")
	pipe(t, pack, unpack)

	began := time.Now()
	ctx := context.Background()
	if end, ok := t.Deadline(); ok {
		// Before go ends this test without any ceremony.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-2*time.Minute))
		defer cancel()
	}
	inner := machine("shell", "cd lab && ../test/lab.test "+quoted(flags()...))
	run := exec.CommandContext(ctx, inner.Path, inner.Args[1:]...)
	run.Stdout, run.Stderr, run.WaitDelay = t.Output(), t.Output(), time.Second
	err := run.Run()
	t.Logf("the test in the machine took %v", time.Since(began).Round(time.Second))
	if err != nil {
		t.Errorf("in the machine: %v", err)
	}
}

// flags returns what the test in the machine is told.
func flags() []string {
	parts, spare := flag.Lookup("test.run").Value.String(), *light
	if parts == "" {
		parts, spare = machineParts, true
	}
	return []string{
		"-test.v", "-test.timeout=0", "-test.run=" + parts, "-suite=" + *suite, "-kill=" + *kills, "-kernel=full", "-skep=/root/test/skep",
		fmt.Sprintf("-test.short=%v", testing.Short()), fmt.Sprintf("-keep=%v", *keep), fmt.Sprintf("-light=%v", spare), fmt.Sprintf("-patience=%d", emulated),
	}
}

// machine is the command lab --vm.
func machine(args ...string) *exec.Cmd {
	return exec.Command("./lab", append([]string{"--suite", *suite, "--vm"}, args...)...)
}

// here runs a command that must succeed, and returns what it printed.
func here(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// pipe runs two commands, the first into the second.
func pipe(t *testing.T, from, to *exec.Cmd) {
	t.Helper()
	var err error
	if to.Stdin, err = from.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := from.Start(); err != nil {
		t.Fatal(err)
	}
	here(t, to)
	if err := from.Wait(); err != nil {
		t.Fatal(err)
	}
}

// quoted returns words for a shell.
func quoted(words ...string) string {
	var b strings.Builder
	for _, word := range words {
		b.WriteString(" '" + strings.ReplaceAll(word, "'", `'\''`) + "'")
	}
	return b.String()
}
