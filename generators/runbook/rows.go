package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// The functions below write rows for shell arrays: columns are separated by one blank, which no value holds.

// handed are the secrets that the operator puts into files.
func handed(c *schema.Cluster) []string {
	var rows []string
	for _, s := range c.Secrets {
		if s.Make == "given" {
			rows = append(rows, s.Object()+" "+s.Name)
		}
	}
	return rows
}

// listeners are the single ports that must be free, but for sshd's, the kernel's and those of what the operator runs.
func listeners(c *schema.Cluster) []string {
	var rows []string
	for _, e := range c.Exposures {
		if !schema.HasPorts(e.Proto) || e.Port != e.Last || e.Added() || e.IsSSH() {
			continue
		}
		for _, on := range e.On {
			rows = append(rows, fmt.Sprintf("%s %d %s", e.Proto, e.Port, on))
		}
	}
	return rows
}

// reached are the ports that nodes open to each other, and the nodes that have them. Only TCP tells whether it got through.
func reached(c *schema.Cluster) []string {
	var rows []string
	for _, e := range c.Exposures {
		if e.Proto != "tcp" || e.Port != e.Last || e.Added() || !slices.Contains(e.From, "cluster") {
			continue
		}
		for _, on := range e.On {
			rows = append(rows, fmt.Sprintf("%d %s", e.Port, on))
		}
	}
	return rows
}

// forward are the senders whose packets nodes pass on, with the interface or a dash, and those nodes.
func forward(c *schema.Cluster) []string {
	var rows []string
	for _, f := range c.Firewall.Forward {
		for _, on := range f.On {
			rows = append(rows, fmt.Sprintf("%s %s %s", f.From, orDash(f.Device), on))
		}
	}
	return rows
}

// vrrp are the nodes that a row opens to VRRP.
func vrrp(c *schema.Cluster) []string {
	var nodes []string
	for _, e := range c.Exposures {
		if e.Proto == "vrrp" {
			nodes = append(nodes, e.On...)
		}
	}
	return nodes
}

// engines are ranges of versions, what becomes of a node with such an engine, who has the fault, and what it is; after a
// bar the way out.
func engines(c *schema.Cluster) []string {
	var rows []string
	for _, f := range c.Rows.Engines {
		rows = append(rows, fmt.Sprintf("%s %s %s %s %s|%s", f.From, f.Below, f.Level, f.Of, f.What, f.Way))
	}
	return rows
}

func networks(c *schema.Cluster) artifact.Var {
	var rows []string
	for _, n := range c.Networks {
		rows = append(rows, fmt.Sprintf("%s %t %t %t %d %s", n.Name, n.Attachable, n.Internal, n.Encrypted, n.MTU, orDash(n.Subnet)))
	}
	return artifact.Strings("networks", rows).From("name attachable internal encrypted mtu subnet")
}

// made are the networks that users' stacks make: stack, name in the swarm, and the settings that Docker never changes.
func made(c *schema.Cluster) []string {
	var rows []string
	for _, s := range c.Stacks {
		for _, name := range s.Makes() {
			n := s.Project.Networks[name]
			_, encrypted := n.DriverOpts["encrypted"]
			subnets := s.Subnets(name)
			slices.Sort(subnets)
			rows = append(rows, fmt.Sprintf("%s %s %t %t %t %s %s", s.Name, s.Made(name), n.Attachable, n.Internal, encrypted,
				orDash(n.DriverOpts[overlayMTU]), orDash(strings.Join(subnets, ","))))
		}
	}
	return rows
}

// making are the stacks with the names of networks that their deploys make.
func making(c *schema.Cluster) artifact.Var {
	rows := made(c)
	for i, row := range rows {
		rows[i] = strings.Join(strings.Fields(row)[:2], " ")
	}
	return artifact.Strings("making", rows).From("stacks.*.compose: stack, network")
}

// overlayMTU is the option of an overlay for its MTU.
const overlayMTU = "com.docker.network.driver.mtu"

// foreign are the networks, configs and secrets that a stack uses and somebody else makes, with the step that does, or a dash.
func foreign(c *schema.Cluster) []string {
	var rows []string
	for _, s := range c.Stacks {
		for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
			switch n := s.Networks[name]; {
			case n.Name != "":
				rows = append(rows, s.Name+" network "+n.Name+" -")
			case n.Stack != "":
				rows = append(rows, s.Name+" network "+c.NetworkName(s, name)+" "+stepOf(c, n.Stack))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Configs)) {
			rows = append(rows, s.Name+" config "+s.Configs[name].External+" -")
		}
		for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
			if n := s.Secrets[name].External; n != "" {
				rows = append(rows, s.Name+" secret "+n+" -")
			}
		}
	}
	return rows
}

func secrets(c *schema.Cluster) artifact.Var {
	var rows []string
	for _, s := range c.Secrets {
		rows = append(rows, strings.TrimRight(fmt.Sprintf("%s %s %s %s", s.Object(), s.Name, s.Make, s.User), " "))
	}
	return artifact.Strings("secrets", rows).From("object name make user")
}

// directories are duty, path, owner, whether it is a file system of its own, what each run sets right, and the field that
// holds filesystem.
func directories(c *schema.Cluster) artifact.Var {
	var rows []string
	for _, d := range c.Rows.Directories {
		field := strings.TrimSuffix(d.Field, ".path") + ".filesystem"
		rows = append(rows, fmt.Sprintf("%s %s %d:%d %s %s %s", d.Duty, d.Path, d.Owner.UID, d.Owner.GID, d.Filesystem, d.Kept, field))
	}
	return artifact.Strings("directories", rows).From("services.nfs, services.s3, stacks.*.volumes: duty, path, owner, filesystem, what is kept right, field")
}

// images are the images and the nodes whose tasks need them: a duty, "managers" or "all".
func images(c *schema.Cluster) []string {
	var rows []string
	for _, i := range c.Rows.Images {
		rows = append(rows, c.Reference(i.Image)+" "+i.Nodes)
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

// locked are the digests by which an engine knows an image that an archive brought. One that is pulled has the lock's digest
// in its name.
func locked(c *schema.Cluster) []string {
	if !c.Images.Loads() {
		return nil
	}
	return c.Lock.Rows()
}

// pages are a pattern of status codes and the page that must answer with one of them, without a login.
func pages(c *schema.Cluster) []string {
	var rows []string
	for _, url := range slices.Sorted(maps.Keys(c.Rows.Answers)) {
		rows = append(rows, c.Rows.Answers[url]+" "+url)
	}
	return rows
}

// urls are printed when all is well: what stands behind Traefik, in two columns.
func urls(c *schema.Cluster) []string {
	var rows []string
	for _, p := range c.Rows.Pages {
		if p.Node == "" {
			rows = append(rows, fmt.Sprintf("%-12s%s", p.Name, p.URL))
		}
	}
	return rows
}
