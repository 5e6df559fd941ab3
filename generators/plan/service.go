package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/compose"
)

// What the tasks of a service do not notice, and what moves only those that have to (swarmkit, orchestrator.IsTaskDirty).
// Everything else of a service is its tasks', and replaces them.
var (
	apart     = []string{"deploy.labels", "deploy.replicas", "deploy.mode", "deploy.update_config", "deploy.rollback_config"}
	placement = "deploy.placement"
)

// service compares a service that both have.
func (p pair) service(before, after types.ServiceConfig) []StackChange {
	var tasks, others, places []string
	for _, key := range differing(p.tasks(p.was, before), p.tasks(p.now, after)) {
		switch {
		case key == placement || strings.HasPrefix(key, placement+"."):
			places = append(places, key)
		case slices.ContainsFunc(apart, func(prefix string) bool { return key == prefix || strings.HasPrefix(key, prefix+".") }):
			others = append(others, key)
		default:
			tasks = append(tasks, key)
		}
	}
	name := after.Name
	var out []StackChange
	if from, to := compose.Mode(before), compose.Mode(after); from != to {
		c := p.of(remade, "service", name, Reason{"deploy.mode", from, to})
		c.Gap = "service"
		return []StackChange{c}
	}
	if from, to := compose.Replicas(before), compose.Replicas(after); from != to {
		out = append(out, p.of(scaled, "service", name, Reason{"deploy.replicas", fmt.Sprint(from), fmt.Sprint(to)}))
		others = slices.DeleteFunc(others, func(key string) bool { return key == "deploy.replicas" })
	}
	if len(places) > 0 {
		out = append(p.left(before, after), out...)
	}
	switch {
	case len(tasks) > 0:
		out = append(out, p.replaced(before, after, append(tasks, places...)))
	case len(places) > 0:
		out = append(out, p.of(moved, "service", name, reasons(places)...))
	case len(others) > 0:
		out = append(out, p.of(adjusted, "service", name, reasons(others)...))
	}
	return out
}

// left are the volumes that stay behind on a node where tasks no longer run.
func (p pair) left(before, after types.ServiceConfig) []StackChange {
	var out []StackChange
	if slices.Equal(places(before), places(after)) {
		return nil
	}
	for _, mount := range after.Volumes {
		volume, ok := p.now.Volumes[mount.Source]
		if mount.Type != types.VolumeTypeVolume || !ok || !bool(volume.External) && !compose.IsLocal(volume) || len(volume.DriverOpts) > 0 {
			continue // seen from every node, or somebody else's to say
		}
		if _, had := p.was.Volumes[mount.Source]; had {
			out = append(out, p.of(data, "volume", mount.Source, Reason{"deploy.placement", strings.Join(places(before), ", "), strings.Join(places(after), ", ")}))
		}
	}
	return out
}

// places are the constraints of a service, in one order.
func places(s types.ServiceConfig) []string {
	if s.Deploy == nil {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(s.Deploy.Placement.Constraints)))
}

// replaced says whether anybody answers while tasks are replaced.
func (p pair) replaced(before, after types.ServiceConfig, keys []string) StackChange {
	c := p.of(restarted, "service", after.Name, reasons(keys)...)
	for i, why := range c.Why {
		if why.Key == "image" {
			c.Why[i] = Reason{"image", before.Image, after.Image}
		}
	}
	if strings.HasSuffix(compose.Mode(after), "-job") {
		c.Change = again
		return c
	}
	c.Grace = grace(before).String()
	hosts := slices.ContainsFunc(after.Ports, func(p types.ServicePortConfig) bool { return p.Mode == "host" })
	var update types.UpdateConfig
	if after.Deploy != nil && after.Deploy.UpdateConfig != nil {
		update = *after.Deploy.UpdateConfig
	}
	atOnce := 1 // as Docker has it
	if update.Parallelism != nil {
		atOnce = int(*update.Parallelism)
	}
	replicas := min(compose.Replicas(before), compose.Replicas(after))
	switch {
	case update.Order == "start-first" && !hosts:
		c.Change, c.Gap = updated, "none"
	case compose.Mode(after) == "global" || hosts:
		c.Gap = "node"
	case replicas > atOnce && atOnce > 0:
		c.Change, c.Gap = updated, "none"
	default:
		c.Gap = "service"
	}
	return c
}

// grace is how long a task may take to stop.
func grace(s types.ServiceConfig) time.Duration {
	if s.StopGracePeriod == nil {
		return 10 * time.Second // as Docker has it
	}
	return time.Duration(*s.StopGracePeriod)
}

// tasks are the keys of a service, with the names that its objects have in the swarm.
func (p pair) tasks(project *compose.Project, s types.ServiceConfig) map[string]any {
	flat := map[string]any{}
	for key, value := range tree(s) {
		switch key {
		case "configs", "secrets", "networks", "volumes", "ports":
		case "environment", "deploy":
			for inner, value := range inside(value) {
				flat[key+"."+inner] = value
			}
		default:
			flat[key] = value
		}
	}
	for _, c := range s.Configs {
		flat["configs."+c.Source] = []any{c, compose.ObjectName(p.stack, project.Configs[c.Source].Name, c.Source)}
	}
	for _, c := range s.Secrets {
		flat["secrets."+c.Source] = []any{c, compose.ObjectName(p.stack, project.Secrets[c.Source].Name, c.Source)}
	}
	for name, n := range s.Networks {
		flat["networks."+name] = []any{n, compose.ObjectName(p.stack, project.Networks[name].Name, name)}
	}
	for _, v := range s.Volumes {
		flat["volumes "+v.Target] = []any{v, compose.ObjectName(p.stack, project.Volumes[v.Source].Name, v.Source)}
	}
	for _, port := range s.Ports {
		flat[fmt.Sprintf("ports %s:%d/%s", port.Published, port.Target, port.Protocol)] = port
	}
	return flat
}

// tree is a value as JSON has it, without what is empty there.
func tree(value any) map[string]any {
	out := map[string]any{}
	data, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		panic(err) // types of compose-go are made for JSON
	}
	prune(out)
	return out
}

func prune(m map[string]any) {
	for key, value := range m {
		prune(inside(value))
		if value == nil || reflect.ValueOf(value).Kind() == reflect.Map && len(inside(value)) == 0 {
			delete(m, key)
		}
	}
}

// inside are the entries of a mapping, or nothing of what is none.
func inside(value any) map[string]any {
	out, _ := value.(map[string]any)
	return out
}

// differing returns the keys that one of two has alone, or with another value, sorted.
func differing(a, b map[string]any) []string {
	var out []string
	for _, key := range union(a, b) {
		if !reflect.DeepEqual(a[key], b[key]) {
			out = append(out, key)
		}
	}
	return out
}
