package stack

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// The labels of any service may ask for raw TCP on any entry point, and Traefik looks at such routers before those of
// HTTP (its ServeTCP). What skep answers itself is kept by three rules of Traefik:
//   - an HTTPS router with a concrete Host goes before every TCP router: so each name has one (hosts);
//   - of the TCP routers, only the first that matches counts, and one for exactly HostSNI(`*`) stands back behind an
//     HTTPS router without a Host, which is that of visitors by address: "named" is always the first;
//   - in clear, TCP goes before HTTP whatever it says: "plain" refuses it, and port 80 and the metrics are led over TLS
//     to entry points where the second rule holds, and where Traefik's own routers answer.
type (
	dynamicTCP struct {
		Routers    map[string]dynamicTCPRouter    `yaml:"routers"`
		Services   map[string]dynamicTCPService   `yaml:"services"`
		Transports map[string]dynamicTCPTransport `yaml:"serversTransports"`
	}
	dynamicTCPRouter struct {
		EntryPoints []string       `yaml:"entryPoints"`
		Rule        string         `yaml:"rule"`
		Priority    int64          `yaml:"priority"`
		Service     string         `yaml:"service"`
		TLS         *dynamicTCPTLS `yaml:"tls,omitempty"`
	}
	dynamicTCPTLS struct {
		Passthrough bool `yaml:"passthrough"`
	}
	dynamicTCPService struct {
		LoadBalancer dynamicTCPBalancer `yaml:"loadBalancer"`
	}
	dynamicTCPBalancer struct {
		Servers   []dynamicTCPServer `yaml:"servers"`
		Transport string             `yaml:"serversTransport,omitempty"`
	}
	dynamicTCPServer struct {
		Address string `yaml:"address"`
		TLS     bool   `yaml:"tls"`
	}
	dynamicTCPTransport struct {
		TLS dynamicTCPClient `yaml:"tls"`
	}
	dynamicTCPClient struct {
		SkipVerify bool `yaml:"insecureSkipVerify"`
	}
)

const (
	everything = "HostSNI(`*`)"
	nowhere    = "nowhere"
	redirect   = "redirect"
	status     = "status"
	itself     = "itself"
)

// guard returns the TCP routers that stand before those of labels.
func guard(c *schema.Cluster, notes document.Notes) dynamicTCP {
	ports := c.Services.Traefik.Ports
	inner := map[string]string{"web": redirect, "internal": status} // where plain HTTP goes on, over TLS
	var plain, named []string
	for _, e := range entryPoints(c) {
		if e.name != "websecure" || c.Services.Traefik.TCP == "none" {
			named = append(named, e.name)
		}
		if inner[e.name] == "" {
			plain = append(plain, e.name)
		}
	}
	slices.Sort(plain)
	slices.Sort(named)
	notes["tcp"] = "Labels can ask for raw TCP, which goes before HTTP. These routers go before theirs."
	notes["tcp/routers/named"] = "Traefik passes over it where a router of its own entry point answers, and over all other TCP with it. services.traefik.tcp"
	notes["tcp/routers/plain"] = "Nothing in clear on a port for TLS."
	notes["tcp/routers/"+redirect] = "What comes to port 80 is answered where labels cannot take it: by Traefik's own routers behind TLS."
	notes["tcp/routers/"+status] = "The same for metrics."
	notes["tcp/serversTransports/"+itself] = "Traefik talks to itself, inside its container."
	d := dynamicTCP{
		Routers: map[string]dynamicTCPRouter{
			"named": {EntryPoints: named, Rule: everything, Priority: ownPriority, Service: nowhere, TLS: &dynamicTCPTLS{Passthrough: true}},
			"plain": {EntryPoints: plain, Rule: everything, Priority: ownPriority, Service: nowhere},
		},
		Services:   map[string]dynamicTCPService{nowhere: {dynamicTCPBalancer{Servers: []dynamicTCPServer{}}}},
		Transports: map[string]dynamicTCPTransport{itself: {dynamicTCPClient{SkipVerify: true}}},
	}
	to := map[string]uint16{redirect: ports.Redirect, status: ports.Status}
	for outer, name := range inner {
		d.Routers[name] = dynamicTCPRouter{EntryPoints: []string{outer}, Rule: everything, Priority: ownPriority, Service: name}
		server := dynamicTCPServer{loopback + address(to[name]), true}
		d.Services[name] = dynamicTCPService{dynamicTCPBalancer{Servers: []dynamicTCPServer{server}, Transport: itself}}
	}
	return d
}

// loopback is where Traefik listens for itself alone: each container has a loopback of its own.
const loopback = "127.0.0.1"

// challenges keeps the paths of ACME at skep's own names: who answers there can have a certificate for the name.
// An authority that asks on port 80 follows the redirection to here.
func (d *dynamicConfig) challenges(c *schema.Cluster, notes document.Notes) {
	d.HTTP.Routers["challenges"] = dynamicRouter{
		EntryPoints: []string{"websecure"},
		Rule:        fmt.Sprintf("(%s) && PathPrefix(`/.well-known/acme-challenge/`)", hosts(c)),
		Priority:    ownPriority,
		Service:     "unavailable",
		TLS:         asked(c),
	}
	notes["http/routers/challenges"] = "Whoever answers here can have a certificate for the name, so no application does."
}

// hosts is a rule for the names under which the cluster's own pages answer: its domain, certificates.names, and the
// names and addresses of the nodes that Traefik runs on. Any other name belongs to an application, whatever its path.
func hosts(c *schema.Cluster) string {
	var rules []string
	for _, name := range c.PageNames() {
		rules = append(rules, "Host(`"+name+"`)")
	}
	return strings.Join(rules, " || ")
}

// asked are the names of hosts that the ACME authority is asked to certify, each in a certificate of its own, so that
// one which it cannot see does not cost the others theirs. No authority signs private addresses, so none is asked.
// It is nil without ACME: a router's tls replaces that of its entry point.
func asked(c *schema.Cluster) *dynamicRouterTLS {
	if c.Services.Traefik.Certificate.ACME == nil {
		return nil
	}
	t := &dynamicRouterTLS{Resolver: resolver}
	for _, name := range append([]string{c.Domain}, c.Certificates.Names...) {
		d := dynamicDomain{Main: name}
		if _, err := netip.ParseAddr(name); err == nil || slices.Contains(t.Domains, d) {
			continue
		}
		t.Domains = append(t.Domains, d)
	}
	return t
}
