package review

import (
	"fmt"
	"slices"
	"strings"

	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// Measures of the picture, in pixels.
const (
	margin     = 24
	zoneWidth  = 250 // of the text about a zone
	laneLeft   = margin + 14 + zoneWidth + 20
	lanePitch  = 26
	portsWidth = 168
	whyWidth   = 372
	textGap    = 16 // between the lanes and the text
	lineHeight = 18
	wordGap    = 8 // between words of different classes
	padding    = 9 // of a band
	bandGap    = 8
)

// topology draws who may reach what: a band for each zone, in it a line for each port, a lane through all of them for each
// class of nodes, and a dot where the zone may connect. It grows with the classes of nodes and the ports, not with the nodes.
func topology(c *schema.Cluster) string {
	p := newPicture(c)
	p.head()
	for _, b := range p.bands() {
		p.band(b)
	}
	p.foot()
	return p.file(c.Name+": who may reach what", styles(c), p.width, p.y+margin)
}

// picture is what has been drawn, down to y.
type picture struct {
	drawing
	cluster         *schema.Cluster
	classes         []firewall.Class
	opens           []map[string]bool   // by class: the names of its exposures
	ports           *proof.Simulator    // of which none is asked about packets: it knows the pieces of ranges
	duties          map[string][]string // by node
	textLeft, width int
	y               int
}

func newPicture(c *schema.Cluster) *picture {
	p := &picture{cluster: c, classes: firewall.Classes(c), ports: proof.NewSimulator(c, nil), duties: map[string][]string{}}
	for _, d := range c.Rows.Duties {
		for _, node := range d.Nodes {
			p.duties[node] = append(p.duties[node], d.Name)
		}
	}
	slices.SortStableFunc(p.classes, func(a, b firewall.Class) int { return natural(a.Name, b.Name) })
	for _, class := range p.classes {
		names := map[string]bool{}
		for _, e := range class.Exposures {
			names[e.Name] = true
		}
		p.opens = append(p.opens, names)
	}
	p.textLeft = laneLeft + len(p.classes)*lanePitch + textGap
	p.width = p.textLeft + portsWidth + whyWidth + margin
	return p
}

// head draws the cluster's name, then the classes: from each a lane leads down, and none crosses another.
func (p *picture) head() {
	c := p.cluster
	title := filled(p.width-2*margin, span{class: "title", text: c.Name}, span{class: "quiet", text: c.Domain})
	p.text(margin, margin-6, append(title, filled(p.width, words("", fmt.Sprintf("Who may reach what: %s, %s",
		count(len(c.Managers()), "manager"), count(len(c.Nodes)-len(c.Managers()), "worker")))...)...))
	p.y = margin + (len(title)+2)*lineHeight

	legend := p.legend()
	blocks := make([][]line, len(p.classes))
	height := 0
	for i, class := range p.classes {
		blocks[i] = p.nodes(class)
		height += len(blocks[i])*lineHeight + bandGap
	}
	height = max(height, legend)
	at := 0
	for i, b := range blocks {
		p.group("class", 0, p.y+at)
		p.path("lane", fmt.Sprintf("M%d 10H%dq-8 0-8 8V%d", p.textLeft-6, p.lane(i)+8, height-at))
		p.text(p.textLeft, -4, b)
		p.end()
		at += len(b)*lineHeight + bandGap
	}
	p.y += height + bandGap
}

// legend draws what the signs mean, and returns how high that is.
func (p *picture) legend() int {
	const (
		sign   = 6
		indent = 22
	)
	signs := []line{{{class: "quiet", text: "the zone may connect"}}, {{class: "quiet", text: "it may not"}}}
	about := filled(zoneWidth+14, words("quiet", "A lane is a class of nodes: they have the same rules. What runs on a node is in bold.")...)
	p.group("others", margin, p.y)
	p.path("lane", fmt.Sprintf("M%d 0v%d", sign, 2*lineHeight+2))
	p.path("dots", fmt.Sprintf("M%d %dh0", sign, lineHeight/2+1))
	p.text(indent, -4, signs)
	p.text(0, len(signs)*lineHeight+2, about)
	p.end()
	return (len(signs)+len(about))*lineHeight + bandGap
}

// lane is where the lane of a class is.
func (p *picture) lane(i int) int { return laneLeft + lanePitch/2 + i*lanePitch }

// most nodes of a class that are named; of more there are the first few, and those that the spec chose for something.
const (
	most  = 8
	first = 3
)

// nodes says what the nodes of a class are called, where they are, and what runs on them.
func (p *picture) nodes(class firewall.Class) []line {
	const width = portsWidth + whyWidth
	out := filled(width, append(words("name", class.Name), span{class: "quiet", text: count(len(class.Nodes), "node")})...)
	names := slices.SortedFunc(slices.Values(class.Nodes), natural)
	left := 0
	for i, name := range names {
		duties := p.duties[name]
		if len(names) > most && i >= first && len(duties) == 0 {
			left++
			continue
		}
		node := []span{{text: name}}
		for _, a := range p.addresses(p.cluster.Node(name)) {
			node = append(node, span{class: "quiet", text: a.what, leads: true}, span{class: "code", text: a.address})
		}
		out = append(out, filled(width, append(node, words("duty", strings.Join(duties, " "))...)...)...)
	}
	if left > 0 {
		out = append(out, line{{class: "quiet", text: fmt.Sprintf("and %d more, up to %s", left, names[len(names)-1])}})
	}
	return out
}

// address is one of a node's, and who uses it.
type address struct{ what, address string }

// addresses returns what the spec says first: a mesh adds to it.
func (p *picture) addresses(n schema.Node) []address {
	own := n.Address
	if n.Underlay.IsValid() {
		own = n.Underlay
	}
	out := []address{{"", own.String()}}
	if n.Public.IsValid() && n.Public != own {
		out = append(out, address{"public", n.Public.String()})
	}
	if n.Underlay.IsValid() {
		out = append(out, address{"mesh", n.Address.String()})
	}
	return out
}

// band draws a zone at the left, at the right what it may reach, and a dot for each class between them.
func (p *picture) band(b band) {
	who := filled(zoneWidth, span{class: "zone", text: b.zone})
	for _, m := range b.members {
		who = append(who, filled(zoneWidth, m...)...)
	}
	var what []line
	dots := make([]strings.Builder, len(p.classes))
	above := make([]int, len(p.classes)) // the last dot of each lane
	for _, r := range b.rows {
		at := padding + len(what)*lineHeight + lineHeight/2
		for i := range dots {
			switch {
			case !r.on[i]:
				continue
			case above[i] == 0:
				fmt.Fprintf(&dots[i], "M%d %dh0", p.lane(i), at)
			default:
				fmt.Fprintf(&dots[i], "m0 %dh0", at-above[i])
			}
			above[i] = at
		}
		what = append(what, r.lines()...)
	}
	what = append(what, b.also...)
	height := max(len(who), len(what))*lineHeight + 2*padding
	p.group(b.class, 0, p.y)
	p.box("box", margin, p.width-2*margin, height)
	p.box("bar", margin, 4, height)
	var lanes strings.Builder
	for i := range p.classes {
		fmt.Fprintf(&lanes, "M%d %dv%d", p.lane(i), -bandGap, height+bandGap)
	}
	p.path("lane", lanes.String())
	for i := range dots {
		if dots[i].Len() > 0 {
			p.path("dots", dots[i].String())
		}
	}
	p.text(margin+14, padding-4, who)
	if len(what) > 0 {
		p.text(p.textLeft, padding-4, what)
	}
	p.end()
	p.y += height + bandGap
}

// foot draws what holds for every node, and the overlay networks.
func (p *picture) foot() {
	const always = "Every node also takes answers to what it asked, ICMP (echo, errors, neighbours), and what DHCP servers answer. Everything else is dropped."
	lines := filled(p.width-2*margin, words("quiet", always)...)
	p.text(margin, p.y, lines)
	p.y += (len(lines) + 1) * lineHeight
	if len(p.cluster.Networks) == 0 {
		return
	}
	var networks []line
	for _, n := range p.cluster.Networks {
		networks = append(networks, columns(filled(laneLeft-2*margin-14, span{text: n.Name}), filled(p.width-laneLeft-margin, words("quiet", n.Why+traitsOf(n))...), laneLeft-margin)...)
	}
	p.text(margin, p.y, append([]line{{{class: "name", text: "Overlay networks"}}}, networks...))
	p.y += (len(networks) + 1) * lineHeight
}

// columns puts lines beside others.
func columns(left, right []line, column int) []line {
	out := make([]line, max(len(left), len(right)))
	for i := range out {
		if i < len(left) {
			out[i] = append(out[i], left[i]...)
		}
		if i < len(right) {
			right[i][0].column = column
			out[i] = append(out[i], right[i]...)
		}
	}
	return out
}

func traitsOf(n schema.Overlay) string {
	var out strings.Builder
	for _, trait := range []struct {
		name string
		has  bool
	}{{"encrypted", n.Encrypted}, {"internal", n.Internal}, {"attachable", n.Attachable}} {
		if trait.has {
			out.WriteString(", " + trait.name)
		}
	}
	if n.Subnet != "" {
		out.WriteString(", " + n.Subnet)
	}
	return out.String()
}
