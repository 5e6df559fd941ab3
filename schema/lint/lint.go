// Package lint warns about clusters that are right, and perhaps not what their authors want.
package lint

import (
	"fmt"
	"slices"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Find gives the warnings about a cluster, without their places. The spec tells what its author wrote.
func Find(c *schema.Cluster, spec *written.Spec) finding.List {
	l := &linter{Cluster: c, spec: spec}
	l.unread()
	l.managers()
	l.world()
	l.unused()
	l.lifetimes()
	l.pool()
	l.unlocked()
	l.engines()
	l.remarks()
	l.mesh()
	l.access()
	l.clear()
	l.wide()
	return l.found
}

type linter struct {
	*schema.Cluster
	spec  *written.Spec
	found finding.List
}

func (l *linter) add(id finding.ID, path, text string) {
	l.found = append(l.found, finding.Finding{ID: id, Level: finding.Warning, Path: path, Text: text})
}

// unread finds a second spec in the directory, which its author may have edited in vain.
func (l *linter) unread() {
	if l.spec == nil {
		return
	}
	for _, name := range l.spec.Unread {
		l.add("spec-unread", "", name+": is not read, since a directory stands for its CUE files; name the file if you mean it, or remove it")
	}
}

func (l *linter) managers() {
	n := len(l.Managers())
	switch {
	case n == 1:
		l.add("managers-single", "nodes", "one manager: while it is down, nobody can change the swarm; want 3")
	case n%2 == 0:
		l.add("managers-even", "nodes", fmt.Sprintf("%d managers tolerate no more failures than %d; want an odd number", n, n-1))
	}
	if n > 7 {
		l.add("managers-many", "nodes", fmt.Sprintf("%d managers: every change needs a majority to write it; want at most 7", n))
	}
}

// world finds zones without bounds that reach the Docker API.
func (l *linter) world() {
	api, ok := l.Exposure("docker-api")
	if !ok {
		return
	}
	for _, zone := range api.From {
		for i, p := range l.Access.Listed(zone) {
			if p.Bits() == 0 {
				l.add("api-open", fmt.Sprintf("access.%s.%d", zone, i), "opens the Docker API to the whole world; name the addresses that need it")
			}
		}
	}
}

// unused finds zones that have addresses, and no port that is open to them.
func (l *linter) unused() {
	for _, zone := range []string{"nuvla", "users"} {
		opened := func(e schema.Exposure) bool { return slices.Contains(e.From, zone) }
		if len(l.Access.Listed(zone)) > 0 && !slices.ContainsFunc(l.Exposures, opened) {
			l.add("zone-unused", "access."+zone, "has no effect: no port is open to this zone")
		}
	}
}

func (l *linter) lifetimes() {
	if days := l.Certificates.Days; days < 30 {
		l.add("certificate-short", "certificates.days", fmt.Sprintf("certificates expire after %d days; use 30 or more unless renewal is automated", days))
	}
}

// pool compares the size of an overlay with the number of nodes: on the ingress network each of them takes an address.
func (l *linter) pool() {
	if room := 1<<(32-l.Engine.Pool.Size) - 3; room < len(l.Nodes) {
		l.add("pool-small", "engine.pool.size", fmt.Sprintf("networks of prefix length %d have room for %d nodes, and the cluster has %d; want a smaller number", l.Engine.Pool.Size, room, len(l.Nodes)))
	}
}

// unlocked finds archives that nobody could tell from others of the same name.
func (l *linter) unlocked() {
	if l.Images.Loads() && l.Lock == nil && len(l.Rows.Images) > 0 {
		l.add("images-unlocked", "images.delivery", "no images.lock says what an archive has to hold, and whoever has one with the right name can bring it")
	}
}

// remarks makes those of the services' rows that are warnings; check makes the others.
func (l *linter) remarks() {
	for _, r := range l.Remarks() {
		if id := finding.ID(r.ID); finding.LevelOf(id) == finding.Warning {
			l.add(id, r.Field, r.Text)
		}
	}
}
