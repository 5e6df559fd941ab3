package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/spec"
)

// users is the step of a user's stack, on a manager whose swarm is what the functions of the test say.
const users = `argument=app cluster=paris modes= agent=
stacks=(traefik app) users=(app) made=() foreign=('other network theirs -' 'app secret token_v3 -' 'app config site_v2 -' 'app network legacy -' 'app network bus_line stack-bus') adopted=''
source sh/steps/others.sh
source sh/steps/overlays.sh
source sh/steps/stack.sh
need_swarm() { :; }
tell_stays() { :; }
deployed() { :; }
wanted() { :; }
`

// A job is well when all of it is done; a service of no replicas is what its author wants, and a global one without a node
// is not.
func TestUsersJobs(t *testing.T) {
	for services, want := range map[string]string{
		"app_migrate|replicated job|0/1 (1/1 completed)": "",
		"app_sweep|global job|0/3 (3/3 completed)":       "",
		"app_migrate|replicated job|1/1 (0/1 completed)": "app_migrate has completed 0/1; ",
		"app_sweep|global job|1/3 (2/3 completed)":       "app_sweep has completed 2/3; ",
		"app_web|replicated|2/2":                         "",
		"app_web|replicated|2/2 (max 1 per node)":        "",
		"app_web|replicated|0/0":                         "",
		"app_web|replicated|1/2":                         "app_web has 1/2; ",
		"app_agent|global|0/0":                           "no node matches the placement of app_agent; ",
	} {
		out, err := shell(t, users+`ids() { echo id; }
docker() { case $*  in 'service ls '*) echo '`+services+`' ;; esac; }
xargs() { :; }
unsettled || true
printf '%s' "$trouble"
`)
		if err != nil || out != want {
			t.Errorf("%s: %v: got %q, want %q", services, err, out, want)
		}
	}
}

