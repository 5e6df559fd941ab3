package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// deploy builds the bundle with the real command, makes its images and runs its runbook.
func deploy(t *testing.T, l *lab) {
	l.compile(t)
	l.build(t)
	out := l.do(t, "images", l.bundle)
	l.images = lastLine(out)
	if !*light {
		t.Logf("grafana/grafana and ghcr.io/google/cadvisor are stand-ins: they answer, and do nothing else")
	}
	t.Log(strings.TrimSpace(out))
	if *kernel == "full" {
		l.slacken(t)
	}
	o := l.run(t)
	t.Log(lastLine(o.text))
	if *light && !testing.Short() {
		l.lighten(t)
	}
}

// compile builds the command skep from this checkout, unless the test was given one.
func (l *lab) compile(t *testing.T) {
	t.Helper()
	if *command != "" {
		l.skep = *command
		return
	}
	buildSkep(t, l.skep)
}

func buildSkep(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-C", "../..", "-o", path, "./cmd/skep")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// swarm compares the swarm with the files of the bundle.
func swarm(t *testing.T, l *lab) {
	for line := range strings.Lines(read(t, filepath.Join(l.bundle, "runbook/hosts"))) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, address, role, duties, labels := f[0], f[1], f[3], strings.TrimPrefix(f[7], "-"), strings.TrimPrefix(f[8], "-")
		want := []string{"skep.node=" + name}
		for duty := range strings.FieldsSeq(duties) {
			want = append(want, "skep."+duty+"=true")
		}
		if labels != "" {
			want = append(want, strings.Split(labels, ",")...)
		}
		slices.Sort(want)
		got := l.on(t, "m1", "docker node inspect "+name+" --format '{{.Status.State}} {{.Status.Addr}} {{.Spec.Role}}'")
		if got != "ready "+address+" "+role {
			t.Errorf("%s is %q", name, got)
		}
		got = l.on(t, "m1", "docker node inspect "+name+" --format '{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}} {{end}}'")
		if !slices.Equal(sorted(got), want) {
			t.Errorf("%s has the labels %s, want %s", name, got, want)
		}
	}
	// What a rollback of a service would need stays.
	rollback := sorted(l.on(t, "m1", `docker service ls -q | xargs -r docker service inspect --format '{{with .PreviousSpec}}
		{{range .TaskTemplate.ContainerSpec.Configs}}{{.ConfigName}} {{end}}{{range .TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{end}}{{end}}'`))
	for kind, pattern := range map[string]string{
		// Names of objects stand two levels deep below the kind, services' own names have a file or a target.
		"network": `(?m)^  (?:skep-api|skep-monitoring|traefik-public):\n    name: (\S+)$`,
		"secret":  `(?m)^    name: (\S+-r\d+)$`,
		"config":  `(?m)^    name: (\S+-[0-9a-f]{12})$`,
	} {
		filter := map[string]string{"network": " --filter label=skep.cluster", "secret": "", "config": ""}[kind]
		got := sorted(l.on(t, "m1", "docker "+kind+" ls"+filter+" --format '{{.Name}}'"))
		want := l.named(t, pattern)
		if *light && kind == "network" {
			want = []string{"traefik-public"} // for stacks of users
		}
		got = slices.DeleteFunc(got, func(name string) bool { return !slices.Contains(want, name) && slices.Contains(rollback, name) })
		if !slices.Equal(got, want) {
			t.Errorf("%ss %v, want %v", kind, got, want)
		}
	}
	l.converged(t)
	if l.first == "" {
		l.first = l.state(t)
	}
}

// stacks returns the paths of the bundle's stack files. With -light there are none.
func (l *lab) stacks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(l.bundle, "stacks/*/compose.yaml"))
	if err != nil || (len(files) == 0) != *light {
		t.Fatalf("%s has %d stacks: %v", l.bundle, len(files), err)
	}
	return files
}

// named returns what a pattern finds in the bundle's stack files.
func (l *lab) named(t *testing.T, pattern string) []string {
	t.Helper()
	var out []string
	for _, file := range l.stacks(t) {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, file), -1) {
			out = append(out, match[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// services returns the names of the bundle's services: STACK_SERVICE.
func (l *lab) services(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, file := range l.stacks(t) {
		section := regexp.MustCompile(`(?m)^services:\n((?: .*\n)+)`).FindStringSubmatch(read(t, file))
		if section == nil {
			t.Fatalf("%s has no services", file)
		}
		for _, match := range regexp.MustCompile(`(?m)^  ([a-z0-9-]+):$`).FindAllStringSubmatch(section[1], -1) {
			out = append(out, filepath.Base(filepath.Dir(file))+"_"+match[1])
		}
	}
	slices.Sort(out)
	return out
}

// converged wants the services of the bundle and no other, and each to have all its tasks.
func (l *lab) converged(t *testing.T) {
	t.Helper()
	var got []string
	out := l.on(t, "m1", "docker service ls --format '{{.Name}} {{.Replicas}}'")
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		got = append(got, f[0])
		have, want, _ := strings.Cut(f[1], "/")
		if have != want || want == "0" {
			t.Errorf("service %s has %s tasks", f[0], f[1])
		}
	}
	slices.Sort(got)
	if want := l.services(t); !slices.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
}

// state is the whole cluster as text that two runs over equal machines must agree on: names, settings and sums of
// files, no times and no identifiers.
func (l *lab) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(l.on(t, "m1", `
		for node in $(docker node ls --format '{{.Hostname}}' | sort); do
			docker node inspect "$node" --format '{{.Description.Hostname}} {{.Status.State}} {{.Spec.Availability}} {{.Spec.Role}} {{.Spec.Labels}}'
		done
		docker network ls --filter label=skep.cluster --format '{{.Name}} {{.Driver}} {{.Scope}}' | sort
		docker secret ls --format '{{.Name}}' | sort
		docker config ls --format '{{.Name}}' | sort
		docker service ls --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}}' | sort`))
	for _, node := range l.nodes(t) {
		b.WriteString("\n" + node + "\n" + l.on(t, node, `
			find /etc/skep /etc/docker/daemon.json /etc/systemd/system/skep* /etc/systemd/system/docker.service.d /etc/sysctl.d/90-skep.conf \
				/etc/exports.d /etc/nfs.conf.d /usr/local/sbin/skep-firewall -type f -not -path '*/secrets/*' \
				-exec sha256sum {} + 2>/dev/null | sort -k 2
			ls /etc/skep/secrets 2>/dev/null
			`+ruleset+` | sha256sum
			swarm=$(docker info --format '{{.Swarm.LocalNodeState}}'); echo "$swarm"
			systemctl is-enabled docker skep-firewall; systemctl is-active docker ssh`))
	}
	return b.String()
}

// ruleset prints the firewall of a node, without what has been counted, and who is connected.
const ruleset = "nft --stateless list table inet skep | sed 's/counter packets.*drop/counter drop/; / ct count over /d'"

// sameState compares the cluster with what it was.
func (l *lab) sameState(t *testing.T, want string) {
	t.Helper()
	if got := l.state(t); got != want {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "want"), want)
		write(t, filepath.Join(dir, "got"), got)
		out, _ := exec.Command("diff", "-u", filepath.Join(dir, "want"), filepath.Join(dir, "got")).CombinedOutput()
		t.Errorf("the cluster is not what it was:\n%s", out)
	}
}

// operatorFile reads a file of the runbook's state directory.
func (l *lab) operatorFile(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{l.bundle + ".state"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
