// Package firewall makes the rules that say who may connect to a node, and the command that loads them safely.
//
// Both backends filter at the same place, prerouting before Docker's address translation: there a packet still asks for
// the port that was published, so one rule covers a process of the node and a task alike, and Docker's own chains, which
// change from version to version, are never touched.
package firewall

import (
	"embed"
	"fmt"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Where the files of a bundle are installed on a node.
const (
	Directory   = "/etc/skep"
	CommandPath = "/usr/local/sbin/skep-firewall"
	UnitPath    = "/etc/systemd/system/skep-firewall.service"
	// Docker's, beside the one that sets where it listens: that one is part of what restarts engines.
	DockerPath = "/etc/systemd/system/docker.service.d/skep-firewall.conf"
)

// Where the command, its unit, and the drop-in that makes Docker wait stand in a bundle.
const (
	Command   = directory + "/skep-firewall.sh"
	Unit      = directory + "/skep-firewall.service"
	Docker    = directory + "/docker.service.conf"
	directory = "firewall"
)

const logPrefix = "skep-drop " // in the kernel's log

//go:embed *.sh skep-firewall.service docker.service.conf
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/firewall", Files: embedded}

// Files returns the rulesets of each class of nodes, the command that loads it, the
// systemd unit that calls the command at boot, and the drop-in that makes Docker wait for it.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	var files []artifact.File
	s := newShared(c)
	backend := BackendOf(c)
	for _, class := range Classes(c) {
		p := newPolicy(c, class, s)
		for i, path := range class.Files(c) {
			files = append(files, artifact.Text(path, []byte(backend.Rulesets[i].write(p))))
		}
	}
	files = artifact.Of(files, "access", "exposures", "firewall", "nodes")
	files = append(files, artifact.Of([]artifact.File{command(c, s)}, "firewall")...)
	return append(files,
		assets.Own(Unit, "skep-firewall.service"),
		assets.Own(Docker, "docker.service.conf"),
	), nil
}

// command is the script: the functions of the one backend it needs, what unloads the others, what loads rules, and its verbs.
func command(c *schema.Cluster, s shared) artifact.File {
	backend := BackendOf(c)
	bodies := []string{backend.body}
	for _, b := range Backends() {
		bodies = append(bodies, b.kernel)
	}
	bodies = append(bodies, "changing.sh", "loading.sh", "cutting.sh", "skep-firewall.sh")
	header := append([]artifact.Var{
		artifact.String("backend", backend.Name).From("firewall.backend"),
		artifact.Strings("others", others(c)).From("firewall.backend: what an older bundle may have had"),
		artifact.Strings("installed", backend.Installed()).From("firewall.backend"),
		artifact.Number("rollback", c.Firewall.Rollback).From("firewall.rollback"),
		artifact.String("without_rules", c.Firewall.WithoutRules).From("firewall.withoutRules"),
		artifact.Strings("bridges", c.Firewall.Interfaces()).From("firewall.bridges"),
		artifact.Strings("management", samples(c)).From("access.management: an address of each network"),
		artifact.String("docker_waits", DockerPath),
	}, backend.closed(closedPolicy(c, s))...)
	return artifact.Script(Command, header, assets.Bodies(bodies...)...)
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