// A stack that somebody else deployed under the same name stays as it is until the operator says its name.
func TestUsersAdopt(t *testing.T) {
	const swarm = `ids() { echo id; }
docker() { case $* in 'service ls '*) echo 'app_web|replicated|1/1' ;; esac; }
`
	out, err := shell(t, users+swarm+"check\n")
	if err == nil || !strings.Contains(out, "the swarm has a stack app already, and this runbook did not deploy it\nto have the spec's in its place: runbook.sh run --adopt app;") {
		t.Errorf("%v: %s", err, out)
	}
	for name, more := range map[string]string{
		"adopted":   "adopted='x app'\n",
		"own stack": "users=()\n",
		"none":      "ids() { :; }\n",
	} {
		if out, err := shell(t, users+swarm+more+"check || exit $?\n"); strings.Contains(out, "already") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// Where an agent deploys the stacks, the step waits for it, changes nothing, and takes what it deployed for nobody else's.
func TestUsersAgent(t *testing.T) {
	const later = `agent=doco-cd skep_changes=0
ids() { ((SECONDS < 40)) || echo id; }
docker() {
	case $* in
	'service ls '*) ((SECONDS < 40)) || echo "app_web|replicated|$((SECONDS >= 50))/1" ;;
	'service ps '* | 'stack ps '* | 'network inspect '* | 'secret inspect '* | 'config inspect '*) ;;
	*) echo "changed: docker $*" ;;
	esac
}
xargs() { :; }
`
	out, err := shell(t, users+later+"check\napply\nverify\ncheck\n")
	if want := "would wait until doco-cd has deployed the stack app: it has no services\n"; err != nil || !strings.HasPrefix(out, want) {
		t.Errorf("%v: %s", err, out)
	}
	if strings.Contains(out, "changed: ") || strings.Count(out, "would ") != 1 {
		t.Errorf("it did more than wait:\n%s", out)
	}
	if out, err := shell(t, users+later+"ids() { :; }\nverify\n"); err == nil || !strings.Contains(out, "it has no services") {
		t.Errorf("%v: a stack that is not there: %s", err, out)
	}
}

// What somebody else makes is looked for before the deploy.
func TestUsersForeign(t *testing.T) {
	for missing, want := range map[string]string{
		"secret token_v3":  "the swarm has no secret token_v3, which the stack app expects there\nmake it, then run again\n",
		"config site_v2":   "the swarm has no config site_v2, which the stack app expects there\nmake it, then run again\n",
		"network bus_line": "the swarm has no network bus_line, which the stack app expects there\nthe step stack-bus makes it\n",
		"network legacy":   "the swarm has no network legacy, which the stack app expects there\nmake it, then run again\n",
		"network theirs":   "",
	} {
		kind, name, _ := strings.Cut(missing, " ")
		out, err := shell(t, users+`docker() { [[ "$1 $3" != '`+kind+" "+name+`' ]]; }
need_foreign
`)
		if out != want || (err == nil) != (want == "") {
			t.Errorf("%s: %v: got %q, want %q", missing, err, out, want)
		}
	}
}

// Users' stacks have one number: a step is then named by its id.
func TestUsersNumber(t *testing.T) {
	const table = `source sh/inventory.sh
die() { shift; printf '%s' "$*"; exit 2; }
steps=(s3 stack-a stack-b verify)
numbers=([s3]=81 [stack-a]=85 [stack-b]=85 [verify]=95)
`
	for name, want := range map[string]string{
		"81": "s3", "stack-b": "stack-b", "85-stack-b": "stack-b", "95-verify": "verify",
		"85": "--to 85: is the number of stack-a stack-b; name one of them", "82": "--to 82: no such step; see runbook.sh list",
	} {
		out, _ := shell(t, table+"step_named --to "+name+"\nprintf '%s' \"$found\"\n")
		if out != want {
			t.Errorf("%s: got %q, want %q", name, out, want)
		}
	}
}

// An update of a user's stack that fails leaves it this runbook's own: the next run goes on with it, and asks for no consent
// to take it over. A stack that was there before is asked about, once.
func TestLongUsersFailedUpdate(t *testing.T) {
	example, err := os.ReadFile("../../examples/target/cluster.cue")
	must(t, err)
	files := fstest.MapFS{
		"cluster.cue": {Data: example},
		"app.cue":     {Data: []byte("package cluster\n\ncluster: stacks: app: compose: [\"app.yaml\"]\n")},
		"app.yaml":    {Data: []byte("services:\n  one:\n    image: nginx:1.29.3\n")},
	}
	c, _, err := spec.LoadFS(files, ".", spec.DefaultLimits())
	must(t, err)
	share(c, "/var/lib/share", "any")
	s := settled(t, target(t))
	s.build(c)
	s.want(0, "run", "--yes", "--only", "images")
	stack := []string{"run", "--yes", "--only", "stack-app"}
	s.write("broken", "rollback_completed\n")
	s.want(1, stack...)
	s.remove("broken")
	if r := s.want(0, stack...); strings.Contains(r.stdout, "did not deploy it") {
		t.Errorf("after a failed update:\n%s", r.stdout)
	}
	if r := s.want(0, stack...); strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}
	must(t, os.Remove(s.fake+"/hosts/10.0.0.11/var/lib/skep/stacks/app"))
	if r := s.want(1, stack...); !strings.Contains(r.stdout, "runbook.sh run --adopt app") {
		t.Errorf("a stack of others:\n%s", r.stdout)
	}
	s.want(0, append(stack, "--adopt", "app")...)
	s.want(0, stack...)

	// A service of another mode goes before the deploy that makes it anew.
	s.write("mode", "global")
	before := len(s.calls())
	s.want(0, stack...)
	checkOrder(t, s.changes(before), []string{"docker service rm app_one", "stacks/app/compose.yaml app"})
	before = len(s.calls())
	s.want(0, stack...)
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run did %q", changes)
	}
}

// Docker does not change the mode of a service that is there, so the step makes it anew, and says so before.
func TestUsersMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "compose.yaml")
	must(t, os.WriteFile(file, []byte(`version: "3.8"
services:
  # mode: of nothing
  web:
    environment:
      mode: global
    deploy:
      replicas: 2
  "8080":
    command:
      - |
          deploy:
      - "mode: global"
    deploy:
      mode: global
  once:
    ports:
      - target: 80
        mode: host
    deploy:
      labels:
        mode: none
      mode: replicated-job
networks:
  net:
    deploy:
      mode: global
`), 0o644))
	const swarm = `docker() {
	case $* in
	'service ls '*) printf '%s\n' 'app_web|global|3/3' 'app_8080|global|3/3' 'app_once|replicated job|0/1 (1/1 completed)' 'app_gone|global|1/1' ;;
	'service inspect '*) echo '|' ;;
	esac
}
ids() { echo id; }
would() { printf "%s\n" "$*"; }
`
	out, err := shell(t, users+swarm+"modes_of '"+file+"'\nmodes=$(modes_of '"+file+"')\nturned\nadopted=app\nxargs() { :; }\ncheck || true\n")
	const told = "remove the service app_web and make it anew: Docker does not change the mode of one that is there"
	if want := "8080 global\nonce replicated-job\nweb replicated\napp_web\n"; err != nil || !strings.HasPrefix(out, want) || strings.Count(out, "make it anew") != 1 || !strings.Contains(out, told) {
		t.Errorf("%v: got %s, want it to begin with %s and to say %q", err, out, want, told)
	}
}
