package stack

import (
	"reflect"

	"skep.dev/schema"
)

// The static configuration of Traefik, as far as skep writes it. Field names are Traefik's.
type (
	staticConfig struct {
		Global       staticGlobal                `yaml:"global"`
		Log          staticLog                   `yaml:"log"`
		API          staticAPI                   `yaml:"api"`
		Ping         staticEntry                 `yaml:"ping"`
		Metrics      staticMetrics               `yaml:"metrics"`
		Providers    staticProviders             `yaml:"providers"`
		EntryPoints  map[string]staticEntryPoint `yaml:"entryPoints"`
		Certificates map[string]staticResolver   `yaml:"certificatesResolvers,omitempty"`
	}
	staticGlobal struct {
		CheckNewVersion    bool `yaml:"checkNewVersion"`
		SendAnonymousUsage bool `yaml:"sendAnonymousUsage"`
	}
	staticLog struct {
		Level  string `yaml:"level"`
		Format string `yaml:"format"`
	}
	staticAPI struct {
		Dashboard bool `yaml:"dashboard"`
		Insecure  bool `yaml:"insecure"`
	}
	staticEntry struct {
		EntryPoint       string `yaml:"entryPoint"`
		AddRoutersLabels bool   `yaml:"addRoutersLabels,omitempty"`
	}
	staticMetrics struct {
		Prometheus staticEntry `yaml:"prometheus"`
	}
	staticProviders struct {
		Swarm staticSwarm `yaml:"swarm"`
		File  staticFiles `yaml:"file"`
	}
	staticSwarm struct {
		Endpoint           string `yaml:"endpoint"`
		ExposedByDefault   bool   `yaml:"exposedByDefault"`
		Network            string `yaml:"network"`
		AllowEmptyServices bool   `yaml:"allowEmptyServices"`
		HTTPClientTimeout  string `yaml:"httpClientTimeout"`
	}
	staticFiles struct {
		Filename string `yaml:"filename"`
		Watch    bool   `yaml:"watch"`
	}
	staticEntryPoint struct {
		Address   string           `yaml:"address"`
		AsDefault bool             `yaml:"asDefault,omitempty"`
		HTTP      *staticHTTP      `yaml:"http,omitempty"`
		Transport *staticTransport `yaml:"transport,omitempty"`
	}
	staticHTTP struct {
		Middlewares  []string            `yaml:"middlewares,omitempty"`
		AliasHeaders string              `yaml:"aliasHeadersStrategy,omitempty"`
		SanitizePath *bool               `yaml:"sanitizePath,omitempty"`
		TLS          *staticTLS          `yaml:"tls,omitempty"`
		Redirections *staticRedirections `yaml:"redirections,omitempty"`
	}
	staticTLS struct {
		CertResolver string `yaml:"certResolver,omitempty"`
	}
	staticRedirections struct {
		EntryPoint staticRedirection `yaml:"entryPoint"`
	}
	staticRedirection struct {
		To        string `yaml:"to"`
		Scheme    string `yaml:"scheme"`
		Permanent bool   `yaml:"permanent"`
	}
	staticTransport struct {
		LifeCycle *staticLifeCycle `yaml:"lifeCycle,omitempty"`
		Timeouts  *staticTimeouts  `yaml:"respondingTimeouts,omitempty"`
	}
	staticLifeCycle struct {
		Accept string `yaml:"requestAcceptGraceTimeout"`
		Grace  string `yaml:"graceTimeOut"`
	}
	staticTimeouts struct {
		Read string `yaml:"readTimeout"`
	}
	staticResolver struct {
		ACME staticACME `yaml:"acme"`
	}
	staticACME struct {
		Email         string      `yaml:"email"`
		CAServer      string      `yaml:"caServer"`
		Storage       string      `yaml:"storage"`
		KeyType       string      `yaml:"keyType"`
		HTTPChallenge staticEntry `yaml:"httpChallenge"`
	}
)

