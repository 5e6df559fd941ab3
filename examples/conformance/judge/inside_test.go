package judge_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
)

const insideVar = "SKEP_CONFORMANCE_INSIDE"

// TestInsideLeavesNothing starts a process inside that outlives its parent, and ends the test in each way.
func TestInsideLeavesNothing(t *testing.T) {
	switch os.Getenv(insideVar) {
	case "":
	case "outside":
		t.Fatal(judge.Inside("ip link set lo up", insideVar+"=inside"))
	default:
		if err := exec.Command("setsid", "--fork", "sleep", "600").Run(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("started")
		_, _ = io.Copy(io.Discard, os.Stdin)
		t.Fatal("a test that fails")
	}
	if !judge.Confines() {
		judge.Missing(t, "want unshare(1) from util-linux, and root or user namespaces")
	}
	for name, end := range map[string]func(*exec.Cmd, io.Closer) error{
		"fails":  func(_ *exec.Cmd, in io.Closer) error { return in.Close() },
		"killed": func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self, "-test.run=^TestInsideLeavesNothing$")
			cmd.Env = append(os.Environ(), insideVar+"=outside")
			in, inErr := cmd.StdinPipe()
			out, outErr := cmd.StdoutPipe()
			// As long as anything inside lives, this pipe is open.
			alive, held, pipeErr := os.Pipe()
			if inErr != nil || outErr != nil || pipeErr != nil {
				t.Fatal(inErr, outErr, pipeErr)
			}
			cmd.ExtraFiles = []*os.File{held}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = held.Close()
			if _, err := io.ReadFull(out, make([]byte, len("started\n"))); err != nil {
				t.Fatal(err)
			}
			if err := end(cmd, in); err != nil {
				t.Fatal(err)
			}
			// Not cmd.Wait, which would close the test's input: one that is killed must not depend on that.
			if state, err := cmd.Process.Wait(); err != nil || state.Success() {
				t.Error("the failure inside is none outside")
			}
			if err := alive.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := alive.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("what the test started lives on: %v", err)
			}
		})
	}
}
