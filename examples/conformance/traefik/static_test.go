package traefik

// The part of Traefik's static configuration that a bundle may use, as pkg/config/static of v3.7 spells it. That
// package itself needs every provider of Traefik, over 2000 packages; the decoder here is Traefik's own, and as strict.
type staticConfig struct {
	Global      *globalConfig
	Log         *logConfig
	API         *apiConfig
	Ping        pingConfig
	Metrics     metricsConfig
	Providers   providersConfig
	EntryPoints map[string]*entryPoint

	CertificatesResolvers map[string]*resolver
}

type globalConfig struct{ CheckNewVersion, SendAnonymousUsage bool }

type logConfig struct{ Level, Format string }

type apiConfig struct{ Dashboard, Insecure bool }

type pingConfig struct{ EntryPoint string }

type metricsConfig struct {
	Prometheus struct {
		EntryPoint       string
		AddRoutersLabels bool
	}
}

type providersConfig struct {
	Precedence []string

	Swarm struct {
		Endpoint, Network, HTTPClientTimeout string
		ExposedByDefault, AllowEmptyServices bool
	}
	File struct {
		Filename string
		Watch    bool
	}
}

type entryPoint struct {
	Address   string
	AsDefault bool
	HTTP      httpConfig
	Transport struct {
		LifeCycle          struct{ RequestAcceptGraceTimeout, GraceTimeOut string }
		RespondingTimeouts struct{ ReadTimeout string }
	}
}

type httpConfig struct {
	Middlewares          []string
	AliasHeadersStrategy string
	SanitizePath         *bool
	Redirections         struct {
		EntryPoint struct {
			To, Scheme string
			Permanent  bool
		}
	}
	TLS *struct{ CertResolver string } `file:"allowEmpty"`
}

type resolver struct {
	ACME struct {
		Email, CAServer, Storage, KeyType string
		CACertificates                    []string
		HTTPChallenge                     *struct{ EntryPoint string }
		TLSChallenge                      *struct{} `file:"allowEmpty"`
	}
}
