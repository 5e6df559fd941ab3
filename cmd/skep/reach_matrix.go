package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/term"

	"skep.dev/generators/firewall/proof"
	"skep.dev/generators/review"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// matrixRow is one exposure as one zone sees it.
type matrixRow struct {
	Zone     string             `json:"zone"`
	Exposure string             `json:"exposure"`
	Proto    string             `json:"proto"`
	Ports    []schema.PortRange `json:"ports"` // what is really open: without the protected ports inside a range
	On       []string           `json:"on"`
	Nodes    int                `json:"nodes"`
	Mode     string             `json:"mode"`
	Why      string             `json:"why"`
	Spec     specLine           `json:"spec"`
}

func writeMatrix(w io.Writer, c loaded, sim *proof.Simulator, f format) error {
	if f == formatJSON {
		return newJSON(w).Encode(struct {
			Schema string      `json:"schema"`
			Rows   []matrixRow `json:"rows"`
		}{version1("reach-matrix"), matrixRows(c, sim)})
	}
	_, err := io.WriteString(w, matrixText(c, widthOf(w)))
	return err
}

// zonesOf returns the zones that a row can name; "anyone" and "public" only where one does.
func zonesOf(c *schema.Cluster) []string {
	zones := c.Zones()
	names := func(zone string) bool {
		return slices.ContainsFunc(c.Exposures, func(e schema.Exposure) bool { return slices.Contains(e.From, zone) })
	}
	if names("anyone") {
		zones = append([]string{"anyone"}, zones...)
	}
	if names("public") {
		zones = append(zones, "public")
	}
	return zones
}

func matrixRows(c loaded, sim *proof.Simulator) []matrixRow {
	rows := []matrixRow{}
	for _, zone := range zonesOf(c.Cluster) {
		for _, e := range c.Exposures {
			if !slices.Contains(e.From, zone) {
				continue
			}
			ports := sim.Ports(e)
			if ports == nil {
				ports = []schema.PortRange{}
			}
			nodes := 0
			for _, n := range c.Nodes {
				if e.Includes(n) {
					nodes++
				}
			}
			rows = append(rows, matrixRow{zone, e.Name, e.Proto, ports, e.On, nodes, e.Mode, e.Why, specLineOf(c, c.fieldOf(e))})
		}
	}
	return rows
}

// width of the matrix where stdout is no terminal.
const width = 100

func widthOf(w io.Writer) int {
	out, ok := w.(output)
	if !ok || out.file == nil {
		return width
	}
	if columns, _, err := term.GetSize(int(out.file.Fd())); err == nil && columns > 0 {
		return columns
	}
	return width
}

// matrixText writes a block for each zone. What a line is for gives way where a terminal is narrow.
func matrixText(c loaded, width int) string {
	var b strings.Builder
	all := review.Rows(c.Cluster)
	sizes := make([]int, 4)
	cells := func(r review.Row) []string {
		s := specLineOf(c, c.fieldOf(r.Exposure))
		return []string{r.Ports, finding.Several(r.On), r.Mode, fmt.Sprintf("%s:%d", s.File, s.Line)}
	}
	for _, r := range all {
		for i, cell := range cells(r) {
			sizes[i] = max(sizes[i], len(cell))
		}
	}
	for i, zone := range zonesOf(c.Cluster) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s\n", zone, members(c.Cluster, zone))
		for _, r := range all {
			if !slices.Contains(r.From, zone) {
				continue
			}
			line := " "
			for i, cell := range cells(r) {
				line += fmt.Sprintf(" %-*s ", sizes[i], cell)
			}
			line += " " + r.Why
			if len(line) > width && len(line)-len(r.Why) < width-8 {
				line = line[:width-3] + "..."
			}
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// members says who is in a zone, cut short where they are many.
func members(c *schema.Cluster, zone string) string {
	return finding.Several(review.Members(c, zone))
}
