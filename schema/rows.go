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

// Rows are a map of the spec as a slice, sorted by name, so that no order can leak into a bundle. A row that says so is
// sorted by another key.
type Rows[T any, P row[T]] []T

// row is a pointer to what stands under a name in a map of the spec.
type row[T any] interface {
	*T
	name() *string
}

// sorter is a row with an order of its own.
type sorter interface{ key() string }

// The maps of the spec.
type (
	// Nodes are sorted by name.
	Nodes = Rows[Node, *Node]
	// Exposures are sorted by port, then name.
	Exposures = Rows[Exposure, *Exposure]
	// Secrets are sorted by name.
	Secrets = Rows[Secret, *Secret]
	// Overlays are sorted by name.
	Overlays = Rows[Overlay, *Overlay]
	// MeshPeers are sorted by name.
	MeshPeers = Rows[MeshPeer, *MeshPeer]
)

func (n *Node) name() *string     { return &n.Name }
func (e *Exposure) name() *string { return &e.Name }
func (s *Secret) name() *string   { return &s.Name }
func (o *Overlay) name() *string  { return &o.Name }
func (p *MeshPeer) name() *string { return &p.Name }

func (e *Exposure) key() string { return fmt.Sprintf("%05d %s", e.Port, e.Name) }

// UnmarshalJSON reads an object of rows; it refuses fields that a row does not have.
func (r *Rows[T, P]) UnmarshalJSON(b []byte) error {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	out := make(Rows[T, P], 0, len(m))
	for name, raw := range m {
		var one T
		if err := decodeStrict(raw, &one); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*P(&one).name() = name
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b T) int { return strings.Compare(sortKey(P(&a)), sortKey(P(&b))) })
	*r = out
	return nil
}

// MarshalJSON writes the rows as the spec has them.
func (r Rows[T, P]) MarshalJSON() ([]byte, error) {
	m := make(map[string]T, len(r))
	for _, one := range r {
		m[*P(&one).name()] = one
	}
	return json.Marshal(m)
}

// Names returns the names of the rows, in their order.
func (r Rows[T, P]) Names() []string {
	names := make([]string, len(r))
	for i := range r {
		names[i] = *P(&r[i]).name()
	}
	return names
}

// Named returns the row of that name, and whether there is one.
func (r Rows[T, P]) Named(name string) (T, bool) {
	for i := range r {
		if *P(&r[i]).name() == name {
			return r[i], true
		}
	}
	var none T
	return none, false
}

func sortKey[T any, P row[T]](r P) string {
	if s, ok := any(r).(sorter); ok {
		return s.key()
	}
	return *r.name()
}

// MarshalJSON writes the node as the spec has it, where there is a mesh, too.
func (n Node) MarshalJSON() ([]byte, error) {
	type plain Node
	if n.Underlay.IsValid() {
		n.Address, n.Public = n.Underlay, n.outside
	}
	return json.Marshal(plain(n))
}
