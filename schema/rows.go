package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

// IsSSH reports whether the row is that of the nodes' sshd, by which the runbook comes.
func (e Exposure) IsSSH() bool { return e.Field == "nodes.*.ssh.port" }

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

// ServiceRows are what the services say of themselves, beside their exposures, secrets and networks. Generators fold over
// them and never ask whether a service is on.
type ServiceRows struct {
	Duties   Rows[Duty, *Duty]         `json:"duties"`
	Images   Rows[Image, *Image]       `json:"images"`  // by the field that names each
	Deploys  Rows[Deploy, *Deploy]     `json:"deploys"` // in their order
	Pages    Rows[Page, *Page]         `json:"pages"`   // in their order
	Answers  map[string]string         `json:"answers"` // patterns of status codes, by URL
	Packages Rows[Package, *Package]   `json:"packages"`
	Scrapes  Rows[Scrape, *Scrape]     `json:"scrapes"` // in their order
	Alerts   Rows[Alerting, *Alerting] `json:"alerts"`  // in their order
	Texts    Rows[Text, *Text]         `json:"texts"`   // of the README
	Points   Rows[Point, *Point]       `json:"points"`  // ports that Traefik serves for others

	Middlewares Rows[Middleware, *Middleware]   `json:"middlewares"` // of Traefik's own file
	Directories Rows[Directory, *Directory]     `json:"directories"` // by the field that names each
	Collectors  map[string]string               `json:"collectors"`  // of the node exporter, and what each is for
	Clear       map[string]string               `json:"clear"`       // what nodes tell each other in the clear: fields
	Roots       map[string]string               `json:"roots"`       // PEM text of authorities, by field
	Remarks     Rows[Remark, *Remark]           `json:"remarks"`     // in their order
	Packaged    map[string]string               `json:"packaged"`    // versions of the engine that distributions have, by release
	Engines     Rows[EngineFault, *EngineFault] `json:"engines"`     // what is known of engines
}

// EngineFault is what is known of the engines from From up to, not with, Below.
type EngineFault struct {
	Name  string `json:"-"`
	From  string `json:"from"`
	Below string `json:"below"`
	Level string `json:"level"` // "refuse" or "warn"
	Of    string `json:"of"`    // "node", "upstream" for a node with an engine of Docker's own packages, or "pairs"
	Vet   string `json:"vet"`   // "whole" or "part" of the spec's range has it before vet warns
	What  string `json:"what"`
	Way   string `json:"way"`
}

// Range is the engines that have it.
func (f EngineFault) Range() Versions { return Versions{From: f.From, Below: f.Below} }

// Duty is what nodes are chosen for by the spec: the runbook sets the label skep.NAME on them.
type Duty struct {
	Name  string   `json:"-"`
	Nodes []string `json:"nodes"`
	Field string   `json:"field"` // that has them

	Public bool `json:"public,omitempty"` // a task of each is on network.public
}

// Image is the image that a field names, and the nodes whose tasks need it: a duty, "managers" or "all".
type Image struct {
	Field string `json:"-"`
	Image string `json:"image"`
	Nodes string `json:"nodes"`
}

// Deploy is a stack that the runbook deploys in the step of that number.
type Deploy struct {
	Name   string `json:"-"`
	Number int    `json:"number"`
	Why    string `json:"why"`
}

// Page is what people look at. URL follows the address of Node, where that is not empty. Also says of a second way to it,
// which needs the name Host.
type Page struct {
	Name   string   `json:"-"`
	Number int      `json:"number"`
	Title  string   `json:"title"`
	URL    string   `json:"url"`
	Node   string   `json:"node,omitempty"`
	Also   string   `json:"also,omitempty"`
	Host   string   `json:"host,omitempty"`
	Zones  []string `json:"zones"`
	Login  string   `json:"login"` // Markdown
}

// Package is the Debian package that brings a command, and the nodes that need it: a duty, "managers" or "all".
type Package struct {
	Command string `json:"-"`
	Package string `json:"package"`
	Nodes   string `json:"nodes"`
}

// Text is what the README says of a service: the optional parts that apply, and what stands for words of it.
type Text struct {
	Name  string            `json:"-"`
	Has   []string          `json:"has"`
	Words map[string]string `json:"words"`
}

// Scrape is a job of Prometheus.
type Scrape struct {
	Job    string `json:"-"`
	Number int    `json:"number"`
	Of     string `json:"of"`   // "name", one task; "tasks" of a service; "nodes"
	Name   string `json:"name"` // of the task or the service
	Node   string `json:"node"` // of the one task, or empty
	Port   uint16 `json:"port"`
	Path   string `json:"path"` // below which the measures are, or empty
}

