package stack

import "go.yaml.in/yaml/v3"

// TraefikFile is Traefik's static file in a bundle.
const TraefikFile = "stacks/traefik/" + staticFile

// Challenge returns how the authority of ACME is answered by Traefik's static file, which an older skep may have written:
// "http", "tls", or "" where there is no such authority.
func Challenge(file []byte) (string, error) {
	var s struct {
		Resolvers map[string]staticResolver `yaml:"certificatesResolvers"`
	}
	if err := yaml.Unmarshal(file, &s); err != nil {
		return "", err
	}
	switch acme := s.Resolvers[resolver].ACME; {
	case acme.HTTPChallenge != nil:
		return "http", nil
	case acme.TLSChallenge != nil:
		return "tls", nil
	}
	return "", nil
}
