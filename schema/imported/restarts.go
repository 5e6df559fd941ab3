package imported

import (
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/compose"
)

// restarts says which tasks the first deploy over the stack that is there starts anew, and why.
func (s *Stack) restarts() {
	s.restart("their configs are named by the content", func(c types.ServiceConfig) bool {
		return slices.ContainsFunc(c.Configs, func(r types.ServiceConfigObjConfig) bool { return !bool(s.project.Configs[r.Source].External) })
	})
	s.restart("they move to Traefik's network", func(c types.ServiceConfig) bool {
		for name := range c.Networks {
			if s.moved[name] {
				return true
			}
		}
		return false
	})
	s.restart("their volumes are named by the options", func(c types.ServiceConfig) bool {
		return slices.ContainsFunc(c.Volumes, func(m types.ServiceVolumeConfig) bool {
			v := s.project.Volumes[m.Source]
			return m.Type == "volume" && compose.IsLocal(v) && len(v.DriverOpts) > 0
		})
	})
	s.restart("docker stack deploy has not read their tmpfs", func(c types.ServiceConfig) bool { return len(c.Tmpfs) > 0 })
	s.restart(`docker stack deploy has not read their restart: "no"`, func(c types.ServiceConfig) bool {
		return c.Restart == "no" && (c.Deploy == nil || c.Deploy.RestartPolicy == nil)
	})
}

func (s *Stack) restart(why string, applies func(types.ServiceConfig) bool) {
	var names []string
	for _, c := range s.services() {
		if applies(c) {
			names = append(names, c.Name)
		}
	}
	if names != nil {
		s.Restarts = append(s.Restarts, Restart{names, why})
	}
}
