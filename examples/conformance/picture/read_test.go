package picture_test

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"skep.dev/schema"
)

// picture is what an eye sees in a topology.svg.
type picture struct {
	width, height int
	lanes         []lane
	bands         []band
	dots          []point
	lines         []line
	passes        []pass
	inside        bool // containers may what users may
}

// pass is a line of what the nodes of classes pass on.
type pass struct {
	from, to string
	classes  []string
}

type point struct{ x, y int }

type lane struct {
	class string
	x     int
}

// band is a zone's. Text about its ports begins at textLeft.
type band struct {
	zone                string
	y, height, textLeft int
}

// line is ports by protocol, and the classes whose lanes have a dot beside them. A protocol without ports has none.
type line struct {
	zone    string
	ports   map[string][]schema.PortRange
	classes []string
}

type question struct {
	proto string
	port  uint16
}

// The elements of the file.
type (
	svgFile struct {
		Width  int        `xml:"width,attr"`
		Height int        `xml:"height,attr"`
		Groups []svgGroup `xml:"g"`
	}
	svgGroup struct {
		Class     string    `xml:"class,attr"`
		Transform string    `xml:"transform,attr"`
		Boxes     []svgBox  `xml:"rect"`
		Paths     []svgPath `xml:"path"`
		Texts     []svgText `xml:"text"`
	}
	svgBox struct {
		Height int `xml:"height,attr"`
	}
	svgPath struct {
		Class string `xml:"class,attr"`
		Steps string `xml:"d,attr"`
	}
	svgText struct {
		Transform string    `xml:"transform,attr"`
		Spans     []svgSpan `xml:"tspan"`
	}
	svgSpan struct {
		Down  int    `xml:"dy,attr"`
		Class string `xml:"class,attr"`
		Text  string `xml:",chardata"`
	}
)

var (
	turn  = regexp.MustCompile(`H(\d+)q-8 0-8 8V`)
	step  = regexp.MustCompile(`([Mm])(\d+) (\d+)h0`)
	ports = regexp.MustCompile(`^(?:(\d+)(?:-(\d+))?)([,/])(.*)$`)
)

// lineHeight is how far lines of text are apart; the middle of one is five pixels above its foot.
const lineHeight = 18

func read(t *testing.T, data []byte) picture {
	t.Helper()
	var f svgFile
	if err := xml.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	p := picture{width: f.Width, height: f.Height}
	for _, g := range f.Groups {
		switch {
		case g.Class == "class":
			p.lane(t, g)
		case len(g.Boxes) > 0:
			p.band(t, g)
		}
	}
	if len(p.lanes) == 0 || len(p.lines) == 0 {
		t.Fatal("a picture without lanes or ports")
	}
	return p
}

func moved(t *testing.T, transform string) (x, y int) {
	t.Helper()
	if _, err := fmt.Sscanf(transform, "translate(%d %d)", &x, &y); err != nil {
		t.Fatalf("%q: %v", transform, err)
	}
	return x, y
}

func (p *picture) lane(t *testing.T, g svgGroup) {
	t.Helper()
	m := turn.FindStringSubmatch(g.Paths[0].Steps)
	if m == nil {
		t.Fatalf("no lane: %s", g.Paths[0].Steps)
	}
	x, _ := strconv.Atoi(m[1])
	name := ""
	for _, s := range g.Texts[0].Spans {
		if s.Class == "name" {
			name += s.Text
		}
	}
	p.lanes = append(p.lanes, lane{name, x - 8})
}

