package schema

import (
	"bytes"
	"encoding/json"
	"slices"

	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
)

// Stack is an application of the users. What its Compose files say is beside it, where the spec was loaded.
type Stack struct {
	Name      string                  `json:"-"`
	Compose   []string                `json:"compose"` // below the directory of the spec, the later over the earlier
	Values    map[string]Literal      `json:"values"`
	Profiles  []string                `json:"profiles"`  // "debug" is on, "!debug" off
	Exposures map[string]StackOpening `json:"exposures"` // by "service", "service:443" or "service:53/udp"
	Secrets   map[string]StackSecret  `json:"secrets"`   // by their names in the Compose files
	Configs   map[string]StackConfig  `json:"configs"`   // likewise
	Volumes   map[string]StackVolume  `json:"volumes"`   // likewise
	Networks  map[string]StackNetwork `json:"networks"`  // likewise
	Images    map[string]string       `json:"images"`    // digests, by image
	Waive     map[string]StackWaiver  `json:"waive"`     // by ID of a finding

	Project *compose.Project `json:"-"` // what the Compose files say
	Hosts   []string         `json:"-"` // that its labels for Traefik name
	Said    finding.List     `json:"-"` // warnings about them
}

// Stacks are sorted by name.
type Stacks = Rows[Stack, *Stack]

func (s *Stack) name() *string { return &s.Name }

// Field is the path of a field of the stack in the spec.
func (s Stack) Field(names ...string) string {
	return JoinPath(append([]string{"stacks", s.Name}, names...)...)
}

// Made is the name in the swarm of a network that the stack's own deploy makes, by its name in the Compose files.
func (s Stack) Made(network string) string {
	return compose.ObjectName(s.Name, s.Project.Networks[network].Name, network)
}

// DefaultNetwork is that of services which name none, by its name in the Compose files.
const DefaultNetwork = "default"

// IsOn reports whether a service of the stack is on a network, by its name in the Compose files.
func (s Stack) IsOn(network string) bool {
	for _, service := range s.Project.Services {
		if _, on := service.Networks[network]; on || len(service.Networks) == 0 && network == DefaultNetwork {
			return true
		}
	}
	return false
}

// Makes are the networks that the stack's own deploy makes, by their names in the Compose files: sorted. Docker makes none
// that no service is on.
func (s Stack) Makes() []string {
	names := s.Project.NetworkNames()
	if !slices.Contains(names, DefaultNetwork) {
		names = append(names, DefaultNetwork)
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return bool(s.Project.Networks[name].External) || !s.IsOn(name) })
}

// Subnets are those that the Compose files give to a network, as they write them.
func (s Stack) Subnets(network string) []string {
	var subnets []string
	for _, pool := range s.Project.Networks[network].Ipam.Config {
		if pool != nil && pool.Subnet != "" {
			subnets = append(subnets, pool.Subnet)
		}
	}
	return subnets
}

// NetworkName is the name in the swarm of a network that a stack's Compose files call external, by its name there.
func (c *Cluster) NetworkName(s Stack, name string) string {
	said := s.Networks[name]
	switch {
	case said.Public:
		return c.Network.Public.Name
	case said.Name != "":
		return said.Name
	case said.Stack != "":
		if of, ok := c.Stacks.Named(said.Stack); ok && of.Project != nil {
			return of.Made(said.Network)
		}
	case s.Project.Networks[name].Name != "":
		return s.Project.Networks[name].Name
	}
	return name
}

// After are the stacks that are deployed before this one, since they make networks that it uses: sorted.
func (s Stack) After() []string {
	var out []string
	for _, n := range s.Networks {
		if n.Stack != "" && !slices.Contains(out, n.Stack) {
			out = append(out, n.Stack)
		}
	}
	slices.Sort(out)
	return out
}

// SecretName is the name of the row of one of its secrets. No name of skep's own, and of no stack, has an underscore: so it
// is nobody else's.
func (s Stack) SecretName(name string) string { return s.Name + "_" + name }

// StackOpening says who may connect to published ports.
type StackOpening struct {
	From    []string `json:"from"` // zones
	Why     string   `json:"why,omitempty"`
	Expires string   `json:"expires,omitempty"` // "2027-01-31", or empty
}

// StackSecret is a secret of the swarm that services of the stack use.
type StackSecret struct {
	Revision int    `json:"revision"`
	Make     string `json:"make"` // "given" or "password"
	Why      string `json:"why,omitempty"`
	External string `json:"external,omitempty"` // the name of one that is somebody else's
}

// StackConfig is a config of the swarm that is somebody else's.
type StackConfig struct {
	External string `json:"external"` // its name there
}

// Waiver says why somebody accepts a finding, and how long.
type Waiver struct {
	Reason  string `json:"reason"`
	Expires string `json:"expires"` // the last day, "2027-01-31"
}

// SpecWaiver is a warning that somebody accepts, for some fields or for all when Fields is empty.
type SpecWaiver struct {
	Waiver
	Fields []string `json:"fields"`
}

// StackWaiver is a finding that somebody accepts, for some services or for all when Services is empty.
type StackWaiver struct {
	Waiver
	Services []string `json:"services"`
}

// StackVolume is where a volume of the stack is kept: below a share, or on a node.
type StackVolume struct {
	Share string `json:"share,omitempty"`
	Path  string `json:"path"` // below the share; "." is the share itself
	Node  string `json:"node,omitempty"`
}

// Shared is a directory that all nodes see alike.
type Shared struct {
	Path string `json:"-"`
	Why  string `json:"why"`
}

func (s *Shared) name() *string { return &s.Path }

// StackNetwork is what a Compose file calls an external network: exactly one of Public, Name, and Stack with Network is set.
type StackNetwork struct {
	Public  bool   `json:"public,omitempty"`
	Name    string `json:"name,omitempty"`    // in the swarm
	Stack   string `json:"stack,omitempty"`   // of the spec, whose network it is
	Network string `json:"network,omitempty"` // by its name in the Compose files of that one
}

// Literal is a value of a variable: a text, a whole number or a bool of the spec.
type Literal struct{ json json.RawMessage }

// UnmarshalJSON keeps what stands in the spec.
func (v *Literal) UnmarshalJSON(b []byte) error {
	v.json = bytes.Clone(b)
	return nil
}

// MarshalJSON gives it back.
func (v Literal) MarshalJSON() ([]byte, error) { return v.json, nil }

// String is the text that stands for the variable.
func (v Literal) String() string {
	var s string
	if json.Unmarshal(v.json, &s) == nil {
		return s
	}
	return string(v.json)
}
