package runbook

import (
	"fmt"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/generators/nfs"
	"skep.dev/generators/vpn"
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
		if !schema.HasPorts(e.Proto) || e.Port != e.Last || e.Added() || strings.HasPrefix(e.Name, "ssh-") {
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

// packages are commands, the Debian packages they come with, and the nodes that need them.
func packages(c *schema.Cluster) []string {
	rows := []string{"dockerd docker.io all", "docker docker-cli all", "openssl openssl all", "curl curl all", "ip iproute2 all", "iptables iptables all"}
	for _, p := range firewall.BackendOf(c).Packages {
		rows = append(rows, p+" all")
	}
	if c.Services.NFS != nil {
		rows = append(rows, "mount.nfs "+nfs.ClientPackage+" all", "exportfs "+nfs.ServerPackage+" nfs")
	}
	if c.Mesh() != nil {
		rows = append(rows, "wg "+vpn.MeshPackage+" all")
	}
	if t := c.Services.Traefik; t != nil && t.Certificate.SelfSigned == nil {
		rows = append(rows, "update-ca-certificates ca-certificates traefik")
	}
	if c.VPNAccess() != nil {
		rows = append(rows, "openvpn "+vpn.Package+" vpn")
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

func secrets(c *schema.Cluster) artifact.Var {
	var rows []string
	for _, s := range c.Secrets {
		rows = append(rows, strings.TrimRight(fmt.Sprintf("%s %s %s %s", s.Object(), s.Name, s.Make, s.User), " "))
	}
	return artifact.Strings("secrets", rows).From("object name make user")
}

// directories are duty, path, owner, and whether it is a file system of its own. With both services S3 writes into the
// share of NFS.
func directories(c *schema.Cluster) []string {
	s := c.Services
	switch {
	case s.NFS != nil:
		o := nfs.Owner(c)
		return []string{fmt.Sprintf("nfs %s %d:%d %s", s.NFS.Path, o.UID, o.GID, s.NFS.Filesystem)}
	case s.S3 != nil:
		return []string{fmt.Sprintf("s3 %s %d:%d %s", s.S3.Path, s.S3.UID, s.S3.GID, s.S3.Filesystem)}
	}
	return nil
}

// images are the images and the nodes whose tasks need them: a duty, "managers" or "all".
func images(c *schema.Cluster) []string {
	var rows []string
	add := func(image, nodes string) { rows = append(rows, image+" "+nodes) }
	if t := c.Services.Traefik; t != nil {
		add(t.Image, "traefik")
		add(t.Proxy.Image, "managers")
	}
	if m := c.Services.Monitoring; m != nil {
		add(m.Prometheus.Image, "monitoring")
		add(m.Grafana.Image, "monitoring")
		add(m.NodeExporter.Image, "all")
		add(m.CAdvisor.Image, "all")
		if m.Alerts != nil {
			add(m.Alerts.Image, "monitoring")
		}
	}
	if s := c.Services.S3; s != nil {
		add(s.Image, "s3")
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

type namedStack struct {
	number    int // of its step: it does not move when another stack comes or goes
	name, why string
}

// stacks are in the order of their deployment.
func stacks(c *schema.Cluster) []namedStack {
	var out []namedStack
	if c.Services.Traefik != nil {
		out = append(out, namedStack{75, "traefik", "the router in front of every service"})
	}
	if c.Services.Monitoring != nil {
		out = append(out, namedStack{78, "monitoring", "Prometheus, Grafana and their exporters"})
	}
	if c.Services.S3 != nil {
		out = append(out, namedStack{81, "s3", "object storage"})
	}
	return out
}

func stackNames(c *schema.Cluster) []string {
	var names []string
	for _, s := range stacks(c) {
		names = append(names, s.name)
	}
	return names
}

// pages are a pattern of status codes and the page that must answer with one of them, without a login.
func pages(c *schema.Cluster) []string {
	t := c.Services.Traefik
	if t == nil {
		return nil
	}
	rows := []string{"30[1278] http://" + c.Domain + "/", "[1-5].. https://" + c.Domain + "/"}
	if m := c.Services.Monitoring; m != nil {
		rows = append(rows, "401|403 https://"+c.Domain+m.Prometheus.Path+"/", "200|30[1278]|403 https://"+c.Domain+m.Grafana.Path+"/login")
	}
	if s := c.Services.S3; s != nil {
		rows = append(rows, fmt.Sprintf("[2-4].. https://%s:%d/", c.Domain, s.Port))
	}
	return rows
}

// urls are printed when all is well.
func urls(c *schema.Cluster) []string {
	t := c.Services.Traefik
	if t == nil {
		return nil
	}
	rows := []string{fmt.Sprintf("dashboard   https://%s:%d/", c.Domain, t.Ports.Dashboard)}
	if m := c.Services.Monitoring; m != nil {
		rows = append(rows, "Prometheus  https://"+c.Domain+m.Prometheus.Path+"/", "Grafana     https://"+c.Domain+m.Grafana.Path+"/")
	}
	if s := c.Services.S3; s != nil {
		rows = append(rows, fmt.Sprintf("S3          https://%s:%d", c.Domain, s.Port))
	}
	return rows
}
