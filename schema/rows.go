package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Exposure is one open port: what listens, where, and who may connect. Firewall, README and stacks read these rows.
type Exposure struct {
	Name  string   `json:"-"`
	Proto string   `json:"proto"` // "tcp", "udp", or the name or number of a protocol without ports
	Port  uint16   `json:"port"`  // 0 without ports
	Last  uint16   `json:"last"`  // equal to Port for a single port
	On    []string `json:"on"`    // node names, or the groups "all", "managers" and "workers"
	From  []string `json:"from"`  // zones: "management", "nuvla", "users", "cluster", "containers"
	Mode  string   `json:"mode"`  // "node", "host" or "ingress"
	Why   string   `json:"why"`
	Field string   `json:"field"` // the field of the spec that decides it

	Connections int `json:"connections,omitempty"` // at once, of one sender; 0 is no limit

	Expires string `json:"expires,omitempty"` // the last day on which it is needed, "2027-01-31", or empty
}

// Added reports whether the row stands in the spec itself and does not follow from other fields.
func (e Exposure) Added() bool { return e.Field == "exposures."+e.Name }

// Range returns the ports of the row; it is zero for esp.
func (e Exposure) Range() PortRange { return PortRange{First: e.Port, Last: e.Last} }

// Secret is a secret of the swarm without its value.
type Secret struct {
	Name     string `json:"-"`
	Revision int    `json:"revision"`
	Make     string `json:"make"` // "password", "login", "key-id", "certificate", "key" or "given"
	User     string `json:"user"`
	Why      string `json:"why"`
	Field    string `json:"field"`
}

// Object is the secret's name in the swarm: values are immutable there, so the revision is part of it (moby#35048).
func (s Secret) Object() string { return fmt.Sprintf("%s-r%d", s.Name, s.Revision) }

// Overlay is an overlay network that several stacks share. Subnet is empty when swarm chooses one.
type Overlay struct {
	Name       string `json:"-"`
	Attachable bool   `json:"attachable"`
	Internal   bool   `json:"internal"`
	Encrypted  bool   `json:"encrypted"`
	MTU        int    `json:"mtu"`
	Subnet     string `json:"subnet"`
	Why        string `json:"why"`
	Field      string `json:"field"`
}

// The maps of the spec are slices here, sorted by name, so that no order can leak into a bundle.
type (
	// Nodes are sorted by name.
	Nodes []Node
	// Exposures are sorted by port, then name.
	Exposures []Exposure
	// Secrets are sorted by name.
	Secrets []Secret
	// Overlays are sorted by name.
	Overlays []Overlay
)

func (n *Nodes) UnmarshalJSON(b []byte) (err error) {
	*n, err = rows(b, func(r *Node, name string) { r.Name = name }, func(r Node) string { return r.Name })
	return err
}

func (e *Exposures) UnmarshalJSON(b []byte) (err error) {
	*e, err = rows(b, func(r *Exposure, name string) { r.Name = name }, func(r Exposure) string {
		return fmt.Sprintf("%05d %s", r.Port, r.Name)
	})
	return err
}

func (s *Secrets) UnmarshalJSON(b []byte) (err error) {
	*s, err = rows(b, func(r *Secret, name string) { r.Name = name }, func(r Secret) string { return r.Name })
	return err
}

func (o *Overlays) UnmarshalJSON(b []byte) (err error) {
	*o, err = rows(b, func(r *Overlay, name string) { r.Name = name }, func(r Overlay) string { return r.Name })
	return err
}

func (n Nodes) MarshalJSON() ([]byte, error) {
	n = slices.Clone(n)
	for i := range n {
		if n[i].Underlay.IsValid() { // as the spec has them
			n[i].Address, n[i].Public = n[i].Underlay, n[i].outside
		}
	}
	return json.Marshal(byName(n, func(r Node) string { return r.Name }))
}

func (e Exposures) MarshalJSON() ([]byte, error) {
	return json.Marshal(byName(e, func(r Exposure) string { return r.Name }))
}

func (s Secrets) MarshalJSON() ([]byte, error) {
	return json.Marshal(byName(s, func(r Secret) string { return r.Name }))
}

func (o Overlays) MarshalJSON() ([]byte, error) {
	return json.Marshal(byName(o, func(r Overlay) string { return r.Name }))
}

// rows decodes a JSON object into a slice sorted by key; unknown fields are refused.
func rows[T any](b []byte, setName func(*T, string), key func(T) string) ([]T, error) {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	out := make([]T, 0, len(m))
	for name, raw := range m {
		var row T
		if err := decodeStrict(raw, &row); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		setName(&row, name)
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return out, nil
}

func byName[T any](rows []T, name func(T) string) map[string]T {
	m := make(map[string]T, len(rows))
	for _, r := range rows {
		m[name(r)] = r
	}
	return m
}
