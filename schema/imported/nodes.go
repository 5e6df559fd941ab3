package imported

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Nodes are the members of a swarm, as it tells of them.
type Nodes struct {
	List   []Node   // by name
	Engine string   // the lowest version of an engine, such as "24.0.7"
	Notes  []string // what the spec has no word for
}

// Node is one of them.
type Node struct {
	Name, Address string
	IsManager     bool
	Labels        map[string]string
	Why           string // what its reader should know
}

// inspected is what docker node inspect says of a node.
type inspected struct {
	ID   string
	Spec struct {
		Role, Availability string
		Labels             map[string]string
	}
	Description struct {
		Hostname string
		Engine   struct{ EngineVersion string }
	}
	Status        struct{ State, Addr string }
	ManagerStatus *struct{ Addr string }
}

const wantInspect = "want what docker node inspect $(docker node ls -q) prints on a manager: a list of nodes"

// ReadNodes reads the output of docker node inspect; messages call it by the name of its file.
func ReadNodes(file string, data []byte) (Nodes, finding.List) {
	r := nodeReader{file: file, schema: written.NewSchema()}
	var all []inspected
	switch err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &all); {
	case err != nil:
		r.wrong("", "", wantInspect)
	case len(all) == 0:
		r.wrong("", "", "has no node: "+wantInspect)
	}
	ids := map[string][]inspected{}
	for _, n := range all {
		ids[n.Description.Hostname] = append(ids[n.Description.Hostname], n)
	}
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		r.node(name, ids[name])
	}
	if len(r.found) == 0 && !slices.ContainsFunc(r.List, func(n Node) bool { return n.IsManager }) {
		r.wrong("", "", "has no manager: "+wantInspect)
	}
	return r.Nodes, r.found
}

// nodeReader makes nodes of the spec.
type nodeReader struct {
	Nodes
	file   string
	schema *written.Schema
	found  finding.List
}

func (r *nodeReader) wrong(name, got, text string) {
	r.found = append(r.found, finding.Finding{ID: finding.WrongValue, Level: finding.Mistake, File: r.file, Path: written.Quoted(cut(name)), Got: got, Text: text})
}

// node adds the node of a name, of which there may be several.
func (r *nodeReader) node(name string, all []inspected) {
	n := all[0]
	rule := r.schema.BreaksName("nodes", name)
	switch address := n.address(); {
	case name == "":
		r.wrong("", "", "a node has no Description.Hostname: "+wantInspect)
	case len(all) > 1:
		r.wrong(name, "", fmt.Sprintf("is the name of %d nodes (%s): take out those that are down, on a manager: docker node rm ID; or give machines names of their own", len(all), idsOf(all)))
	case rule != "":
		r.wrong(name, "", rule+"; on the machine: hostnamectl set-hostname NAME, restart the engine, and inspect again")
	case strings.EqualFold(n.Status.State, "down"):
		r.wrong(name, "", fmt.Sprintf("is down: bring it back; or take it out of the swarm, on a manager: docker node rm %s; and inspect again", idOf(n)))
	case !address.IsValid():
		r.wrong(name, strconv.Quote(cut(n.Status.Addr)), "the swarm does not know at which address others reach it: have it join again with --advertise-addr, or write the address into the file")
	default:
		r.add(name, n, address)
	}
}

func (r *nodeReader) add(name string, n inspected, address netip.Addr) {
	node := Node{Name: name, Address: address.String(), IsManager: n.Spec.Role == "manager", Labels: map[string]string{}}
	if n.Spec.Availability == "drain" || n.Spec.Availability == "pause" {
		node.Why = map[string]string{"drain": "drained", "pause": "paused"}[n.Spec.Availability]
		r.Notes = append(r.Notes, name+": is "+node.Why+", and stays so: swarm starts no task there, and skep counts it among the nodes that a placement allows")
	}
	for _, label := range slices.Sorted(maps.Keys(n.Spec.Labels)) {
		value := n.Spec.Labels[label]
		switch {
		case strings.HasPrefix(label, "skep."):
		case r.schema.BreaksName("nodes.*.labels", label) != "" || r.schema.Breaks("#Label", value) != "":
			r.Notes = append(r.Notes, fmt.Sprintf("%s: the label %s stays in the swarm, and is not in the spec, which has no such names or values", name, strconv.Quote(cut(label+"="+value))))
		default:
			node.Labels[label] = value
		}
	}
	if v := engineVersion.FindString(n.Description.Engine.EngineVersion); v != "" && (r.Engine == "" || schema.ParseVersion(v).Less(schema.ParseVersion(r.Engine))) {
		r.Engine = v
	}
	r.List = append(r.List, node)
}

// A version may have the build of a distribution behind it: 20.10.24+dfsg1.
var engineVersion = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3}){1,2}`)

// address is where the other nodes reach it. A manager that was given none at the start says 0.0.0.0 of itself, and knows
// better as a manager.
func (n inspected) address() netip.Addr {
	for _, text := range n.addresses() {
		if a, err := netip.ParseAddr(text); err == nil && !a.IsUnspecified() && !a.IsLoopback() && a.Zone() == "" {
			return a.Unmap()
		}
	}
	return netip.Addr{}
}

func (n inspected) addresses() []string {
	var texts []string
	if n.ManagerStatus != nil {
		if at, err := netip.ParseAddrPort(n.ManagerStatus.Addr); err == nil {
			texts = append(texts, at.Addr().String())
		}
	}
	return append(texts, n.Status.Addr)
}

func idOf(n inspected) string {
	if !swarmID.MatchString(n.ID) {
		return "ID"
	}
	return n.ID
}

var swarmID = regexp.MustCompile(`^[a-z0-9]{1,25}$`)

func idsOf(all []inspected) string {
	var texts []string
	for _, n := range all {
		state := n.Status.State
		if state != "ready" && state != "down" {
			state = "in another state"
		}
		texts = append(texts, idOf(n)+" is "+state)
	}
	return finding.Several(texts)
}

func cut(s string) string {
	const longest = 64
	if len(s) > longest {
		return s[:longest] + "..."
	}
	return s
}

// Text writes the nodes as fields, in the form that CUE and YAML share; sign is that of a comment.
func (n Nodes) Text(indent, sign string) string {
	var b strings.Builder
	for _, node := range n.List {
		b.WriteString(indent + finding.Label(node.Name) + ": {address: " + strconv.Quote(node.Address))
		if node.IsManager {
			b.WriteString(`, role: "manager"`)
		}
		var labels []string
		for _, label := range slices.Sorted(maps.Keys(node.Labels)) {
			labels = append(labels, finding.Label(label)+": "+strconv.Quote(node.Labels[label]))
		}
		if labels != nil {
			b.WriteString(", labels: {" + strings.Join(labels, ", ") + "}")
		}
		b.WriteString("}" + said(sign+" ", node.Why) + "\n")
	}
	return b.String()
}
