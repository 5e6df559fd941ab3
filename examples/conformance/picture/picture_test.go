// Package picture_test judges each bundle's topology.svg: a renderer draws it, and what it shows is what the rules do.
package picture_test

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

func TestExamples(t *testing.T) {
	for _, bundle := range judge.Bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			c := judge.Spec(t, bundle)
			data, err := os.ReadFile(filepath.Join(bundle, "topology.svg"))
			if err != nil {
				t.Fatal(err)
			}
			files, err := firewall.Files(c)
			if err != nil {
				t.Fatal(err)
			}
			shown := read(t, data)
			shown.compare(t, c, files)
			shown.rendered(t, data)
		})
	}
}

// TestSpecs judges what no example has: see testdata.
func TestSpecs(t *testing.T) {
	specs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(specs) == 0 {
		t.Fatal(specs, err)
	}
	for _, spec := range specs {
		t.Run(filepath.Base(spec), func(t *testing.T) {
			text, err := os.ReadFile(spec)
			if err != nil {
				t.Fatal(err)
			}
			judged(t, string(text))
		})
	}
}

// TestManyNodes: the picture grows with the classes of nodes, and counts their nodes as people do.
func TestManyNodes(t *testing.T) {
	var nodes strings.Builder
	for i := range 400 {
		role := map[bool]string{true: "manager", false: "worker"}[i < 5]
		fmt.Fprintf(&nodes, "  n%d: {address: 10.0.%d.%d, role: %s}\n", i, i/200, i%200+1, role)
	}
	p, text := judged(t, "name: many\nkind: target\ndomain: many.example.org\nnodes:\n"+nodes.String()+`
access: {management: [192.0.2.0/28], nuvla: [203.0.113.10/32], users: [0.0.0.0/0]}
services: {traefik: {nodes: [n10, n9, n100], certificate: {selfSigned: {}}}, monitoring: {node: n200}}
`)
	if p.height > 1300 {
		t.Errorf("400 nodes of three classes are drawn %d pixels high", p.height)
	}
	at := 0
	for _, want := range []string{"n0 10.0.0.1", "n4 10.0.0.5", "n5 10.0.0.6", "n200 10.0.1.1 monitoring", "and 388 more, up to n399", "n9 10.0.0.10 traefik", "n10 10.0.0.11 traefik", "n100 10.0.0.101 traefik"} {
		next := strings.Index(text[at:], want+"\n")
		if next < 0 {
			t.Fatalf("%q is not drawn, or not below what stands before it:\n%s", want, text)
		}
		at += next
	}
}

// judged compiles a spec in YAML, judges its picture and returns it, with its texts line by line.
func judged(t *testing.T, text string) (picture, string) {
	t.Helper()
	c := judge.Cluster(t, text)
	files, err := generators.Generate(c)
	if err != nil {
		t.Fatal(err)
	}
	data := files[slices.IndexFunc(files, func(f artifact.File) bool { return f.Path == "topology.svg" })].Data
	p := read(t, data)
	p.compare(t, c, files)
	p.rendered(t, data)
	return p, regexp.MustCompile(`<[^>]*>`).ReplaceAllString(strings.ReplaceAll(string(data), "</tspan><tspan", " <"), "")
}

// compare asks the rules for every port that a picture or a row could tell apart: what is drawn is open, and nothing else.
func (p picture) compare(t *testing.T, c *schema.Cluster, files []artifact.File) {
	t.Helper()
	rules, err := firewall.Simulate(c, files)
	if err != nil {
		t.Fatal(err)
	}
	classes := firewall.Classes(c)
	if len(classes) != len(p.lanes) {
		t.Fatalf("%d lanes, %d classes of nodes", len(p.lanes), len(classes))
	}
	var public []string
	for _, n := range c.Nodes {
		public = append(public, n.Public.String())
	}
	for _, l := range p.lines {
		if slices.Contains(schema.AccessZones(), l.zone) && len(c.Zone(l.zone)) == 0 {
			t.Errorf("%v is drawn as open to %s, where nobody is", l.ports, l.zone)
		}
	}
	asked := 0
	for _, class := range classes {
		for _, from := range schema.Zones() {
			for _, ask := range p.questions(c) {
				for _, a := range rules.Ask(from, class.Nodes[0], ask.proto, ask.port) {
					zones := append(rules.Zones(a.Packet.Src), "anyone")
					if slices.Contains(public, a.Packet.Src.String()) {
						zones = append(zones, "public")
					}
					if from == schema.Containers {
						zones = slices.DeleteFunc(append(zones, from), func(zone string) bool { return zone != from && (zone != "users" || !p.inside) })
					}
					if drawn := p.shows(class.Name, zones, ask); drawn != a.Verdict.Allow {
						t.Errorf("%s: drawn %v, but %s", class.Name, drawn, a)
					}
					asked++
				}
			}
		}
	}
	p.comparePasses(t, c, rules)
	if asked < 100 {
		t.Errorf("the rules were asked %d questions only", asked)
	}
}

