package compose

import (
	"path"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
)

// targets gives mounts the targets that their author wrote. compose-go takes off what a path does not need, such as a slash
// at its end; the engine compares texts, and would restart the tasks of a stack that is taken over.
func targets(p *Project, name string, s *types.ServiceConfig) {
	written := map[string]string{} // by what compose-go makes of it
	for _, l := range p.places.layers([]string{"services", name, "volumes"}) {
		volumes := l.node.get("volumes")
		if volumes == nil {
			continue
		}
		for _, item := range volumes.items {
			target := item.text
			if t := item.get("target"); t != nil {
				target = t.text
			} else if short, err := format.ParseVolume(item.text); err == nil {
				target = short.Target
			}
			if _, over := written[path.Clean(target)]; !over {
				written[path.Clean(target)] = target
			}
		}
	}
	for i := range s.Volumes {
		if target, ok := written[path.Clean(s.Volumes[i].Target)]; ok && s.Volumes[i].Target != "" {
			s.Volumes[i].Target = target
		}
	}
}
