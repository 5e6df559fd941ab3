package stack

import (
	"fmt"
	"math"
	"net/netip"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// The dynamic configuration of Traefik, as far as skep writes it. Field names are Traefik's.
// A router's tls replaces that of its entry point, ACME resolver and all, so only asked sets it.
type (
	dynamicConfig struct {
		HTTP dynamicHTTP    `yaml:"http"`
		TCP  dynamicTCP     `yaml:"tcp"`
		TLS  dynamicTLSPart `yaml:"tls"`
	}
	dynamicHTTP struct {
		Routers     map[string]dynamicRouter     `yaml:"routers"`
		Services    map[string]dynamicService    `yaml:"services"`
		Middlewares map[string]dynamicMiddleware `yaml:"middlewares"`
	}
	dynamicRouter struct {
		EntryPoints []string `yaml:"entryPoints"`
		Rule        string   `yaml:"rule"`
		Priority    int64    `yaml:"priority,omitempty"`
		Middlewares []string `yaml:"middlewares,omitempty"`
		Service     string   `yaml:"service"`

		TLS *dynamicRouterTLS `yaml:"tls,omitempty"`
	}
	dynamicRouterTLS struct {
		Resolver string          `yaml:"certResolver"`
		Domains  []dynamicDomain `yaml:"domains"`
	}
	dynamicService struct {
		LoadBalancer dynamicBalancer `yaml:"loadBalancer"`
	}
	dynamicBalancer struct {
		Servers     []dynamicServer `yaml:"servers"`
		HealthCheck *dynamicHealth  `yaml:"healthCheck,omitempty"`
	}
	dynamicServer struct {
		URL string `yaml:"url"`
	}
	dynamicHealth struct {
		Path     string `yaml:"path"`
		Interval string `yaml:"interval"`
		Timeout  string `yaml:"timeout"`
	}
	dynamicMiddleware struct {
		BasicAuth   *dynamicBasicAuth `yaml:"basicAuth,omitempty"`
		IPAllowList *dynamicAllowList `yaml:"ipAllowList,omitempty"`
		Compress    *struct{}         `yaml:"compress,omitempty"`
		Headers     *dynamicHeaders   `yaml:"headers,omitempty"`
	}
	dynamicHeaders struct {
		Request map[string]string `yaml:"customRequestHeaders"`
	}
	dynamicBasicAuth struct {
		UsersFile    string `yaml:"usersFile"`
		RemoveHeader bool   `yaml:"removeHeader"`
	}
	dynamicAllowList struct {
		SourceRange []string `yaml:"sourceRange"`
	}
	dynamicTLSPart struct {
		Certificates []dynamicCertificate `yaml:"certificates,omitempty"`

		Stores  map[string]dynamicStore   `yaml:"stores"`
		Options map[string]dynamicOptions `yaml:"options"`
	}
	dynamicStore struct {
		Default   *dynamicCertificate `yaml:"defaultCertificate,omitempty"`
		Generated *dynamicGenerated   `yaml:"defaultGeneratedCert,omitempty"`
	}
	dynamicCertificate struct {
		CertFile string `yaml:"certFile"`
		KeyFile  string `yaml:"keyFile"`
	}
	dynamicGenerated struct {
		Resolver string        `yaml:"resolver"`
		Domain   dynamicDomain `yaml:"domain"`
	}
	dynamicDomain struct {
		Main string `yaml:"main"`
	}
	dynamicOptions struct {
		MinVersion string `yaml:"minVersion"`
	}
)

// Rows of schema.Cluster.Rows.Middlewares that skep's own routers use.
const (
	adminLogin      = "admin-login"
	managementOnly  = "management-only"
	grafanaVisitors = "grafana-visitors"
	compress        = "compress"
	noIdentity      = "no-identity"
	inClear         = "in-clear"
)

// ownPriority is the highest that Traefik lets a router have. The labels of an application may ask for the same: then
// the provider that the static file names first wins, and with a Traefik before 3.7 chance does.
const ownPriority = math.MaxInt64 - 1000

func traefikDynamic(c *schema.Cluster) ([]byte, error) {
	notes := document.Notes{
		"http/routers/catchall":        "What no other router takes is answered with 503: the service has no servers.",
		"http/routers/dashboard":       "services.traefik.dashboard, for visitors by address; the firewall lets only access.management reach this port.",
		"http/routers/dashboard-names": "certificates.names and domain: by name, no label comes before it.",
		"http/services/unavailable":    "Servers below go by their whole names in the swarm.",
		"tls/stores":                   "services.traefik.certificate",
	}
	d := dynamicConfig{
		HTTP: dynamicHTTP{
			Routers: map[string]dynamicRouter{
				"catchall": {EntryPoints: []string{"websecure"}, Rule: "PathPrefix(`/`)", Priority: 1, Service: "unavailable"},
			},
			Services:    map[string]dynamicService{"unavailable": {LoadBalancer: dynamicBalancer{Servers: []dynamicServer{}}}},
			Middlewares: middlewares(c, notes),
		},
		TCP: guard(c, notes),
		TLS: dynamicTLSPart{
			Certificates: certificates(c),

			Stores:  map[string]dynamicStore{"default": defaultCertificate(c)},
			Options: map[string]dynamicOptions{"default": {MinVersion: "VersionTLS12"}},
		},
	}
	d.port(c, "dashboard", "api@internal", []string{adminLogin})
	d.challenges(c, notes)
	services, err := deployed(c)
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		if s.routes != nil {
			s.routes(&d, c, notes)
		}
	}
	return document.Marshal(d, notes)
}

