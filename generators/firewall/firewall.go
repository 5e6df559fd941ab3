// Package firewall makes the rules that say who may connect to a node, and the command that loads them safely.
//
// Both backends filter at the same place, prerouting before Docker's address translation: there a packet still asks for
// the port that was published, so one rule covers a process of the node and a task alike, and Docker's own chains, which
// change from version to version, are never touched.
package firewall

import (
	_ "embed" // the bodies of the script and the unit
	"fmt"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Where the files of a bundle are installed on a node.
const (
	Directory   = "/etc/skep"
	RulesPath   = "/etc/skep/firewall.nft"      // nft backend
	RulesPath4  = "/etc/skep/firewall.v4.rules" // iptables backend, IPv4
	RulesPath6  = "/etc/skep/firewall.v6.rules" // iptables backend, IPv6
	CommandPath = "/usr/local/sbin/skep-firewall"
	UnitPath    = "/etc/systemd/system/skep-firewall.service"
	// Docker's, beside the one that sets where it listens: that one is part of what restarts engines.
	DockerPath = "/etc/systemd/system/docker.service.d/skep-firewall.conf"
)

// Where the command, its unit, and the drop-in that makes Docker wait stand in a bundle.
const (
	Command = "firewall/skep-firewall.sh"
	Unit    = "firewall/skep-firewall.service"
	Docker  = "firewall/docker.service.conf"
)

const (
	table     = "skep"       // nft
	chain     = "SKEP"       // iptables; the others begin with it
	logPrefix = "skep-drop " // in the kernel's log
)

//go:embed skep-firewall.sh
var commandBody string

//go:embed loading.sh
var loadingBody string

//go:embed cutting.sh
var cuttingBody string

//go:embed backend-nft.sh
var nftBody string

//go:embed backend-iptables.sh
var iptablesBody string

//go:embed skep-firewall.service
var unit []byte

//go:embed docker.service.conf
var dockerWaits []byte

// Files returns one ruleset a class of nodes (two with iptables: IPv4 and IPv6), the command that loads it, the
// systemd unit that calls the command at boot, and the drop-in that makes Docker wait for it.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	var files []artifact.File
	s := newShared(c)
	for _, class := range Classes(c) {
		p := newPolicy(c, class, s)
		for _, path := range class.Files(c) {
			files = append(files, artifact.File{Path: path, Mode: 0o644, Data: []byte(rules(p, path))})
		}
	}
	return append(files, command(c),
		artifact.File{Path: Unit, Mode: 0o644, Data: unit},
		artifact.File{Path: Docker, Mode: 0o644, Data: dockerWaits},
	), nil
}

// Files returns the paths of the class's rulesets in the bundle, in the order in which the command takes them.
func (class Class) Files(c *schema.Cluster) []string {
	if c.Firewall.Backend == "nft" {
		return []string{"firewall/" + class.Name + ".nft"}
	}
	return []string{"firewall/" + class.Name + ".v4.rules", "firewall/" + class.Name + ".v6.rules"}
}

// Installed returns the paths on a node that belong to Class.Files, in the same order.
func Installed(c *schema.Cluster) []string {
	if c.Firewall.Backend == "nft" {
		return []string{RulesPath}
	}
	return []string{RulesPath4, RulesPath6}
}

func rules(p policy, path string) string {
	switch {
	case strings.HasSuffix(path, ".v4.rules"):
		return iptables(p, v4)
	case strings.HasSuffix(path, ".v6.rules"):
		return iptables(p, v6)
	}
	return nftables(p)
}

// command is the script: the functions of the one backend it needs, those that load rules, and its verbs.
func command(c *schema.Cluster) artifact.File {
	backend := map[string]string{"nft": nftBody, "iptables": iptablesBody}[c.Firewall.Backend]
	header := append([]artifact.Var{
		artifact.Strings("installed", Installed(c)).From("firewall.backend"),
		artifact.Number("rollback", c.Firewall.Rollback).From("firewall.rollback"),
		artifact.String("without_rules", c.Firewall.WithoutRules).From("firewall.withoutRules"),
		artifact.Strings("bridges", c.Firewall.Interfaces()).From("firewall.bridges"),
		artifact.Strings("management", samples(c)).From("access.management: an address of each network"),
		artifact.String("docker_waits", DockerPath),
	}, closedVars(c)...)
	return artifact.Script(Command, header, strings.Join([]string{backend, loadingBody, cuttingBody, commandBody}, "\n"))
}

// samples are an address of each network of management: the way back to it is the way back to the network.
func samples(c *schema.Cluster) []string {
	var out []string
	for _, prefix := range c.Access.Management {
		if prefix.Bits() > 0 { // the world is behind the default route
			out = append(out, prefix.Addr().String())
		}
	}
	return out
}

// members counts the nodes of a class; their names would make a long line, and a diff with every new node.
func members(class Class) string {
	if len(class.Nodes) == 1 {
		return "node " + class.Nodes[0]
	}
	return fmt.Sprintf("%d nodes, from %s to %s", len(class.Nodes), class.Nodes[0], class.Nodes[len(class.Nodes)-1])
}
