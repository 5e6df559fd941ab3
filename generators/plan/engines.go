package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/schema"
)

// EngineChange is what becomes of the Docker engine on some nodes: it "restarts", and its tasks with it, it "reloads" its
// settings, or they wait for its "next" restart. The runbook compares with what runs; a plan compares two bundles.
type EngineChange struct {
	Change string `json:"change"`
	Where
	Keys []string `json:"keys"` // of daemon.json, "drop-in", or "certificate"
}

// engineSettings are the members of a role's daemon.json, as text, and the drop-in of systemd.
type engineSettings map[string]string

const dropIn = "drop-in"

func isEngineFile(name string) bool { return name == engine.DropIn || roleOf(name) != "" }

// roleOf is the role that a daemon.json is for, or "".
func roleOf(name string) string {
	for _, role := range schema.Roles() {
		if name == engine.Daemon(role) {
			return role
		}
	}
	return ""
}

func (b *Bundle) engineFile(f artifact.File) error {
	role := roleOf(f.Path)
	var members map[string]json.RawMessage
	switch {
	case f.Path == engine.DropIn:
		members = map[string]json.RawMessage{dropIn: f.Data}
	case role == "":
		return nil
	default:
		if err := json.Unmarshal(f.Data, &members); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	for _, r := range schema.Roles() {
		if role != "" && r != role {
			continue
		}
		if b.engines[r] == nil {
			b.engines[r] = engineSettings{}
		}
		for key, value := range members {
			b.engines[r][key] = string(value)
		}
	}
	return nil
}

// engines compares the settings of nodes that both bundles have. A role has one set of them.
func engines(before, after *Bundle) []EngineChange {
	size := map[string]int{}
	byRoles := map[[2]string][]string{}
	for _, n := range after.nodes {
		size[n.role]++
		if old, ok := before.node(n.name); ok {
			byRoles[[2]string{old.role, n.role}] = append(byRoles[[2]string{old.role, n.role}], n.name)
		}
	}
	var out []EngineChange
	for _, from := range schema.Roles() {
		for _, to := range schema.Roles() {
			nodes := byRoles[[2]string{from, to}]
			c := effect(before.engines[from], after.engines[to])
			if len(nodes) == 0 || len(c.Keys) == 0 {
				continue
			}
			c.Where = Where{to, nodes, len(nodes) == size[to]}
			out = append(out, c)
		}
	}
	return out
}

// restartsFor are the engines that start anew because the certificate of their API does; not those that do anyway.
func restartsFor(certificates []CertificateChange, engines []EngineChange, b *Bundle) []EngineChange {
	var names []string
	managers := 0
	for _, n := range b.nodes {
		if n.role != "manager" {
			continue
		}
		managers++
		renewed := slices.Contains(certificates, CertificateChange{"renewed", serverPair + n.name})
		anyway := slices.ContainsFunc(engines, func(c EngineChange) bool { return c.Change == "restarts" && slices.Contains(c.Nodes, n.name) })
		if renewed && !anyway {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []EngineChange{{Change: "restarts", Where: Where{"manager", names, len(names) == managers}, Keys: []string{"certificate"}}}
}

// effect is what the runbook's step engine does for it: a port for metrics that goes waits, what dockerd reads again is
// reloaded, and one key of another kind restarts it for all of them.
func effect(was, want engineSettings) EngineChange {
	c := EngineChange{Change: "next", Keys: []string{}}
	for _, key := range union(was, want) {
		switch {
		case was[key] == want[key]:
			continue
		case want[key] == "" && key == "metrics-addr":
		case want[key] != "" && slices.Contains(engine.Reloads(), key):
			if c.Change == "next" {
				c.Change = "reloads"
			}
		default:
			c.Change = "restarts"
		}
		c.Keys = append(c.Keys, key)
	}
	return c
}

// String is such as "restarts Docker on all workers, and its tasks: log-opts".
func (c EngineChange) String() string {
	keys := strings.Join(c.Keys, ", ")
	switch c.Change {
	case "restarts":
		return fmt.Sprintf("%-8s Docker on %s, and the tasks there: %s", c.Change, c.Where, keys)
	case "reloads":
		return fmt.Sprintf("%-8s the settings of Docker on %s, no task notices: %s", c.Change, c.Where, keys)
	}
	return fmt.Sprintf("%-8s restart of Docker on %s brings: %s", c.Change, c.Where, keys)
}