func (p *picture) band(t *testing.T, g svgGroup) {
	t.Helper()
	_, y := moved(t, g.Transform)
	b := band{zone: g.Texts[0].Spans[0].Text, y: y, height: g.Boxes[0].Height}
	if len(g.Texts) < 2 {
		p.bands = append(p.bands, b)
		return
	}
	left, top := moved(t, g.Texts[1].Transform)
	b.textLeft = left
	p.bands = append(p.bands, b)

	beside := map[int][]string{} // classes by number of the line
	for _, path := range g.Paths {
		if path.Class != "dots" {
			continue
		}
		at := point{}
		for _, m := range step.FindAllStringSubmatch(path.Steps, -1) {
			x, _ := strconv.Atoi(m[2])
			down, _ := strconv.Atoi(m[3])
			if at = (point{at.x + x, at.y + down}); m[1] == "M" {
				at = point{x, down}
			}
			number := (at.y + 5 - top) / lineHeight
			i := slices.IndexFunc(p.lanes, func(l lane) bool { return l.x == at.x })
			if i < 0 || top+number*lineHeight-5 != at.y {
				t.Fatalf("zone %s: a dot at %v, beside no line or on no lane", b.zone, at)
			}
			beside[number] = append(beside[number], p.lanes[i].class)
			p.dots = append(p.dots, point{at.x, at.y + y})
		}
	}
	if b.zone == through {
		p.pass(g.Texts[1].Spans, beside)
		return
	}
	p.open(t, b.zone, g.Texts[1].Spans, beside)
}

// through is the band of packets for other machines.
const through = "through the nodes"

// pass reads the lines of what nodes pass on.
func (p *picture) pass(spans []svgSpan, beside map[int][]string) {
	number := 0
	for _, s := range spans {
		if s.Down == lineHeight {
			if number++; beside[number] != nil {
				p.passes = append(p.passes, pass{classes: beside[number]})
			}
		}
		if last := &p.passes[len(p.passes)-1]; s.Class == "code" && last.from == "" {
			last.from = s.Text
		} else if s.Class == "code" {
			last.to = s.Text
		}
	}
}

// open reads the lines of ports of a zone.
func (p *picture) open(t *testing.T, zone string, spans []svgSpan, beside map[int][]string) {
	t.Helper()
	number := 0
	var current *line
	for _, s := range spans {
		if s.Down == lineHeight {
			number++
			if classes := beside[number]; classes != nil {
				p.lines = append(p.lines, line{zone, map[string][]schema.PortRange{}, classes})
				current = &p.lines[len(p.lines)-1]
			}
		}
		switch {
		case s.Class == "quiet" && zone == schema.Containers:
			p.inside = true
		case s.Class == "code" && current == nil:
			t.Fatalf("zone %s: %q has no dot", zone, s.Text)
		case s.Class == "code":
			current.read(t, s.Text)
		}
	}
}

// read adds "22/tcp", "32768-33332," or "esp" to the line. Pieces wait under "" for their protocols.
func (l *line) read(t *testing.T, text string) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		m := ports.FindStringSubmatch(word)
		if m == nil {
			l.ports[word] = nil
			continue
		}
		first, _ := strconv.ParseUint(m[1], 10, 16)
		last := first
		if m[2] != "" {
			last, _ = strconv.ParseUint(m[2], 10, 16)
		}
		l.ports[""] = append(l.ports[""], schema.PortRange{First: uint16(first), Last: uint16(last)})
		if m[3] == "/" {
			for proto := range strings.SplitSeq(m[4], "+") {
				l.ports[proto] = l.ports[""]
			}
			delete(l.ports, "")
		}
	}
}

// shows reports whether a dot says that one of the zones may reach the port on nodes of the class.
func (p picture) shows(class string, zones []string, ask question) bool {
	return slices.ContainsFunc(p.lines, func(l line) bool {
		ranges, ok := l.ports[ask.proto]
		if !ok || !slices.Contains(zones, l.zone) || !slices.Contains(l.classes, class) {
			return false
		}
		return ask.port == 0 || slices.ContainsFunc(ranges, func(r schema.PortRange) bool { return r.First <= ask.port && ask.port <= r.Last })
	})
}

// gutters are where nothing may be drawn in a band: right of what is said about the zone, left of the lanes, and between
// the columns.
func (p picture) gutters(b band) []int {
	first, last := p.lanes[0].x, p.lanes[len(p.lanes)-1].x
	out := []int{first - 13, first - 9, last + 9}
	if b.textLeft != 0 {
		out = append(out, b.textLeft-2)
		if b.zone != through && b.zone != schema.Containers {
			out = append(out, b.textLeft+168-3)
		}
	}
	return append(out, p.width-26)
}
