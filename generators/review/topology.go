package review

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Measures of the picture, in pixels.
const (
	pictureWidth = 1180
	zoneLeft     = 20
	zoneWidth    = 290
	cardLeft     = 520
	cardWidth    = pictureWidth - cardLeft - 20
	lineHeight   = 17
	cardLetters  = 88 // of a line in a card
	zoneLetters  = 44 // of a line in a zone
	gap          = 18 // between boxes
)

// topology draws who may reach what: zones on the left, the nodes that share a ruleset on the right, a line for each zone
// that is let in, and the overlay networks below. It grows with the classes of nodes, not with the nodes.
func topology(c *schema.Cluster) string {
	classes := firewall.Classes(c)
	cards := make([]card, len(classes))
	bottom := gap
	for i, class := range classes {
		cards[i] = newCard(c, class, bottom)
		bottom += cards[i].height() + gap
	}
	zones := zoneBoxes(c, classes, bottom)
	for _, z := range zones {
		bottom = max(bottom, z.top+z.height()+gap)
	}
	var d drawing
	for _, target := range cards {
		for _, row := range target.rows {
			for i, name := range row.from {
				z := zones[slices.IndexFunc(zones, func(z zoneBox) bool { return z.name == name })]
				d.link(z.colour, zoneLeft+zoneWidth, z.top+z.height()/2, cardLeft, row.dot(i))
			}
		}
	}
	for _, z := range zones {
		z.draw(&d)
	}
	for _, target := range cards {
		target.draw(&d, zones)
	}
	for _, n := range c.Networks {
		d.box(zoneLeft, bottom, pictureWidth-2*zoneLeft, lineHeight+10, "#f6f8fa", "#8c959f")
		d.text(zoneLeft+10, bottom+lineHeight, "bold", "overlay "+n.Name)
		d.text(cardLeft, bottom+lineHeight, "plain", n.Why+traitsOf(n))
		bottom += lineHeight + 10 + gap/2
	}
	return d.picture(c.Name, bottom)
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

// card is the nodes of one class, and what they let in.
type card struct {
	title, nodes string
	top          int
	rows         []cardRow
}

// cardRow is the ports that the same zones may reach.
type cardRow struct {
	from  []string
	lines []string
	top   int
}

func newCard(c *schema.Cluster, class firewall.Class, top int) card {
	var addressed []string
	for _, name := range class.Nodes {
		addressed = append(addressed, name+" "+c.Node(name).Address.String())
	}
	out := card{top: top, title: class.Name, nodes: finding.Several(addressed)}
	var sources [][]string
	reach := map[string][]string{}
	for _, row := range rowsOf(class.Exposures) {
		from := byRank(row.From)
		key := strings.Join(from, " ")
		if reach[key] == nil {
			sources = append(sources, from)
		}
		reach[key] = append(reach[key], row.Ports+" "+row.Why)
	}
	y := top + 2*lineHeight + 16
	for _, from := range sources {
		if len(from) == 0 {
			continue // open to nobody
		}
		row := cardRow{from: from, lines: wrapped(reach[strings.Join(from, " ")], cardLetters), top: y}
		out.rows = append(out.rows, row)
		y += row.height()
	}
	return out
}

func (k card) height() int {
	h := 2*lineHeight + 24
	for _, row := range k.rows {
		h += row.height()
	}
	return h
}

func (r cardRow) height() int { return max(len(r.lines), len(r.from))*lineHeight + 8 }

// dot is how far down the mark of the row's zone number i is.
func (r cardRow) dot(i int) int { return r.top + i*lineHeight + lineHeight/2 }

func (k card) draw(d *drawing, zones []zoneBox) {
	d.box(cardLeft, k.top, cardWidth, k.height(), "#ffffff", "#24292f")
	d.text(cardLeft+14, k.top+lineHeight+4, "bold", k.title)
	d.text(cardLeft+14, k.top+2*lineHeight+4, "quiet", k.nodes)
	for _, row := range k.rows {
		for i, line := range row.lines {
			d.text(cardLeft+24, row.top+(i+1)*lineHeight-4, "plain", line)
		}
		for i, name := range row.from {
			d.dot(zones[slices.IndexFunc(zones, func(z zoneBox) bool { return z.name == name })].colour, cardLeft, row.dot(i))
		}
	}
}

// zoneBox is a zone and the addresses behind it.
type zoneBox struct {
	name, colour string
	lines        []string
	top          int
}

// zoneBoxes returns the zones that reach anything, spread over the height of the cards.
func zoneBoxes(c *schema.Cluster, classes []firewall.Class, height int) []zoneBox {
	colours := []string{"#0969da", "#8250df", "#1a7f37", "#bc4c00", "#bf3989", "#57606a", "#9a6700", "#cf222e"}
	var names []string
	for _, class := range classes {
		for _, e := range class.Exposures {
			names = append(names, e.From...)
		}
	}
	names = byRank(names)
	out := make([]zoneBox, len(names))
	total := 0
	for i, name := range names {
		out[i] = zoneBox{name: name, colour: colours[i%len(colours)], lines: wrapped([]string{finding.Several(Members(c, name))}, zoneLetters)}
		total += out[i].height()
	}
	space := max(gap, (height-gap-total)/max(1, len(out)))
	y := gap
	for i := range out {
		out[i].top = y
		y += out[i].height() + space
	}
	return out
}

// byRank returns each zone once: those outside before the cluster, as in the table of the README.
func byRank(zones []string) []string {
	known := slices.Insert(schema.Zones(), len(schema.AccessZones()), "")
	rank := func(zone string) int {
		if i := slices.Index(known, zone); i >= 0 {
			return i
		}
		return slices.Index(known, "")
	}
	out := slices.Sorted(slices.Values(zones))
	slices.SortStableFunc(out, func(a, b string) int { return rank(a) - rank(b) })
	return slices.Compact(out)
}

func (z zoneBox) height() int { return (1+len(z.lines))*lineHeight + 14 }

func (z zoneBox) draw(d *drawing) {
	d.box(zoneLeft, z.top, zoneWidth, z.height(), "#ffffff", z.colour)
	d.text(zoneLeft+12, z.top+lineHeight+2, "bold", z.name)
	for i, line := range z.lines {
		d.text(zoneLeft+12, z.top+(i+2)*lineHeight+2, "quiet", line)
	}
}

// wrapped puts the parts, with semicolons between them, into lines of that many letters.
func wrapped(parts []string, letters int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(strings.Join(parts, "; ")) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > letters:
			out = append(out, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}

// drawing collects the elements of an SVG picture.
type drawing struct{ body strings.Builder }

func (d *drawing) box(x, y, width, height int, fill, stroke string) {
	fmt.Fprintf(&d.body, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"%s\" stroke=\"%s\"/>\n", x, y, width, height, fill, stroke)
}

// text writes one line; whatever the spec says is text there and no markup.
func (d *drawing) text(x, y int, class, text string) {
	fmt.Fprintf(&d.body, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, class, html.EscapeString(text))
}

func (d *drawing) dot(colour string, x, y int) {
	fmt.Fprintf(&d.body, "<circle cx=\"%d\" cy=\"%d\" r=\"5\" fill=\"%s\"/>\n", x, y, colour)
}

func (d *drawing) link(colour string, x, y, toX, toY int) {
	middle := (x + toX) / 2
	fmt.Fprintf(&d.body, "<path d=\"M%d %dC%d %d %d %d %d %d\" fill=\"none\" stroke=\"%s\" stroke-opacity=\"0.6\" stroke-width=\"1.5\"/>\n",
		x, y, middle, y, middle, toY, toX, toY, colour)
}

func (d *drawing) picture(name string, height int) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d">
<title>%[3]s: who may reach what</title>
<style>text{font:12px sans-serif;fill:#24292f}.bold{font-weight:bold;font-size:14px}.quiet{fill:#57606a}</style>
<rect width="100%%" height="100%%" fill="#ffffff"/>
%[4]s</svg>
`, pictureWidth, height, html.EscapeString(name), d.body.String())
}
