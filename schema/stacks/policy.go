package stacks

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// policy finds what lets a service out of its container: directories and capabilities that make it root of its node, and
// settings that are the node's. One finding names all of a kind that a service has.
func (s *stack) policy() {
	for _, service := range s.services() {
		var own, paths, capabilities, settings loose
		for i, mount := range service.Volumes {
			at, source := service.path("volumes", strconv.Itoa(i)), path.Clean(s.bindSource(mount))
			switch {
			case !path.IsAbs(source):
			case slices.ContainsFunc(ownPaths(s.Engine), func(dir string) bool { return isWithin(source, dir) }):
				own.add(at, source)
			case !mount.ReadOnly && s.isNodes(source): // to read most of it is what monitoring does
				paths.add(at, source)
			}
		}
		for i, name := range service.CapAdd {
			if slices.Contains(powers, strings.TrimPrefix(strings.ToUpper(name), "CAP_")) {
				capabilities.add(service.path("cap_add", strconv.Itoa(i)), name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(service.Sysctls)) {
			if !isNamespaced(name) {
				settings.add(service.path("sysctls", name), name)
			}
		}
		s.loose(finding.HostPathOwn, own, "keys and secrets of the cluster are there: mount something else")
		s.loose(finding.HostPath, paths, "whoever writes there is root of the node: mount it read-only (:ro), or waive the finding with the reason why it is needed")
		s.loose(finding.Capability, capabilities, "with it the service is as good as root of its node: leave it out, or waive the finding with the reason why it is needed")
		s.loose(finding.SysctlNode, settings, "is the node's own, not the container's, and the engine starts no task with it: set it on the nodes")
	}
}

// loose says of all of them at once what is true of each.
func (s *stack) loose(id finding.ID, all loose, text string) {
	if all.first != nil {
		s.at(id, all.first, finding.Several(all.names), "%s", text)
	}
}

// ownPaths are what the swarm and the runbook keep on nodes, and nobody else may read.
func ownPaths(engine schema.Engine) []string {
	return []string{"/etc/skep", "/var/lib/skep", "/etc/docker", engine.TLS, "/etc/openvpn/skep", engine.Directory + "/swarm"}
}

// isNodes reports whether a node is what it is by a directory.
func (s *stack) isNodes(source string) bool {
	whole := []string{"/", "/run", "/var", "/var/lib", "/var/run"}
	below := []string{"/etc", "/root", "/boot", "/dev", "/proc", "/sys", "/usr", "/bin", "/sbin", "/lib", s.Engine.Directory, "/var/lib/containerd", "/run/containerd"}
	return slices.Contains(whole, source) || source != "/etc/localtime" && source != "/etc/timezone" &&
		slices.ContainsFunc(below, func(dir string) bool { return isWithin(source, dir) }) && !isDevice(source)
}

// isDevice reports whether a path is of one device: what the container may do with it, its device rules say.
func isDevice(source string) bool { return strings.HasPrefix(source, "/dev/") }

func isWithin(source, dir string) bool { return source == dir || strings.HasPrefix(source, dir+"/") }

// powers are the capabilities by which a container leads out of itself: capabilities(7).
var powers = []string{"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "NET_ADMIN", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "BPF", "PERFMON", "SYSLOG"}

// isNamespaced reports whether a container has a setting of the kernel for itself; with another one the engine's runc
// refuses to start it.
func isNamespaced(name string) bool {
	name = strings.ReplaceAll(name, "/", ".")
	return strings.HasPrefix(name, "net.") || strings.HasPrefix(name, "fs.mqueue.") || slices.Contains([]string{
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
		"kernel.shm_rmid_forced", "kernel.domainname",
	}, name)
}
