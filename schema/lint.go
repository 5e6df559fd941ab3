package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is a warning about a spec that is right: ID is stable ("managers-even"), and Explain(ID) tells why.
type Finding struct {
	ID string `json:"id"`
	Mistake
}

// Error gives the finding as one line: `file:line:col: warning: path: got: text [id]`.
func (f Finding) Error() string {
	m := f.Mistake
	m.Path = "warning: " + m.Path
	m.Rule += " [" + f.ID + "]"
	return m.Error()
}

// Lint gives the warnings about a cluster, in file order.
func Lint(c *Cluster) []Finding {
	l := &linter{Cluster: c}
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
	l.webhook()
	l.wide()
	return Ordered(l.found)
}

// Ordered sorts findings in file order.
func Ordered(found []Finding) []Finding {
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Mistake.compare(b.Mistake) })
	return found
}

type linter struct {
	*Cluster
	found []Finding
}

func (l *linter) add(id, path, text string) {
	l.found = append(l.found, l.Finding(id, path, text))
}

// Finding gives a warning at the field's place in the spec.
func (c *Cluster) Finding(id, path, text string) Finding {
	return Finding{ID: id, Mistake: c.Mistake(path, text)}
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
		for i, p := range l.Access.Zone(zone) {
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
	if v, ok := ImageVersion(t.Image, "traefik"); ok && v.Less(Version{3, 7, 12}) {
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
	for _, i := range l.Images() {
		switch {
		case strings.Contains(i.Image, "@sha256:"):
		case l.isSet(i.Field):
			l.add("image-digest", i.Field, "has no digest: whoever owns the tag can change what runs")
		default:
			chosen++
		}
	}
	if chosen > 0 {
		l.add("image-digest", "services", fmt.Sprintf("%d of skep's own images without a digest: whoever owns a tag can change what runs; images.txt lists them", chosen))
	}
}

// FieldImage is an image and the field that names it.
type FieldImage struct{ Field, Image string }

// Images gives the image of every field of the spec that names one and is in use, in the order of the schema.
func (c *Cluster) Images() []FieldImage {
	var images []FieldImage
	s := c.Services
	if t := s.Traefik; t != nil {
		images = append(images, FieldImage{"services.traefik.image", t.Image}, FieldImage{"services.traefik.proxy.image", t.Proxy.Image})
	}
	if m := s.Monitoring; m != nil {
		images = append(images,
			FieldImage{"services.monitoring.prometheus.image", m.Prometheus.Image},
			FieldImage{"services.monitoring.grafana.image", m.Grafana.Image},
			FieldImage{"services.monitoring.nodeExporter.image", m.NodeExporter.Image},
			FieldImage{"services.monitoring.cadvisor.image", m.CAdvisor.Image})
		if m.Alerts != nil {
			images = append(images, FieldImage{"services.monitoring.alerts.image", m.Alerts.Image})
		}
	}
	if s.S3 != nil {
		images = append(images, FieldImage{"services.s3.image", s.S3.Image})
	}
	return images
}
