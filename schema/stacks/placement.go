package stacks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// constraint is one condition of a placement: KEY == VALUE or KEY != VALUE.
type constraint struct {
	key   string
	not   bool
	value string
}

// As swarmkit reads it: manager/constraint/constraint.go.
var constraintForm = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9._/-]*)\s*(==|!=)\s*(.+?)\s*$`)

func (s service) constraints() (found []constraint, texts []string) {
	if s.Deploy == nil {
		return nil, nil
	}
	for _, text := range s.Deploy.Placement.Constraints {
		m := constraintForm.FindStringSubmatch(text)
		if m == nil {
			found = append(found, constraint{})
		} else {
			found = append(found, constraint{m[1], m[2] == "!=", m[3]})
		}
		texts = append(texts, text)
	}
	return found, texts
}

// labelOf is the name of a node's label, where that is what the constraint is about.
func (c constraint) labelOf() (name string, ok bool) { return strings.CutPrefix(c.key, "node.labels.") }

// holds reports whether a node fulfils the constraint, as far as the spec knows it.
func (c constraint) holds(n schema.Node, duties []string) bool {
	var have string
	name, isLabel := c.labelOf()
	duty, isDuty := strings.CutPrefix(name, "skep.")
	switch {
	case isLabel && isDuty:
		if slices.Contains(duties, duty) {
			have = "true"
		}
	case isLabel:
		have = n.Labels[name]
	case c.key == "node.role":
		have = n.Role
	case c.key == "node.hostname":
		have = n.Name
	default:
		return true // of the machine: its platform, its engine, its address
	}
	return strings.EqualFold(have, c.value) != c.not
}

// admitted are the nodes that the service's placement allows.
func (j *joiner) admitted(s service) []schema.Node {
	constraints, _ := s.constraints()
	return slices.DeleteFunc(slices.Clone(j.Nodes), func(n schema.Node) bool {
		return slices.ContainsFunc(constraints, func(c constraint) bool { return !c.holds(n, j.Duties(n.Name)) })
	})
}

// groups names nodes in the shortest way that the rows have.
func (j *joiner) groups(nodes []schema.Node) []string {
	names := make([]string, len(nodes))
	managers := 0
	for i, n := range nodes {
		names[i] = n.Name
		if n.Role == "manager" {
			managers++
		}
	}
	all := len(j.Managers())
	switch {
	case len(nodes) == len(j.Nodes):
		return []string{"all"}
	case managers == len(nodes) && managers == all:
		return []string{"managers"}
	case managers == 0 && len(nodes) == len(j.Nodes)-all:
		return []string{"workers"}
	}
	return names
}

// placement finds services that fit on no node, or not in their number.
func (s *stack) placement() {
	for _, service := range s.services() {
		if s.isUnknown(service) {
			continue
		}
		nodes := s.admitted(service)
		if len(nodes) == 0 {
			_, texts := service.constraints()
			s.at(finding.NoNode, service.path("deploy", "placement", "constraints"), strings.Join(texts, ", "), "no node of the spec has all of these at once: the service would have no task")
			continue
		}
		if most, want := most(service), compose.Replicas(*service.ServiceConfig); most > 0 && !service.isGlobal() && want > most*len(nodes) {
			s.at(finding.TooManyReplicas, service.path("deploy", "replicas"), fmt.Sprint(want), "more than the %d that %s can take (%s)", most*len(nodes), finding.Nodes(nodeNames(nodes)), limitOf(service))
		}
	}
}

// most is how many tasks of the service one node can have at once, or 0 for no limit.
func most(s service) int {
	if slices.ContainsFunc(s.ports(), port.isHost) {
		return 1
	}
	if s.Deploy != nil {
		return int(s.Deploy.Placement.MaxReplicas)
	}
	return 0
}

func limitOf(s service) string {
	if slices.ContainsFunc(s.ports(), port.isHost) {
		return "mode: host takes the port of a node once"
	}
	return "max_replicas_per_node"
}

func nodeNames(nodes []schema.Node) []string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	return names
}

// isUnknown finds constraints about what no node has.
func (s *stack) isUnknown(service service) bool {
	constraints, texts := service.constraints()
	wrong := false
	for i, c := range constraints {
		why := s.wrongConstraint(c)
		if why == "" {
			continue
		}
		s.at(finding.ConstraintUnknown, service.path("deploy", "placement", "constraints", fmt.Sprint(i)), texts[i], "%s", why)
		wrong = true
	}
	return wrong
}

func (s *stack) wrongConstraint(c constraint) string {
	name, isLabel := c.labelOf()
	switch {
	case c.key == "":
		return "want a constraint such as node.role == manager"
	case isLabel && strings.HasPrefix(name, "skep."):
		duty := strings.TrimPrefix(name, "skep.")
		if _, ok := s.Rows.Duties.Named(duty); !ok && !c.not {
			return "no node has this label: skep sets one for each service of its own, and none is called " + duty
		}
	case isLabel && !c.not:
		labels := map[string]bool{}
		for _, n := range s.Nodes {
			for label := range n.Labels {
				labels[label] = true
			}
		}
		if !labels[name] {
			return fmt.Sprintf("no node has this label: add nodes: %s: labels: %s: %q, or the like%s", label(s.Nodes[len(s.Nodes)-1].Name), label(name), c.value, written.DidYouMean(name, slices.Sorted(maps.Keys(labels))))
		}
	case c.key == "node.hostname" && s.Node(c.value).Name == "":
		return c.value + " is not a node" + written.DidYouMean(c.value, s.Nodes.Names())
	case c.key == "node.role" && c.value != "manager" && c.value != "worker":
		return "want manager or worker"
	case !slices.Contains([]string{"node.id", "node.ip", "node.hostname", "node.role", "node.platform.os", "node.platform.arch"}, c.key) && !isLabel && !strings.HasPrefix(c.key, "engine.labels."):
		return "swarm knows no " + c.key + ": want node.role, node.hostname, node.labels.NAME, node.platform.os or node.platform.arch"
	}
	return ""
}
