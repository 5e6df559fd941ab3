package stacks

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema"
	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
)

// overlay is a network of the swarm of which skep knows how many addresses it has.
type overlay struct {
	name string
	has  int               // addresses
	of   string            // where they are from
	tell func(text string) // what is wrong with it

	tasks   int
	next    map[string]int // tasks beside them while a stack is updated, by stack
	virtual int
	nodes   map[string]bool // where tasks may run
}

// budgets finds networks that have fewer addresses than their services need at most. Swarm makes the next task before it
// removes the last one, whatever the order of an update; a service has an address of its own, unless it is dnsrr; and so
// has each node that a task of the network runs on, and every node on ingress.
func (j *joiner) budgets(stacks []*stack, fixed []subnet) {
	overlays := j.overlays(stacks, fixed)
	for _, s := range stacks {
		for _, service := range s.services() {
			for _, name := range s.joins(service) {
				if i := slices.IndexFunc(overlays, func(o *overlay) bool { return o.name == name }); i >= 0 {
					overlays[i].add(s, service)
				}
			}
		}
	}
	for _, o := range overlays {
		o.compare()
	}
}

const ingress = "ingress"

// overlays are the network that Traefik serves, the routing mesh's, and those of the stacks.
func (j *joiner) overlays(stacks []*stack, fixed []subnet) []*overlay {
	var out []*overlay
	add := func(name string, from []netip.Prefix, tell func(string)) *overlay {
		o := &overlay{name: name, tell: tell, next: map[string]int{}, nodes: map[string]bool{}}
		for _, p := range from {
			o.has, o.of = o.has+room(p.Bits()), strings.TrimPrefix(o.of+", "+p.String(), ", ")
		}
		if len(from) == 0 {
			o.has, o.of = room(j.Engine.Pool.Size), fmt.Sprintf("a /%d of engine.pool", j.Engine.Pool.Size)
		}
		out = append(out, o)
		return o
	}
	mesh := add(ingress, nil, func(text string) {
		j.field(finding.NetworkFull, "engine.pool", text+"; make the swarm with a smaller engine.pool.size, or publish in mode: host")
	})
	for _, n := range j.Nodes {
		mesh.nodes[n.Name] = true
	}
	var subnet []netip.Prefix
	if p := j.Network.Public.Subnet; p.IsValid() {
		subnet = append(subnet, p)
	}
	public := add(j.Network.Public.Name, subnet, func(text string) {
		j.field(finding.NetworkFull, "network.public", text+"; give it a wider network.public.subnet")
	})
	for _, d := range j.Rows.Duties {
		for _, node := range d.Nodes {
			if d.Public {
				public.tasks++
				public.nodes[node] = true
				public.next[d.Field] = 1
			}
		}
	}
	for _, s := range stacks {
		for _, name := range s.Makes() {
			var from []netip.Prefix
			at := []string{"networks", name}
			for _, f := range fixed {
				if f.stack == s && f.network == name && f.Addr().Is4() {
					from, at = append(from, f.Prefix), f.at
				}
			}
			add(s.Made(name), from, func(text string) {
				s.at(finding.NetworkFull, at, "", "%s; give it a wider one: ipam: {config: [{subnet: ...}]}", text)
			})
		}
	}
	return out
}

// joins are the networks of a service, by their names in the swarm.
func (s *stack) joins(service service) []string {
	var out []string
	for name := range service.Networks {
		if bool(s.project.Networks[name].External) {
			out = append(out, s.NetworkName(*s.Stack, name))
		} else {
			out = append(out, s.Made(name))
		}
	}
	if len(out) == 0 {
		out = append(out, s.Made(schema.DefaultNetwork))
	}
	if slices.ContainsFunc(service.ports(), func(p port) bool { return !p.isHost() }) {
		out = append(out, ingress)
	}
	return out
}

// add counts what a service needs.
func (o *overlay) add(s *stack, service service) {
	nodes := s.admitted(service)
	tasks := compose.Replicas(*service.ServiceConfig)
	if service.isGlobal() {
		tasks = len(nodes)
	}
	for _, n := range nodes {
		o.nodes[n.Name] = true
	}
	o.tasks += tasks
	o.next[s.Name] += service.atOnce(tasks)
	if service.Deploy == nil || service.Deploy.EndpointMode != "dnsrr" {
		o.virtual++
	}
}

// atOnce is how many of all tasks an update, or a rollback, replaces at once.
func (s service) atOnce(all int) int {
	most := min(1, all)
	if s.Deploy == nil {
		return most
	}
	for _, u := range []*types.UpdateConfig{s.Deploy.UpdateConfig, s.Deploy.RollbackConfig} {
		if u == nil || u.Parallelism == nil {
			continue
		}
		if *u.Parallelism == 0 {
			return all
		}
		most = max(most, min(int(*u.Parallelism), all))
	}
	return most
}

// compare tells of a network that is too small. Stacks are updated one after the other.
func (o *overlay) compare() {
	next := 0
	for _, n := range o.next {
		next = max(next, n)
	}
	nodes := len(o.nodes)
	if o.name != ingress {
		nodes = min(nodes, o.tasks+next)
	}
	if need := o.tasks + next + o.virtual + nodes; need > o.has && len(o.next) > 0 {
		o.tell(fmt.Sprintf("%s has %d addresses (%s), and needs %d during an update (tasks %d, their successors %d, services %d, nodes %d)",
			o.name, o.has, o.of, need, o.tasks, next, o.virtual, nodes))
	}
}