// Alerting is a file of alerts, NAME.rules.yaml. Of the alerts that Only names, those are left out for which it does not hold.
type Alerting struct {
	Name   string          `json:"-"`
	Number int             `json:"number"`
	Only   map[string]bool `json:"only"`
}

// Point is an entry point of Traefik that a service has for itself.
type Point struct {
	Name     string `json:"-"`
	Port     uint16 `json:"port"`
	Field    string `json:"field"`    // the field of the spec that decides it
	Timeout  string `json:"timeout"`  // how long a request may take to arrive, in Go's notation
	Verbatim bool   `json:"verbatim"` // whether paths are left as they were sent
}

// Middleware is one of Traefik's own file, and does exactly one of the first four.
type Middleware struct {
	Name     string            `json:"-"`
	Login    string            `json:"login,omitempty"`    // the secret with the users who may pass
	Visitors []string          `json:"visitors,omitempty"` // zones that may pass
	Headers  map[string]string `json:"headers,omitempty"`  // of requests; an empty one is taken away
	Compress bool              `json:"compress,omitempty"`
	Why      string            `json:"why,omitempty"` // a comment
}

// Directory is a directory of a node that is shared or kept, and whoever writes there.
type Directory struct {
	Field      string `json:"-"`
	Duty       string `json:"duty"` // of its node
	Path       string `json:"path"`
	Filesystem string `json:"filesystem"` // "any" or "own"
	Owner      Owner  `json:"owner"`
	Kept       string `json:"kept"` // what each run sets right: "all", "owner" or "nothing"
}

// Remark is a mistake or a warning, by its ID in schema/finding, about the value of a field. Older and Engine narrow it to
// versions; nil and "" do not.
type Remark struct {
	Name   string `json:"-"`
	Number int    `json:"number"`
	ID     string `json:"id"`
	Field  string `json:"field"`
	Text   string `json:"text"`
	Older  *Older `json:"older,omitempty"`
	Engine string `json:"engine,omitempty"` // only where nodes may have that version
}

// Older is an image of a program, where it is of a version before Than.
type Older struct {
	Image   string `json:"image"`
	Program string `json:"program"`
	Than    string `json:"than"`
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
	// NFSShares are sorted by name.
	NFSShares = Rows[NFSShare, *NFSShare]
)

func (n *Node) name() *string     { return &n.Name }
func (e *Exposure) name() *string { return &e.Name }
func (s *Secret) name() *string   { return &s.Name }
func (o *Overlay) name() *string  { return &o.Name }
func (p *MeshPeer) name() *string { return &p.Name }
func (s *NFSShare) name() *string { return &s.Name }

func (d *Duty) name() *string     { return &d.Name }
func (i *Image) name() *string    { return &i.Field }
func (d *Deploy) name() *string   { return &d.Name }
func (p *Page) name() *string     { return &p.Name }
func (p *Package) name() *string  { return &p.Command }
func (t *Text) name() *string     { return &t.Name }
func (s *Scrape) name() *string   { return &s.Job }
func (a *Alerting) name() *string { return &a.Name }
func (p *Point) name() *string    { return &p.Name }
func (r *Remark) name() *string   { return &r.Name }

func (m *Middleware) name() *string  { return &m.Name }
func (f *EngineFault) name() *string { return &f.Name }

func (d *Directory) name() *string { return &d.Field }

func (d *Deploy) key() string   { return fmt.Sprintf("%05d %s", d.Number, d.Name) }
func (p *Page) key() string     { return fmt.Sprintf("%05d %s", p.Number, p.Name) }
func (s *Scrape) key() string   { return fmt.Sprintf("%05d %s", s.Number, s.Job) }
func (a *Alerting) key() string { return fmt.Sprintf("%05d %s", a.Number, a.Name) }
func (r *Remark) key() string   { return fmt.Sprintf("%05d %s", r.Number, r.Name) }

func (e *Exposure) key() string { return fmt.Sprintf("%05d %s", e.Port, e.Name) }

// UnmarshalJSON reads an object of rows; it refuses fields that a row does not have.
func (r *Rows[T, P]) UnmarshalJSON(b []byte) error {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	out := make(Rows[T, P], 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		var one T
		if err := decodeStrict(m[name], &one); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*P(&one).name() = name
		out = append(out, one)
	}
	if _, ok := any(P(nil)).(sorter); ok {
		slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(any(P(&a)).(sorter).key(), any(P(&b)).(sorter).key()) })
	}
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

// MarshalJSON writes the node as the spec has it, where there is a mesh, too.
func (n Node) MarshalJSON() ([]byte, error) {
	type plain Node
	if n.Underlay.IsValid() {
		n.Address, n.Public = n.Underlay, n.outside
	}
	return json.Marshal(plain(n))
}
