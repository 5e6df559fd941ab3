package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

const (
	makesBus = "services:\n  one:\n    image: bus:1.0\n    networks: [line]\nnetworks:\n  line:\n"
	usesBus  = "services:\n  one:\n    image: shop:1.0\n    networks: [line]\nnetworks:\n  line: {external: true}\n"
	noBus    = "services:\n  one:\n    image: shop:1.0\n"
)

// stacked is the example target with stacks of one Compose file each: what the spec says of them, and the files by name.
func stacked(t *testing.T, said string, files map[string]string) *schema.Cluster {
	t.Helper()
	example, err := os.ReadFile("../../examples/target/cluster.cue")
	must(t, err)
	tree := fstest.MapFS{"cluster.cue": {Data: example}, "stacks.cue": {Data: []byte("package cluster\n\ncluster: {\n" + said + "\n}\n")}}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	c, _, err := spec.LoadFS(tree, ".", spec.DefaultLimits())
	must(t, err)
	share(c, "/var/lib/share", "any")
	return c
}

const (
	sharedBus = `stacks: bus: compose: ["bus.yaml"]
stacks: shop: {compose: ["shop.yaml"], networks: line: {stack: "bus", network: "line"}}`
	keptBus = `stacks: shop: {compose: ["shop.yaml"], networks: line: name: "bus_line"}`
)

// hasBus reports whether the network of the stack bus is in the swarm.
func hasBus(s *sandbox) bool {
	_, err := os.Stat(filepath.Join(s.fake, "swarm/networks/bus_line"))
	return err == nil
}

// A stack that makes a network for another is deployed before it and removed after it.
func TestLongSharedNetwork(t *testing.T) {
	files := map[string]string{"bus.yaml": makesBus, "shop.yaml": usesBus}
	s := settled(t, target(t))
	s.build(stacked(t, sharedBus, files))
	s.want(0, "run", "--yes", "--only", "images")
	both := []string{"run", "--yes", "--only", "stack-shop", "--only", "stack-bus", "--only", "cleanup"}
	if r := s.want(1, "run", "--yes", "--only", "stack-shop"); !strings.Contains(r.stdout, "the swarm has no network bus_line") || !strings.Contains(r.stdout, "the step stack-bus makes it") {
		t.Errorf("alone:\n%s", r.stdout)
	}
	before := len(s.calls())
	s.want(0, both...)
	checkOrder(t, s.changes(before), []string{"stacks/bus/compose.yaml bus", "stacks/shop/compose.yaml shop"})
	if r := s.want(0, both...); strings.Contains(r.stdout, " DONE ") || strings.Contains(r.stdout, "note: ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}
	before = len(s.calls())
	s.want(0, "undo", "--yes", "--only", "stack-shop", "--only", "stack-bus")
	checkOrder(t, s.changes(before), []string{"stack rm shop", "stack rm bus"})
	if hasBus(s) {
		t.Error("the network is still there")
	}
}

// The stack with the network leaves the spec while the other goes on without it, or on it; or both leave at once.
func TestLongSharedNetworkLeaves(t *testing.T) {
	files := map[string]string{"bus.yaml": makesBus, "shop.yaml": usesBus, "alone.yaml": noBus}
	const shopAlone = `stacks: shop: compose: ["alone.yaml"]`
	const held = "the stack bus is gone but for its networks, which shop_one use"
	s := settled(t, target(t))
	s.build(stacked(t, sharedBus, files))
	s.want(0, "run", "--yes", "--only", "images")
	for _, then := range []struct {
		said string
		kept bool
	}{
		{shopAlone, false}, {sharedBus, true}, {keptBus, true}, {shopAlone, false}, {sharedBus, true}, {"", false},
	} {
		s.build(stacked(t, then.said, files))
		steps := []string{"run", "--yes", "--only", "cleanup"}
		for _, name := range []string{"bus", "shop"} {
			if strings.Contains(then.said, "stacks: "+name) {
				steps = append(steps, "--only", "stack-"+name)
			}
		}
		told := then.said == keptBus
		r := s.want(0, steps...)
		_, err := os.Stat(filepath.Join(s.fake, "swarm/services/bus"))
		if hasBus(s) != then.kept || (err == nil) != (then.said == sharedBus) || strings.Contains(r.stdout, held) != told {
			t.Errorf("%s: network there: %v, services: %v\n%s", then.said, hasBus(s), err == nil, r.stdout)
		}
		before := len(s.calls())
		if r := s.want(0, steps...); len(s.changes(before)) > 0 || strings.Contains(r.stdout, held) != told {
			t.Errorf("%s: the second run changed %v\n%s", then.said, s.changes(before), r.stdout)
		}
	}
}

// Docker never changes a network that is there: one that is to have other settings stops the run, dry or not, before anything
// is changed. With another name the run goes through.
func TestLongChangedNetwork(t *testing.T) {
	files := map[string]string{"bus.yaml": makesBus, "shop.yaml": usesBus}
	s := settled(t, target(t))
	s.build(stacked(t, sharedBus, files))
	s.want(0, "run", "--yes", "--only", "images")
	steps := []string{"--only", "stack-bus", "--only", "stack-shop"}
	s.want(0, append([]string{"run", "--yes"}, steps...)...)
	s.build(stacked(t, sharedBus, map[string]string{"bus.yaml": makesBus + "    attachable: true\n", "shop.yaml": usesBus}))
	before := len(s.calls())
	for _, how := range []string{"--dry-run", "--yes"} {
		r := s.want(1, append([]string{"run", how}, steps...)...)
		for _, text := range []string{
			"the network bus_line of the stack bus is to have other settings, and Docker changes none that is there",
			"it is:   overlay swarm false false false 1500\n", "want:    overlay swarm true false false 1500 ", "runbook.sh undo --only stack-bus --only stack-shop, which",
		} {
			if !strings.Contains(r.stdout, text) {
				t.Errorf("%s does not say %q:\n%s", how, text, r.stdout)
			}
		}
	}
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the run changed %q", changes)
	}
	named := map[string]string{"bus.yaml": makesBus + "    attachable: true\n    name: track\n", "shop.yaml": usesBus}
	s.build(stacked(t, sharedBus, named))
	s.want(0, append([]string{"run", "--yes"}, steps...)...)

	// The network with the former name goes when nothing uses it.
	s.build(stacked(t, sharedBus, map[string]string{"bus.yaml": makesBus + "    name: track\n", "shop.yaml": usesBus}))
	steps = append(steps, "--only", "cleanup")
	if r := s.want(0, append([]string{"run", "--yes"}, steps...)...); hasBus(s) {
		t.Errorf("the former network stays:\n%s", r.stdout)
	}
	if _, err := os.Stat(filepath.Join(s.fake, "swarm/networks/track")); err != nil {
		t.Error("the network of today is gone")
	}
	before = len(s.calls())
	s.want(0, append([]string{"run", "--yes"}, steps...)...)
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run did %q", changes)
	}
}

