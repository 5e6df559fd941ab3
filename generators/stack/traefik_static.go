package stack

import (
	"reflect"

	"skep.dev/generators/stack/document"
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
		Precedence []string `yaml:"precedence,omitempty"`

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
		Email         string       `yaml:"email"`
		CAServer      string       `yaml:"caServer"`
		Roots         []string     `yaml:"caCertificates,omitempty"`
		Storage       string       `yaml:"storage"`
		KeyType       string       `yaml:"keyType"`
		HTTPChallenge *staticEntry `yaml:"httpChallenge,omitempty"`
		TLSChallenge  *struct{}    `yaml:"tlsChallenge,omitempty"`
	}
)

const resolver = schema.ACMEResolver

func traefikStatic(c *schema.Cluster) ([]byte, error) {
	t := c.Services.Traefik
	static := staticConfig{
		Log:     staticLog{Level: t.Log, Format: "json"},
		API:     staticAPI{Dashboard: true},
		Ping:    staticEntry{EntryPoint: status},
		Metrics: staticMetrics{Prometheus: staticEntry{EntryPoint: status, AddRoutersLabels: true}},
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
	notes := document.Notes{
		"log":                     "services.traefik.log",
		"ping":                    "/ping and /metrics, where internal leads to: never published",
		"providers/swarm":         "Applications that users deploy; skep's own routes are in " + dynamicFile + ".",
		"providers/swarm/network": "network.public.name",
		"entryPoints":             "services.traefik.ports",

		"entryPoints/redirect":            "What comes to web goes on to here, in the container: see tcp in " + dynamicFile + ".",
		"entryPoints/status":              "The same for internal.",
		"entryPoints/websecure/transport": "services.traefik.timeouts",
	}
	if since(t.Image, schema.Version{3, 7, 0}) {
		static.Providers.Precedence = []string{"file", "swarm"}
		notes["providers/precedence"] = "Of two routers with one priority, skep's own wins."
	}
	if a := t.Certificate.ACME; a != nil {
		static.Certificates = map[string]staticResolver{resolver: {ACME: acmeResolver(a)}}
		notes["certificatesResolvers"] = "services.traefik.certificate.acme"
	}
	for _, p := range c.Rows.Points {
		notes["entryPoints/"+p.Name] = p.Field
		if p.Verbatim {
			notes["entryPoints/"+p.Name+"/http/sanitizePath"] = "The client's signature covers the path as it was sent."
		}
	}
	return document.Marshal(static, notes)
}

func acmeResolver(a *schema.ACME) staticACME {
	r := staticACME{Email: a.Email, CAServer: a.Server, Storage: a.Storage, KeyType: "EC256"}
	if a.Root != "" {
		r.Roots = []string{"/etc/traefik/" + rootFile}
	}
	if a.Challenge == "http" {
		r.HTTPChallenge = &staticEntry{EntryPoint: redirect}
	} else {
		r.TLSChallenge = &struct{}{}
	}
	return r
}

func staticEntryPoints(c *schema.Cluster) map[string]staticEntryPoint {
	t := c.Services.Traefik
	var strategy string
	if since(t.Image, schema.Version{3, 7, 12}) {
		strategy = "delete" // an older one does not start with it, a newer one warns without it
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
		case redirect:
			point.Address = loopback + point.Address
			http.TLS = &staticTLS{}
			http.Middlewares = []string{inClear + "@file"}
			http.Redirections = &staticRedirections{EntryPoint: staticRedirection{To: "websecure", Scheme: "https", Permanent: true}}
		case status:
			point.Address = loopback + point.Address
			http.TLS = &staticTLS{}
		case "websecure":
			point.AsDefault = true
			point.Transport = &staticTransport{
				LifeCycle: &staticLifeCycle{Accept: "5s", Grace: "20s"},
				Timeouts:  &staticTimeouts{Read: t.Timeouts.Read},
			}
			http.TLS = &tls
			if c.Kind == "host" {
				http.Middlewares = []string{noIdentity + "@file"}
			}
		case "dashboard":
			http.TLS = &tls
		}
		if row, ok := c.Rows.Points.Named(e.name); ok {
			point.Transport = &staticTransport{Timeouts: &staticTimeouts{Read: row.Timeout}}
			http.TLS = &tls
			if row.Verbatim {
				http.SanitizePath = pointer(false)
			}
		}
		if !reflect.ValueOf(http).IsZero() {
			point.HTTP = &http
		}
		points[e.name] = point
	}
	return points
}

// since says whether the image of Traefik has what came with a version. One without a version is taken as new.
func since(image string, version schema.Version) bool {
	v, ok := schema.ImageVersion(image, "traefik")
	return !ok || !v.Less(version)
}
