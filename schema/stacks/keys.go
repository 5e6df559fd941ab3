package stacks

import (
	"slices"

	"skep.dev/schema/finding"
)

// ignored are keys that docker stack deploy drops, with what the service would be without them and what to write instead.
// Those that change nothing on a swarm (container_name, depends_on) are not among them: the stack file says they are gone.
var ignored = []struct{ key, text string }{
	{"network_mode", "docker stack deploy drops it, and the service would run on an overlay: publish its ports with mode: host, or run it beside the swarm"},
	{"privileged", "docker stack deploy drops it: write cap_add: with what the service needs, or run it beside the swarm"},
	{"devices", "docker stack deploy drops it: run the service beside the swarm, on the node with the device"},
	{"device_cgroup_rules", "docker stack deploy drops it: run the service beside the swarm, on the node with the device"},
	{"gpus", "docker stack deploy drops it: write deploy: resources: reservations: generic_resources"},
	{"pid", "docker stack deploy drops it, and the service would see its own processes alone"},
	{"ipc", "docker stack deploy drops it, and the service would have memory of its own"},
	{"uts", "docker stack deploy drops it, and the service would have a host name of its own"},
	{"userns_mode", "docker stack deploy drops it, and the service would run in the engine's own mapping of users"},
	{"cgroup", "docker stack deploy drops it"},
	{"cgroup_parent", "docker stack deploy drops it: write limits in deploy: resources"},
	{"security_opt", "docker stack deploy drops it, and the engine's own profile would hold"},
	{"shm_size", "docker stack deploy drops it: mount a tmpfs at /dev/shm, with tmpfs: size"},
	{"links", "docker stack deploy drops it: services reach each other by name on a network"},
	{"external_links", "docker stack deploy drops it: services reach each other by name on a network"},
	{"volumes_from", "docker stack deploy drops it: mount the same volume in both services"},
	{"mac_address", "docker stack deploy drops it"},
	{"runtime", "docker stack deploy drops it: set the engine's default runtime on the nodes"},
	{"blkio_config", "docker stack deploy drops it"},
	{"cpuset", "docker stack deploy drops it: write limits in deploy: resources"},
	{"oom_kill_disable", "docker stack deploy drops it"},
	{"provider", "docker stack deploy knows no providers"},
	{"pre_start", "docker stack deploy drops it: run it in the image's entrypoint"},
	{"post_start", "docker stack deploy drops it: run it in the image's entrypoint"},
	{"pre_stop", "docker stack deploy drops it: run it in the image's entrypoint"},
}

// keys finds what a service would silently be without.
func (s *stack) keys() {
	for _, service := range s.services() {
		written := s.project.Keys("services", service.name)
		for _, i := range ignored {
			if slices.Contains(written, i.key) {
				s.at(finding.IgnoredKey, service.path(i.key), "", "%s", i.text)
			}
		}
		if service.Image == "" {
			s.at(finding.BuildOnly, service.path(), "", "has no image, and docker stack deploy builds none: build it, push it to a registry, and write image:")
		}
	}
}
