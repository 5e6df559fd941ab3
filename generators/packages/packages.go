// Package packages is about the Debian packages that the runbook installs on nodes, and how they come to where no mirror is.
package packages

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// Fetch is the script that fetches them. It runs where a mirror of Debian is within reach.
const Fetch = "packages/fetch.sh"

//go:embed fetch.sh
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/packages", Files: embedded}

// Files returns the script.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	var rows []string
	for _, n := range needs(c) {
		rows = append(rows, n.platform.Release+" "+n.platform.Architecture+" "+strings.Join(n.names, " "))
	}
	header := []artifact.Var{artifact.Strings("wanted", rows).From("nodes.*.platform: release, architecture, and the packages that the runbook installs")}
	return artifact.Of([]artifact.File{artifact.Script(Fetch, header, assets.Bodies("fetch.sh")...)}, "nodes.*.platform"), nil
}

// row is a command, the package that it comes with, and the nodes that need it: a duty, or "all".
type row struct{ command, name, nodes string }

func rows(c *schema.Cluster) []row {
	var out []row
	for _, p := range firewall.BackendOf(c).Packages {
		command, name, _ := strings.Cut(p, " ")
		out = append(out, row{command, name, "all"})
	}
	for _, p := range c.Rows.Packages {
		out = append(out, row{p.Command, p.Package, p.Nodes})
	}
	return out
}

// Rows are the packages as the step packages reads them: command, package, nodes.
func Rows(c *schema.Cluster) []string {
	var out []string
	for _, r := range rows(c) {
		out = append(out, fmt.Sprintf("%s %s %s", r.command, r.name, r.nodes))
	}
	return out
}

// need is what the nodes of a platform need.
type need struct {
	platform schema.Platform
	names    []string
}

// needs are sorted by platform.
func needs(c *schema.Cluster) []need {
	var out []need
	for _, platform := range Platforms(c) {
		n := need{platform: platform}
		for _, r := range rows(c) {
			if needed(c, platform, r.nodes) {
				n.names = append(n.names, r.name)
			}
		}
		slices.Sort(n.names)
		n.names = slices.Compact(n.names)
		out = append(out, n)
	}
	return out
}

// Platforms are those of the nodes, sorted.
func Platforms(c *schema.Cluster) []schema.Platform {
	var out []schema.Platform
	for _, n := range c.Nodes {
		if !slices.Contains(out, n.Platform) {
			out = append(out, n.Platform)
		}
	}
	slices.SortFunc(out, func(a, b schema.Platform) int { return strings.Compare(a.Folder(), b.Folder()) })
	return out
}

// needed tells whether a platform has a node of a group.
func needed(c *schema.Cluster, platform schema.Platform, group string) bool {
	return slices.ContainsFunc(c.Nodes, func(n schema.Node) bool {
		return n.Platform == platform && (group == "all" || slices.Contains(c.Duties(n.Name), group))
	})
}
