package review

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// The parts of the README that are the same for every cluster are Markdown files. A block that begins with a line
// `[if WORD]` and ends with `[end]` stays only where the cluster has what the word says.
var (
	//go:embed files.md
	filesText string
	//go:embed days.md
	daysText string
	//go:embed differs.md
	differsText string
	//go:embed vpn.md
	accessText string
	//go:embed trust.md
	trustText string
	//go:embed register.md
	registerText string
)

func files(c *schema.Cluster) string {
	b := firewall.BackendOf(c)
	return strings.NewReplacer("RULES_ENDING", path.Ext(b.Endings()[0]), "RULES_INSTALLED", strings.Join(b.Installed(), "`, `")).
		Replace(choose(filesText, traits(c)))
}
func days(c *schema.Cluster) string {
	return strings.NewReplacer("CERTIFICATE_DAYS", fmt.Sprint(c.Certificates.Days), "CERTIFICATE_WARN", fmt.Sprint(c.Certificates.Warn)).
		Replace(choose(daysText, traits(c)))
}
func trust(c *schema.Cluster) string   { return choose(trustText, traits(c)) }
func differs(c *schema.Cluster) string { return choose(differsText, traits(c)) }
func register(c *schema.Cluster) string {
	text := choose(registerText, traits(c))
	values := []string{"DOMAIN", c.Domain, "API_HOST", apiHost(c), "API_PORT", fmt.Sprint(c.Engine.Ports.API)}
	if s := c.Services.S3; s != nil {
		values = append(values, "S3_PORT", fmt.Sprint(s.Port), "S3_USER", s.User.Name)
	}
	if n := c.Services.NFS; n != nil {
		values = append(values, "NFS_PATH", n.Path)
	}
	return strings.NewReplacer(values...).Replace(text)
}

// apiHost is the name under which Nuvla reaches a manager: the domain, unless that leads to workers that run Traefik.
func apiHost(c *schema.Cluster) string {
	t := c.Services.Traefik
	if t == nil || !slices.ContainsFunc(t.Nodes, func(name string) bool { return c.Node(name).Role != "manager" }) {
		return c.Domain
	}
	m := c.Managers()[0]
	address := m.Address
	if m.Public.IsValid() {
		address = m.Public
	}
	if address.Is6() {
		return "[" + address.String() + "]"
	}
	return address.String()
}

// access tells about services.vpn.access.
func access(c *schema.Cluster) string {
	a := c.VPNAccess()
	return strings.NewReplacer("ENDPOINT", a.Endpoint, "PORT", fmt.Sprint(a.Port), "PROTOCOL", a.Protocol,
		"ZONE", a.Zone, "NODE", a.Node).Replace(accessText)
}

// traits says which optional blocks of the texts apply.
func traits(c *schema.Cluster) map[string]bool {
	s := c.Services
	t := map[string]bool{
		c.Kind:       true,
		"autolock":   c.Engine.Autolock,
		"traefik":    s.Traefik != nil,
		"monitoring": s.Monitoring != nil,
		"nfs":        s.NFS != nil,
		"s3":         s.S3 != nil,
		"vpn":        c.VPNAccess() != nil,
		"mesh":       c.Mesh() != nil,
		"no-vpn":     c.Services.VPN == nil,
	}
	if s.Traefik != nil {
		t["selfSigned"] = s.Traefik.Certificate.SelfSigned != nil
		t["acme"] = s.Traefik.Certificate.ACME != nil
		t["files"] = s.Traefik.Certificate.Files != nil
	}
	if s.S3 != nil {
		_, user := c.Secret("s3-user-key")
		t["s3-user"], t["s3-root"] = user, !user
	}
	if s.Monitoring != nil {
		t["alerts"] = s.Monitoring.Alerts != nil
	}
	return t
}

func choose(text string, has map[string]bool) string {
	var b strings.Builder
	keep := true
	for line := range strings.Lines(text) {
		switch trait, ok := strings.CutPrefix(strings.TrimSpace(line), "[if "); {
		case ok:
			keep = has[strings.TrimSuffix(trait, "]")]
		case strings.TrimSpace(line) == "[end]":
			keep = true
		case keep:
			b.WriteString(line)
		}
	}
	return b.String()
}
