// Package schema says what a cluster may be.
//
// The CUE files beside this one are the schema; they hold every default and every fact. spec.Load reads a spec against
// them and returns a Cluster in which each field is set and each rule holds, or all mistakes of the spec at once.
// The Go types here mirror the CUE definitions one to one; a test walks both, so they cannot drift.
//
// Rooms below: spec reads a spec; written is CUE before its evaluation; mistakes says in the user's words what CUE refuses;
// check holds the rules that CUE cannot; finding is what all of them say; lint warns; explain tells about fields and IDs.
package schema

import "net/netip"

// Cluster is one Docker Swarm cluster, complete and checked: a generator neither tests for "unset" nor validates.
type Cluster struct {
	Name         string                `json:"name"`
	Kind         string                `json:"kind"` // "swarm", "target" or "host"
	Domain       string                `json:"domain"`
	Nodes        Nodes                 `json:"nodes"`
	Access       Access                `json:"access"`
	Network      Network               `json:"network"`
	Engine       Engine                `json:"engine"`
	Images       Images                `json:"images"`
	GitOps       *GitOps               `json:"gitops,omitempty"`
	Firewall     Firewall              `json:"firewall"`
	Certificates Certificates          `json:"certificates"`
	Applications Applications          `json:"applications"`
	Services     Services              `json:"services"`
	Stacks       Stacks                `json:"stacks"`
	Shared       Rows[Shared, *Shared] `json:"shared"` // by path
	Waive        map[string]SpecWaiver `json:"waive"`  // by ID of a warning
	Tests        []Test                `json:"tests"`
	Exposures    Exposures             `json:"exposures"`
	Secrets      Secrets               `json:"secrets"`
	Networks     Overlays              `json:"networks"`
	Rows         ServiceRows           `json:"rows"`

	Lock Lock `json:"-"` // images.lock beside the spec
}

// GitOps is an agent that deploys the stacks out of git.
type GitOps struct {
	Agent      string `json:"agent"`                // "doco-cd" or "komodo"
	Directory  string `json:"directory"`            // of the bundle in the repository
	Branch     string `json:"branch"`               // whose bundle is deployed
	Repository string `json:"repository,omitempty"` // as its forge names it, for Komodo
}

// Agent is the agent's name, or nothing where the runbook deploys the stacks.
func (c *Cluster) Agent() string {
	if c.GitOps == nil {
		return ""
	}
	return c.GitOps.Agent
}

// Node is a machine of the cluster. Public is the zero address when the spec names none.
type Node struct {
	Name     string            `json:"-"`
	Address  netip.Addr        `json:"address"`
	Public   netip.Addr        `json:"public,omitzero"`
	Role     string            `json:"role"` // "manager" or "worker"
	Labels   map[string]string `json:"labels"`
	Mesh     *MeshNode         `json:"mesh,omitempty"`
	SSH      SSH               `json:"ssh"`
	Platform Platform          `json:"platform"`

	// Underlay is what the spec calls address, where Address is that in the mesh. It is the zero address without a mesh.
	Underlay netip.Addr `json:"-"`
	outside  netip.Addr // what the spec calls public, where there is a mesh
}

// SSH is how the runbook logs in to a node.
type SSH struct {
	User     string   `json:"user"`
	Port     uint16   `json:"port"`
	HostKeys []string `json:"hostKeys"` // type, base64 and perhaps a comment; all nodes have some, or none has
}

// KnowsHosts reports whether the spec has the nodes' host keys.
func (c *Cluster) KnowsHosts() bool { return len(c.Nodes[0].SSH.HostKeys) > 0 }

// Access holds the zones outside the cluster, each a list of masked prefixes.
type Access struct {
	Management []netip.Prefix `json:"management"`
	Nuvla      []netip.Prefix `json:"nuvla"`
	Users      []netip.Prefix `json:"users"`
}

// Network describes the overlays. MTU is that of the links between nodes, in bytes.
type Network struct {
	Public PublicNetwork `json:"public"`
	MTU    int           `json:"mtu"`
}

// PublicNetwork is the overlay that Traefik and everything it serves share. Subnet is zero when swarm chooses.
type PublicNetwork struct {
	Name       string       `json:"name"`
	Attachable bool         `json:"attachable"`
	Encrypted  bool         `json:"encrypted"`
	Subnet     netip.Prefix `json:"subnet,omitzero"`
}

// Engine is the Docker engine on every node, and the swarm.
type Engine struct {
	Source       string      `json:"source"` // "debian" or "present"
	Versions     Versions    `json:"versions"`
	Pool         Pool        `json:"pool"`
	Bridges      Pool        `json:"bridges"`
	Logs         Logs        `json:"logs"`
	Autolock     bool        `json:"autolock"`
	DataPathPort uint16      `json:"dataPathPort"`
	Directory    string      `json:"directory"`
	TLS          string      `json:"tls"` // directory on the node
	Ports        EnginePorts `json:"ports"`
}

// Versions is the half-open range [From, Below) of engine versions.
type Versions struct {
	From  string `json:"from"`
	Below string `json:"below"`
}

// Pool is a range of addresses cut into networks of prefix length Size.
type Pool struct {
	Subnet netip.Prefix `json:"subnet"`
	Size   int          `json:"size"`
}

// Logs limits a container's log files; Size is in Docker's notation, such as "10m".
type Logs struct {
	Size  string `json:"size"`
	Files int    `json:"files"`
}

// EnginePorts are the ports of the engine and the swarm.
type EnginePorts struct {
	API     uint16 `json:"api"`
	Plain   uint16 `json:"plain"`
	Swarm   uint16 `json:"swarm"`
	Gossip  uint16 `json:"gossip"`
	Metrics uint16 `json:"metrics"`
}

// Firewall is the host firewall. Rollback is in seconds.
type Firewall struct {
	Backend      string    `json:"backend"` // "nft" or "iptables"
	Rollback     int       `json:"rollback"`
	WithoutRules string    `json:"withoutRules"` // "hold" or "start"
	Forward      []Forward `json:"forward"`
	Bridges      []string  `json:"bridges"` // of Docker's networks with names of their own; a last "*" stands for any ending
	Docker       []string  `json:"docker"`  // that Docker names itself
	Answers      Answers   `json:"answers"`
}

// Forward is packets for other machines that nodes pass on.
type Forward struct {
	From   string       `json:"from"` // a prefix, or a zone
	To     netip.Prefix `json:"to"`
	Device string       `json:"device,omitempty"` // where they arrive; empty for the way back to the sender
	On     []string     `json:"on"`               // node names, or the groups "all", "managers" and "workers"
	Why    string       `json:"why"`
}

// Answers are the UDP ports on which address servers answer.
type Answers struct {
	DHCP  Answer `json:"dhcp"`
	DHCP6 Answer `json:"dhcp6"`
}

// Answer is sent by a server's port to a client's port.
type Answer struct {
	From uint16 `json:"from"`
	To   uint16 `json:"to"`
}

// Certificates is the cluster's own authority.
type Certificates struct {
	Days    int      `json:"days"`
	CADays  int      `json:"caDays"`
	Warn    int      `json:"warn"`
	Names   []string `json:"names"`
	Clients []string `json:"clients"`
}

// Applications are the port ranges of the users' own services.
type Applications struct {
	Ingress  PortRange `json:"ingress"`
	Host     PortRange `json:"host"`
	HostMode bool      `json:"hostMode"`
	HostUDP  bool      `json:"hostUDP"`
}

// PortRange is the closed range [First, Last].
type PortRange struct {
	First uint16 `json:"first"`
	Last  uint16 `json:"last"`
}