// middlewares are those of the rows.
func middlewares(c *schema.Cluster, notes document.Notes) map[string]dynamicMiddleware {
	out := map[string]dynamicMiddleware{}
	for _, m := range c.Rows.Middlewares {
		var d dynamicMiddleware
		switch {
		case m.Login != "":
			d.BasicAuth = &dynamicBasicAuth{UsersFile: secretFile(m.Login), RemoveHeader: true}
		case len(m.Visitors) > 0:
			d.IPAllowList = &dynamicAllowList{}
			for _, zone := range m.Visitors {
				d.IPAllowList.SourceRange = append(d.IPAllowList.SourceRange, texts(c.Zone(zone))...)
			}
		case len(m.Headers) > 0:
			d.Headers = &dynamicHeaders{m.Headers}
		case m.Compress:
			d.Compress = &struct{}{}
		}
		out[m.Name] = d
		if m.Why != "" {
			notes["http/middlewares/"+m.Name] = m.Why
		}
	}
	return out
}

// certificates are those for visitors by name: a label can take the default one away, but not these. ACME has its own.
func certificates(c *schema.Cluster) []dynamicCertificate {
	if c.Services.Traefik.Certificate.ACME != nil {
		return nil
	}
	return []dynamicCertificate{{CertFile: secretFile(certificateSecret), KeyFile: secretFile(keySecret)}}
}

func defaultCertificate(c *schema.Cluster) dynamicStore {
	if c.Services.Traefik.Certificate.ACME != nil {
		return dynamicStore{Generated: &dynamicGenerated{Resolver: resolver, Domain: dynamicDomain{Main: c.Domain}}}
	}
	return dynamicStore{Default: &certificates(c)[0]}
}

// port gives a service a whole entry point of the same name: by name, and for visitors by address, who send none.
func (d *dynamicConfig) port(c *schema.Cluster, point, service string, middlewares []string) {
	d.HTTP.Routers[point] = dynamicRouter{
		EntryPoints: []string{point}, Rule: "PathPrefix(`/`)", Priority: ownPriority, Middlewares: middlewares, Service: service,
	}
	d.HTTP.Routers[point+"-names"] = dynamicRouter{
		EntryPoints: []string{point}, Rule: hosts(c), Priority: ownPriority, Middlewares: middlewares, Service: service, TLS: asked(c),
	}
}

// page adds a service of the monitoring that lives below a path, and knows it: nothing is stripped.
func (d *dynamicConfig) page(c *schema.Cluster, name, path string, port uint16, health string, middlewares []string) {
	d.HTTP.Routers[name] = dynamicRouter{
		EntryPoints: []string{"websecure"},
		Rule:        fmt.Sprintf("(%s) && (Path(`%s`) || PathPrefix(`%s/`))", hosts(c), path, path),
		Priority:    ownPriority,
		Middlewares: middlewares,
		Service:     name,
		TLS:         asked(c),
	}
	d.HTTP.Services[name] = server("monitoring_"+name, port, path+health)
}

func server(host string, port uint16, health string) dynamicService {
	return dynamicService{LoadBalancer: dynamicBalancer{
		Servers:     []dynamicServer{{URL: "http://" + host + address(port)}},
		HealthCheck: &dynamicHealth{Path: health, Interval: "30s", Timeout: "5s"},
	}}
}

func texts(prefixes []netip.Prefix) []string {
	var out []string
	for _, p := range prefixes {
		out = append(out, p.String())
	}
	return out
}
