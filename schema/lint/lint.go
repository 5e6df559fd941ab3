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
	l.traefik()
	l.storage()
	l.mesh()
	l.access()
	l.clear()
	l.encryption()
	l.told()
	l.webhook()
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
	switch days := l.Certificates.Days; {
	case days < 30:
		l.add("certificate-short", "certificates.days", fmt.Sprintf("certificates end after %d days; want 30 or more, unless a machine renews them", days))
	case days > 398 && l.Services.Traefik != nil && l.Services.Traefik.Certificate.SelfSigned != nil:
		l.add("certificate-long", "certificates.days", fmt.Sprintf("browsers refuse a web certificate that is valid for %d days; want at most 398", days))
	}
}

// pool compares the size of an overlay with the number of nodes: on the ingress network each of them takes an address.
func (l *linter) pool() {
	if room := 1<<(32-l.Engine.Pool.Size) - 3; room < len(l.Nodes) {
		l.add("pool-small", "engine.pool.size", fmt.Sprintf("networks of prefix length %d have room for %d nodes, and the cluster has %d; want a smaller number", l.Engine.Pool.Size, room, len(l.Nodes)))
	}
}

func (l *linter) traefik() {
	t := l.Services.Traefik
	if t == nil {
		return
	}
	if v, ok := schema.ImageVersion(t.Image, "traefik"); ok && v.Less(schema.Version{3, 7, 12}) {
		l.add("traefik-old", "services.traefik.image", "is older than 3.7.12: it gets no security fixes, and lets aliases of a header pass")
	}
	if s := l.Services.S3; s != nil && s.Host != "" {
		l.add("s3-host", "services.s3.host", fmt.Sprintf("keys with // or /./ fail there, since port 443 cleans up paths; they work on port %d", s.Port))
	}
}

func (l *linter) storage() {
	if s := l.Services.S3; s != nil && s.Server == "minio" {
		l.add("s3-root", "services.s3.server", "MinIO gets no user here: whoever stores objects holds root's keys; want \"versitygw\"")
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