// What is compared of a network, and what a stack's row wants of it.
func TestNetworkSettings(t *testing.T) {
	const there = "overlay swarm false false|encrypted=;com.docker.network.driver.mtu=1400;|10.9.0.0/24 10.8.0.0/24"
	for _, test := range []struct {
		there, row string
		differs    bool
	}{
		{"overlay swarm false false||10.224.4.0/22", "false false false - -", false},
		{"overlay swarm false false||10.224.4.0/22", "true false false - -", true},
		{"overlay swarm false false||10.224.4.0/22", "false true false - -", true},
		{"overlay swarm false false||10.224.4.0/22", "false false true - -", true},
		{"overlay swarm false false||10.224.4.0/22", "false false false 1500 -", false},
		{"overlay swarm false false||10.224.4.0/22", "false false false 1400 -", true},
		{"overlay swarm false false||10.224.4.0/22", "false false false - 10.224.4.0/22", false},
		{"overlay swarm false false||10.224.4.0/22", "false false false - 10.9.0.0/24", true},
		{"bridge local false false||172.20.0.0/24", "false false false - -", true},
		{there, "false false true 1400 10.8.0.0/24,10.9.0.0/24", false},
		{there, "false false true 1400 -", false},
		{there, "false false true - 10.8.0.0/24,10.9.0.0/24", true},
		{there, "false false true 1400 10.8.0.0/24", true},
	} {
		parts := strings.Split(test.there, "|")
		out, err := shell(t, users+`docker() {
	case $* in
	*.Options*) echo '`+parts[1]+`' ;;
	*IPAM*) printf '%s\n' `+parts[2]+` '' ;;
	*--format*) echo '`+parts[0]+`' ;;
	esac
}
made=('other app_net true true true - -' 'app app_net `+test.row+`')
need_same
`)
		if refused := err != nil; refused != test.differs || refused != strings.Contains(out, "Docker changes none that is there") {
			t.Errorf("%s, wanted %s: %v: %s", test.there, test.row, err, out)
		}
	}
	if out, err := shell(t, users+"docker() { return 1; }\nmade=('app app_net true false false - -')\nneed_same\n"); err != nil {
		t.Errorf("a network that is not there: %v: %s", err, out)
	}
}
