// Package lint warns about clusters that are right, and perhaps not what their authors want.
package lint

import (
	"fmt"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Find gives the warnings about a cluster, without their places. The spec tells what its author wrote.
func Find(c *schema.Cluster, spec *written.Spec) finding.List {
	l := &linter{Cluster: c, spec: spec}
	l.managers()
	l.world()
	l.lifetimes()
	l.pool()
	l.images()
	l.remarks()
	l.mesh()
	l.access()
	l.clear()
	l.encryption()
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

func (l *linter) managers() {
	n := len(l.Managers())
	switch {
	case n == 1:
		l.add("managers-single", "nodes", "one manager: while it is down, nobody can change the swarm; want 3")
	case n%2 == 0:
		l.add("managers-even", "nodes", fmt.Sprintf("%d managers survive the loss of no more of them than %d would; want an odd number", n, n-1))
	}
	if n > 7 {
		l.add("managers-many", "nodes", fmt.Sprintf("%d managers: each change waits for most of them; want at most 7", n))
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

func (l *linter) lifetimes() {
	if days := l.Certificates.Days; days < 30 {
		l.add("certificate-short", "certificates.days", fmt.Sprintf("certificates end after %d days; want 30 or more, unless a machine renews them", days))
	}
}

// pool compares the size of an overlay with the number of nodes: on the ingress network each of them takes an address.
func (l *linter) pool() {
	if room := 1<<(32-l.Engine.Pool.Size) - 3; room < len(l.Nodes) {
		l.add("pool-small", "engine.pool.size", fmt.Sprintf("networks of prefix length %d have room for %d nodes, and the cluster has %d; want a smaller number", l.Engine.Pool.Size, room, len(l.Nodes)))
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

// images names each image that the spec chose; those that skep chose are one line, for one decision settles them all.
func (l *linter) images() {
	chosen := 0
	for _, i := range l.Rows.Images {
		switch {
		case strings.Contains(i.Image, "@sha256:"):
		case l.spec.Has(i.Field):
			l.add("image-digest", i.Field, "has no digest: whoever owns the tag can change what runs")
		default:
			chosen++
		}
	}
	if chosen > 0 {
		l.add("image-digest", "services", fmt.Sprintf("%d of skep's own images without a digest: whoever owns a tag can change what runs; images.txt lists them", chosen))
	}
}
