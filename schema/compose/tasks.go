package compose

import "github.com/compose-spec/compose-go/v2/types"

// Mode is how a service runs: "replicated", "global", "replicated-job" or "global-job".
func Mode(s types.ServiceConfig) string {
	if s.Deploy == nil || s.Deploy.Mode == "" {
		return "replicated"
	}
	return s.Deploy.Mode
}

// Replicas is how many tasks a service has at once; a global one has one on each node that it may run on.
func Replicas(s types.ServiceConfig) int {
	switch {
	case s.Deploy != nil && s.Deploy.Replicas != nil:
		return *s.Deploy.Replicas
	case s.Scale != nil:
		return *s.Scale
	}
	return 1
}

// ObjectName is the name in the swarm of what a stack's own deploy makes: the one that the file gives it, or else the stack's
// and the key.
func ObjectName(stack, name, key string) string {
	if name != "" {
		return name
	}
	return stack + "_" + key
}

// IsLocal reports whether the node's engine makes the volume, where its options say, or else in a directory of its own.
func IsLocal(v types.VolumeConfig) bool {
	return !bool(v.External) && (v.Driver == "" || v.Driver == "local")
}
