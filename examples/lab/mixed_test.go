package lab

import (
	"slices"
	"strings"
	"testing"
)

// TestMixed builds a cluster whose manager has Debian's engine and whose workers have the one of -engine, as a cluster is
// while its engines are renewed. Then the manager gets it, too.
func TestMixed(t *testing.T) {
	if *engine == "" {
		t.Skip("all nodes have the same engine; go test -run TestMixed -suite trixie -engine 29 builds another one")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to mix engines")
	}
	l := prepared(t)
	l.told = append(l.told, "--engine", "m1=debian")
	l.raise(t)
	_ = l.part(t, "deploy", deploy) &&
		l.part(t, "mixed", func(t *testing.T, l *lab) { l.versions(t, "w1", "w2"); serves(t, l) }) &&
		(testing.Short() || l.part(t, "silence", silences)) &&
		l.part(t, "renewed", renewed)
}

// renewed gives the manager the engine that the workers have.
func renewed(t *testing.T, l *lab) {
	before := l.state(t)
	l.told = []string{"--engine", *engine}
	l.do(t, "stop", "m1")
	l.do(t, "start", "m1")
	l.whole(t)
	l.versions(t, l.nodes(t)...)
	l.sameState(t, before)
	serves(t, l)
}

// versions wants these nodes to have the engine of -engine, and no other one.
func (l *lab) versions(t *testing.T, nodes ...string) {
	t.Helper()
	for line := range strings.Lines(l.on(t, "m1", "docker node ls --format '{{.Hostname}} {{.EngineVersion}}'")) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.Logf("%s has engine %s", name, version)
		if other := strings.HasPrefix(version, *engine+"."); other != slices.Contains(nodes, name) {
			t.Errorf("%s has engine %s; those with %s should be %v", name, version, *engine, nodes)
		}
	}
}

// serves wants the swarm as the bundle has it, a run to have nothing to do, and all services to be there for everybody.
func serves(t *testing.T, l *lab) {
	swarm(t, l)
	secondRun(t, l)
	everyName(t, l)
	targets(t, l)
	pages(t, l)
	arrivals(t, l)
	firewall(t, l)
}
