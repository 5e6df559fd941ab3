package dialect

import "skep.dev/schema/compose/format"

// shape says which keys docker stack deploy reads, and in which order they are written. It is the compose file
// format of docker/cli (cli/compose/schema), less what its convert package drops without effect. Which engine reads a key
// is in schema/compose/format.
type shape struct {
	keys []key
	each *shape // of every entry, where the keys are names
}

type key struct {
	name  string
	shape *shape // nil: anything
}

func keys(names ...string) []key {
	var ks []key
	for _, n := range names {
		ks = append(ks, key{name: n})
	}
	return ks
}

func (s *shape) index(name string) int {
	for i, k := range s.keys {
		if k.name == name {
			return i
		}
	}
	return -1
}

func projectShape() *shape {
	ipam := &shape{keys: []key{{"driver", nil}, {"config", &shape{each: &shape{keys: keys("subnet")}}}}}
	network := append(keys("name", "external", "driver", "driver_opts", "internal", "attachable"), key{"ipam", ipam}, key{"labels", nil})
	object := keys("name", "external", "file", "template_driver", "labels")
	return &shape{keys: []key{
		{"version", nil},
		{"services", &shape{each: serviceShape()}},
		{"networks", &shape{each: &shape{keys: network}}},
		{"volumes", &shape{each: &shape{keys: keys("name", "external", "driver", "driver_opts", "labels", format.ClusterSpec)}}},
		{"secrets", &shape{each: &shape{keys: append(object, keys("driver", "driver_opts")...)}}},
		{"configs", &shape{each: &shape{keys: object}}},
	}}
}

func serviceShape() *shape {
	file := &shape{each: &shape{keys: keys("source", "target", "uid", "gid", "mode")}}
	return &shape{keys: []key{
		{"image", nil}, {"hostname", nil}, {"user", nil}, {"working_dir", nil}, {"entrypoint", nil}, {"command", nil},
		{"environment", nil}, {"init", nil}, {"read_only", nil}, {"cap_drop", nil}, {"cap_add", nil}, {"sysctls", nil},
		{"ulimits", nil}, {"stdin_open", nil}, {"tty", nil}, {"isolation", nil},
		{"credential_spec", &shape{keys: keys("config", "file", "registry")}}, {"oom_score_adj", nil},
		{"ports", &shape{each: &shape{keys: keys("mode", "target", "published", "protocol")}}},
		{"networks", &shape{each: &shape{keys: keys("aliases", "driver_opts")}}},
		{"dns", nil}, {"dns_search", nil}, {"extra_hosts", nil},
		{"volumes", &shape{each: &shape{keys: []key{
			{"type", nil}, {"source", nil}, {"target", nil}, {"read_only", nil}, {"consistency", nil},
			{"bind", &shape{keys: keys("propagation")}}, {"volume", &shape{keys: keys("nocopy", "subpath")}}, {"tmpfs", &shape{keys: keys("size")}},
		}}}},
		{"secrets", file}, {"configs", file},
		{"healthcheck", &shape{keys: keys("test", "interval", "timeout", "retries", "start_period", "start_interval", "disable")}},
		{"stop_signal", nil}, {"stop_grace_period", nil}, {"logging", &shape{keys: keys("driver", "options")}}, {"labels", nil},
		{"deploy", deployShape()},
	}}
}

func deployShape() *shape {
	update := &shape{keys: keys("parallelism", "order", "delay", "monitor", "failure_action", "max_failure_ratio")}
	return &shape{keys: []key{
		{"mode", nil}, {"replicas", nil},
		{"placement", &shape{keys: keys("constraints", "preferences", "max_replicas_per_node")}},
		{"endpoint_mode", nil},
		{"update_config", update}, {"rollback_config", update},
		{"restart_policy", &shape{keys: keys("condition", "delay", "max_attempts", "window")}},
		{"resources", &shape{keys: []key{
			{"limits", &shape{keys: keys("cpus", "memory", "pids")}},
			{"reservations", &shape{keys: keys("cpus", "memory", "generic_resources")}},
		}}},
		{"labels", nil},
	}}
}