// resolver is the name by which routers ask for a certificate of the ACME authority.
const resolver = "acme"

// uploadTimeout is how long the body of one upload may take; Traefik's default is one minute.
const uploadTimeout = "12h"

func traefikStatic(c *schema.Cluster) ([]byte, error) {
	t := c.Services.Traefik
	static := staticConfig{
		Log:     staticLog{Level: t.Log, Format: "json"},
		API:     staticAPI{Dashboard: true},
		Ping:    staticEntry{EntryPoint: "internal"},
		Metrics: staticMetrics{Prometheus: staticEntry{EntryPoint: "internal", AddRoutersLabels: true}},
		Providers: staticProviders{
			Swarm: staticSwarm{
				Endpoint:           "tcp://" + proxyHost + address(t.Proxy.Port),
				Network:            c.Network.Public.Name,
				AllowEmptyServices: true,
				HTTPClientTimeout:  "10s",
			},
			File: staticFiles{Filename: "/etc/traefik/" + dynamicFile},
		},
		EntryPoints: staticEntryPoints(c),
	}
	notes := Notes{
		"log":                     "services.traefik.log",
		"ping":                    "/ping and /metrics: never published",
		"providers/swarm":         "Applications that users deploy; skep's own routes are in " + dynamicFile + ".",
		"providers/swarm/network": "network.public.name",
		"entryPoints":             "services.traefik.ports",
	}
	if a := t.Certificate.ACME; a != nil {
		static.Certificates = map[string]staticResolver{resolver: {ACME: staticACME{
			Email: a.Email, CAServer: a.Server, Storage: a.Storage, KeyType: "EC256",
			HTTPChallenge: staticEntry{EntryPoint: "web"},
		}}}
		notes["certificatesResolvers"] = "services.traefik.certificate.acme"
	}
	if c.Services.S3 != nil {
		notes["entryPoints/s3"] = "services.s3.port"
		notes["entryPoints/s3/http/sanitizePath"] = "The client's signature covers the path as it was sent."
	}
	return encodeValue(static, notes)
}

func staticEntryPoints(c *schema.Cluster) map[string]staticEntryPoint {
	t := c.Services.Traefik
	var strategy string
	if knowsAliasHeaders(t.Image) {
		strategy = "delete"
	}
	tls := staticTLS{}
	if t.Certificate.ACME != nil {
		tls.CertResolver = resolver
	}
	points := map[string]staticEntryPoint{}
	for _, e := range entryPoints(c) {
		point := staticEntryPoint{Address: address(e.port)}
		http := staticHTTP{AliasHeaders: strategy}
		switch e.name {
		case "web":
			http.Redirections = &staticRedirections{EntryPoint: staticRedirection{To: "websecure", Scheme: "https", Permanent: true}}
		case "websecure":
			point.AsDefault = true
			point.Transport = &staticTransport{LifeCycle: &staticLifeCycle{Accept: "5s", Grace: "20s"}}
			if c.Services.S3 != nil && c.Services.S3.Host != "" {
				point.Transport.Timeouts = &staticTimeouts{Read: uploadTimeout}
			}
			http.TLS = &tls
			if c.Kind == "host" {
				http.Middlewares = []string{noIdentity + "@file"}
			}
		case "dashboard":
			http.TLS = &tls
		case "s3":
			point.Transport = &staticTransport{Timeouts: &staticTimeouts{Read: uploadTimeout}}
			http.SanitizePath = pointer(false)
			http.TLS = &tls
		}
		if !reflect.ValueOf(http).IsZero() {
			point.HTTP = &http
		}
		points[e.name] = point
	}
	return points
}

// knowsAliasHeaders says whether the image reads aliasHeadersStrategy, which came with Traefik 3.7.12: an older one does
// not start with it, a newer one warns without it. An image without a version is taken as new.
func knowsAliasHeaders(image string) bool {
	v, ok := schema.ImageVersion(image, "traefik")
	return !ok || !v.Less(schema.Version{3, 7, 12})
}
