// Package format knows which parts of a Compose file need a newer docker stack deploy than the oldest that skep writes for.
package format

import (
	"maps"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"
)

// Oldest is the minor number of file format 3 that the docker command of every engine from 20.10 on reads.
const Oldest = 8

// Part is a part of a project that an older engine does not have.
type Part struct {
	Path   []string // such as services, web, healthcheck, start_interval
	Engine string   // the first whose docker command reads it
	Minor  int      // of the file format 3 that has it
}

// need is what a part needs. Engine and format do not go together: 20.10 reads 3.9 already, and a value has no format.
// All of it is from docker/cli: the schemas in cli/compose/schema, and what cli/compose/convert reads.
type need struct {
	engine string
	minor  int
}

var (
	pids       = need{"20.10", 9}
	cluster    = need{"23.0", 10} // volumes of the Container Storage Interface
	jobs       = need{"23.0", Oldest}
	interval   = need{"25.0", 12}
	attachment = need{"28.0", 13} // options of a service's network; the adjustment of the OOM score
	mounts     = need{"28.0", Oldest}
)

// ClusterSpec is the extension of a volume that docker stack deploy reads.
const ClusterSpec = "x-cluster-spec"

// Newer returns the parts of a project that not every engine has, in the order of their names.
func Newer(p *types.Project) []Part {
	var out []Part
	add := func(n need, path ...string) { out = append(out, Part{path, n.engine, n.minor}) }
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		service(p.Services[name], func(n need, path ...string) { add(n, append([]string{"services", name}, path...)...) })
	}
	for _, name := range slices.Sorted(maps.Keys(p.Volumes)) {
		if _, ok := p.Volumes[name].Extensions[ClusterSpec]; ok {
			add(cluster, "volumes", name, ClusterSpec)
		}
	}
	return out
}

func service(s types.ServiceConfig, add func(need, ...string)) {
	if s.OomScoreAdj != 0 {
		add(attachment, "oom_score_adj")
	}
	if s.PidsLimit > 0 {
		add(pids, "pids_limit")
	}
	for _, network := range slices.Sorted(maps.Keys(s.Networks)) {
		if n := s.Networks[network]; n != nil && len(n.DriverOpts) > 0 {
			add(attachment, "networks", network, "driver_opts")
		}
	}
	for i, v := range s.Volumes {
		switch {
		case v.Type == types.VolumeTypeCluster:
			add(need{cluster.engine, Oldest}, "volumes", strconv.Itoa(i))
		case v.Type == types.VolumeTypeImage, v.Volume != nil && v.Volume.Subpath != "":
			add(mounts, "volumes", strconv.Itoa(i))
		}
	}
	if s.HealthCheck != nil && s.HealthCheck.StartInterval != nil {
		add(interval, "healthcheck", "start_interval")
	}
	if s.Deploy == nil {
		return
	}
	if s.Deploy.Mode == "replicated-job" || s.Deploy.Mode == "global-job" {
		add(jobs, "deploy", "mode")
	}
	if l := s.Deploy.Resources.Limits; l != nil && l.Pids > 0 {
		add(pids, "deploy", "resources", "limits", "pids")
	}
}