// comparePasses sends a packet through each class of nodes for each line of what they pass on. Its port is one that no node
// has: clients of the VPN reach nodes at what is open to their zone only.
func (p picture) comparePasses(t *testing.T, c *schema.Cluster, rules *proof.Simulator) {
	t.Helper()
	if want := len(c.Firewall.Forward) > 0 || c.Mesh() != nil || c.VPNAccess() != nil; want != (len(p.passes) > 0) {
		t.Errorf("%d lines of what is passed on", len(p.passes))
	}
	inside := func(network string) string { // an address of it that no node has
		if n, err := netip.ParsePrefix(network); err == nil && n.IsSingleIP() {
			return n.Addr().String()
		} else if err == nil {
			return n.Addr().Next().Next().Next().String()
		}
		return network
	}
	for _, pass := range p.passes {
		to := inside(pass.to)
		if pass.to == pass.from { // within the mesh
			to = netip.MustParseAddr(to).Next().String()
		}
		for _, class := range firewall.Classes(c) {
			drawn := slices.Contains(pass.classes, class.Name)
			answers := rules.AskThrough(class.Nodes[0], inside(pass.from), to, "tcp", 7)
			if len(answers) == 0 {
				t.Errorf("nobody asks through %s from %s to %s", class.Name, pass.from, pass.to)
			}
			for _, a := range answers {
				if drawn != a.Verdict.Allow {
					t.Errorf("%s passes on from %s to %s: drawn %v, but %s", class.Name, pass.from, pass.to, drawn, a)
				}
			}
		}
	}
}

// questions are each protocol's ports at which a row or a line of the picture begins or ends, and their neighbours.
func (p picture) questions(c *schema.Cluster) []question {
	var ports []uint16
	out := []question{}
	around := func(r schema.PortRange) {
		ports = append(ports, r.First-1, r.First, r.First+1, r.Last-1, r.Last, r.Last+1)
	}
	for _, e := range c.Exposures {
		if !schema.HasPorts(e.Proto) {
			out = append(out, question{proto: e.Proto})
			continue
		}
		around(e.Range())
	}
	for _, l := range p.lines {
		for _, ranges := range l.ports {
			for _, r := range ranges {
				around(r)
			}
		}
	}
	slices.Sort(ports)
	for _, port := range slices.Compact(ports) {
		if port != 0 {
			out = append(out, question{"tcp", port}, question{"udp", port})
		}
	}
	return out
}

// rendered wants the picture to be drawn by a real renderer, with every text inside of its column.
func (p picture) rendered(t *testing.T, data []byte) {
	t.Helper()
	cmd := exec.Command(judge.Tool(t, "rsvg-convert", "librsvg2-bin"))
	cmd.Stdin = bytes.NewReader(data)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	drawn, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if drawn.Bounds().Dx() != p.width || drawn.Bounds().Dy() != p.height {
		t.Fatalf("a picture of %v, want %d x %d", drawn.Bounds(), p.width, p.height)
	}
	blank := func(x, y int) bool {
		here := color.RGBAModel.Convert(drawn.At(x, y))
		return slices.Contains([]color.Color{color.RGBA{255, 255, 255, 255}, color.RGBA{0xf6, 0xf8, 0xfa, 255}}, here)
	}
	for y := range p.height {
		for _, x := range []int{2, p.width - 2} {
			if !blank(x, y) {
				t.Fatalf("something is drawn at %d, %d, in the margin", x, y)
			}
		}
	}
	if blank(p.dots[0].x, p.dots[0].y) {
		t.Error("no dot is drawn where the first one should be")
	}
	for _, b := range p.bands {
		for y := b.y + 1; y < b.y+b.height-1; y++ {
			for _, x := range p.gutters(b) {
				if !blank(x, y) {
					t.Fatalf("something is drawn at %d, %d, between the columns of zone %s", x, y, b.zone)
				}
			}
		}
	}
}
