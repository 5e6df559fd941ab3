package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// moved returns the project with what docker stack deploy reads below deploy alone moved there, and without what has no
// effect in a swarm.
func (w *writer) moved(p *types.Project) *types.Project {
	out := *p
	out.Services = types.Services{}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		where := []string{"services", name}
		w.idle(&s, where)
		deploy := types.DeployConfig{}
		if s.Deploy != nil {
			deploy = *s.Deploy
		}
		resources(&s, &deploy)
		w.restart(&s, &deploy, where)
		if s.Scale != nil && deploy.Replicas == nil && !strings.HasPrefix(deploy.Mode, "global") {
			deploy.Replicas = s.Scale
		}
		s.Scale = nil
		s.Deploy = &deploy
		out.Services[name] = s
	}
	return &out
}

// idle takes away what has no effect in a swarm, and says so: it starts services in any order, and a task that misses
// another one is restarted; a task has no name of its own; on a network every port of a service is open; images are built
// before.
func (w *writer) idle(s *types.ServiceConfig, where []string) {
	for _, key := range []struct {
		name string
		set  bool
	}{
		{"attach", s.Attach != nil}, {"build", s.Build != nil && s.Image != ""}, {"container_name", s.ContainerName != ""},
		{"depends_on", len(s.DependsOn) > 0}, {"develop", s.Develop != nil}, {"expose", len(s.Expose) > 0}, {"pull_policy", s.PullPolicy != ""},
	} {
		if key.set {
			w.drop(append(slices.Clone(where), key.name))
		}
	}
	if s.Image != "" {
		s.Build = nil
	}
	s.Attach, s.ContainerName, s.DependsOn, s.Develop, s.Expose, s.PullPolicy, s.Profiles = nil, "", nil, nil, nil, "", nil
}

// resources moves limits and reservations. compose-go wants both places to agree, so what is below deploy already stays.
func resources(s *types.ServiceConfig, d *types.DeployConfig) {
	limits, reserved := value(d.Resources.Limits), value(d.Resources.Reservations)
	if limits.NanoCPUs == 0 {
		limits.NanoCPUs = types.NanoCPUs(s.CPUS)
	}
	if limits.MemoryBytes == 0 {
		limits.MemoryBytes = s.MemLimit
	}
	if limits.Pids == 0 {
		limits.Pids = max(s.PidsLimit, 0)
	}
	if reserved.MemoryBytes == 0 {
		reserved.MemoryBytes = s.MemReservation
	}
	d.Resources.Limits, d.Resources.Reservations = &limits, &reserved
	s.CPUS, s.MemLimit, s.MemReservation, s.PidsLimit = 0, 0, 0, 0
}

// restart moves the policy. deploy would warn that it ignores the key, and read it all the same, but for "no".
func (w *writer) restart(s *types.ServiceConfig, d *types.DeployConfig, where []string) {
	policy, times, counted := strings.Cut(s.Restart, ":")
	s.Restart = ""
	if policy == "" || d.RestartPolicy != nil {
		return
	}
	d.RestartPolicy = &types.RestartPolicy{}
	switch policy {
	case types.RestartPolicyNo:
		d.RestartPolicy.Condition = "none"
	case types.RestartPolicyOnFailure:
		d.RestartPolicy.Condition = policy
	case types.RestartPolicyAlways, types.RestartPolicyUnlessStopped:
		d.RestartPolicy.Condition = "any"
	default:
		w.refuse(append(slices.Clone(where), "restart"), fmt.Sprintf("want no, always, unless-stopped or on-failure, got %s", policy))
	}
	if !counted {
		return
	}
	n, err := strconv.ParseUint(times, 10, 32)
	if err != nil {
		w.refuse(append(slices.Clone(where), "restart"), fmt.Sprintf("want a number after %s:, got %s", policy, times))
	}
	if n > 0 {
		d.RestartPolicy.MaxAttempts = &n
	}
}

// value is a copy of a resource, or an empty one.
func value(r *types.Resource) types.Resource {
	if r == nil {
		return types.Resource{}
	}
	return *r
}
