package check

import (
	"fmt"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// ports refuses two uses of one port on one node, and single ports within a range that swarm hands out.
func (k *checker) ports() {
	type key struct {
		proto string
		port  uint16
	}
	byPort := map[key][]schema.Exposure{}
	for _, e := range k.Exposures {
		if e.Port == 0 || e.Port != e.Last {
			continue
		}
		at := key{e.Proto, e.Port}
		for _, other := range byPort[at] {
			if on := k.shared(e, other); on != "" {
				k.portTwice(e, other, on)
			}
		}
		byPort[at] = append(byPort[at], e)
	}
	k.ranges()
}

// portTwice reports at the exposure that the spec sets, and names the other.
func (k *checker) portTwice(a, b schema.Exposure, node string) {
	path, other := k.portField(a), b
	if p := k.portField(b); !k.spec.HasValue(path) && k.spec.Has(p) {
		path, other = p, a
	}
	k.add(finding.DuplicatePort, path, "port %s/%s is taken on node %s by %s (%s)", fmt.Sprint(a.Port), a.Proto, node, other.Name, other.Why)
}

// portField is the field that decides an exposure's port.
func (k *checker) portField(e schema.Exposure) string {
	if e.Added() {
		return schema.JoinPath("exposures", e.Name) + ".port"
	}
	return k.FieldOf(e, k.spec.Has)
}

// shared gives the first node that both exposures are open on, or "".
func (k *checker) shared(a, b schema.Exposure) string {
	for _, n := range k.Nodes {
		if a.Includes(n) && b.Includes(n) {
			return n.Name
		}
	}
	return ""
}

// ranges refuses ports in the range that swarm assigns to services: its routing mesh would take their connections, and
// with ssh that ends in a locked door. The host-mode range is the kernel's, which leaves a bound port alone; only what
// runs in a container and may be away for a moment, as S3 and node-exporter, can lose its port there. Facts such as NFS's 33333 are kept
// closed by the firewall.
func (k *checker) ranges() {
	if _, hands := k.Exposure("applications-tcp"); !hands {
		return
	}
	inside := func(e schema.Exposure, r schema.PortRange) bool { return e.Port <= r.Last && r.First <= e.Last }
	const rule = "lies in the range %d to %d that swarm assigns to applications (%s); choose another port"
	for _, e := range k.Exposures {
		if e.Port == 0 || e.Port != e.Last && !e.Added() {
			continue
		}
		switch {
		case inside(e, k.Applications.Ingress):
			k.add(finding.DuplicatePort, k.portField(e), fmt.Sprintf(rule, k.Applications.Ingress.First, k.Applications.Ingress.Last, "applications.ingress"))
		case e.Mode != "node" && k.Applications.HostMode && inside(e, k.Applications.Host):
			k.add(finding.DuplicatePort, k.portField(e), fmt.Sprintf(rule, k.Applications.Host.First, k.Applications.Host.Last, "applications.host"))
		}
	}
	if h := k.Applications.Host; h.First > h.Last {
		k.add(finding.FieldsDisagree, k.spec.FirstOf("applications.host.last", "applications.host.first"), fmt.Sprintf("want first below last; they are %d and %d", h.First, h.Last))
	}
}

// directories refuses paths whose sharing would hand out, or overwrite, what the system itself lives in.
func (k *checker) directories() {
	for _, d := range k.Rows.Directories {
		k.directory(d.Field, d.Path)
	}
}

func (k *checker) directory(path, dir string) {
	system := []string{k.Engine.Directory, "/var/lib/containerd", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
		"/proc", "/sys", "/dev", "/boot", "/run", "/var/run", "/root", "/tmp", "/var/tmp", "/var/log", "/var/lib/nfs"}
	for _, s := range system {
		if dir == s || strings.HasPrefix(dir, s+"/") {
			k.wrong(path, "lies in %s, which belongs to the system; choose a directory of its own such as /srv/data", s)
			return
		}
	}
	for _, s := range system {
		if strings.HasPrefix(s, dir+"/") {
			k.wrong(path, "holds %s, which belongs to the system; choose a directory of its own such as /srv/data", s)
			return
		}
	}
}

// duplicates reports every name of a list that stands in it before.
func (k *checker) duplicates(path string, names []string) {
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			k.add(finding.Repeated, fmt.Sprintf("%s.%d", path, i), "is in the list twice")
		}
	}
}
