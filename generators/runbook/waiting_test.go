package runbook_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// shell runs a program of the runbook's own functions, with a clock that only sleep moves.
func shell(t *testing.T, program string) (string, error) {
	t.Helper()
	const clock = `set -euo pipefail
source sh/lib.sh
sleep() { SECONDS=$((SECONDS + $1)); }
`
	out, err := exec.Command("bash", "-c", clock+program).CombinedOutput()
	return string(out), err
}

// Whoever waits says for what: not at once, then every half minute.
func TestWaiting(t *testing.T) {
	out, err := shell(t, `wait_for 9 'what comes soon' false || true
wait_for 75 'the moon' false || true
`)
	if want := "timed out waiting for what comes soon\n" + strings.Repeat("wait: the moon\n", 3) + "timed out waiting for the moon\n"; err != nil || out != want {
		t.Errorf("%v: got:\n%swant:\n%s", err, out, want)
	}
}

// What a step sorts and compares is the same for every operator: ssh may send along the language of their machine.
func TestLanguage(t *testing.T) {
	t.Setenv("LC_ALL", "POSIX")
	if out, err := shell(t, "bash -c 'echo $LC_ALL'\n"); err != nil || out != "C\n" {
		t.Errorf("%v: a step's programs speak %s", err, out)
	}
}

// A stack's wait says which service is missing. A task that dies again and again ends it, with the cause and without an ID;
// what died before the deploy does not count, nor do tasks in different places.
func TestDying(t *testing.T) {
	const stack = `argument=hello
source sh/steps/stack.sh
unsettled() { trouble='hello_web has 1/3; '; return 1; }
docker() {
	local i
	[[ $* == *'{{.ID}}'* ]] || return 0
	printf 'old%s|hello_web.1|Failed 2 days ago|of yesterday\n' 1 2 3 4 5
	for ((i = 0; i < SECONDS / every; i++)); do
		printf 't%s|hello_%s|Failed %s seconds ago|%s\n' "$i" "$(place "$i")" "$i" "${dies_of:-\"task: non-zero exit (3)\"}"
	done
	printf 'run|hello_web.2|Running 3 seconds ago|\n'
}
bury
`
	for name, test := range map[string]struct{ deaths, want string }{
		"one place": {"every=15\nplace() { echo web.1; }\n", "wait: the stack hello: hello_web has 1/3\nwait: the stack hello: hello_web has 1/3\n" +
			`hello_web keeps dying, \d times by now: "task: non-zero exit \(3\)"` + "\ndocker service logs hello_web shows its own words; fix the cause, then run again\n"},
		"old overlay": {"every=15\nplace() { echo web.1; }\ndies_of='error creating vxlan interface: file exists'\n",
			"hello_web keeps dying, \\d times by now: error creating vxlan interface: file exists\nan old fault of the engine: on that node systemctl stop docker"},
		"every node": {"every=15\nplace() { echo agent.abcdefghijklmnopqrstuvwxy; }\n", "hello_agent keeps dying, "},
		"all places": {"every=60\nplace() { echo \"web.$1\"; }\n", "after 600s hello_web has 1/3\n"},
		"in a hurry": {"every=1\nplace() { echo web.1; }\n", "wait: the stack hello: hello_web has 1/3\nwait: the stack hello: hello_web has 1/3\nhello_web keeps dying"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := shell(t, test.deaths+stack+"converge\n")
			if err == nil || !regexp.MustCompile(test.want).MatchString(out) || strings.Contains(out, "abcdef") {
				t.Errorf("%v:\n%s\nwant:\n%s", err, out, test.want)
			}
		})
	}
}
