package stacks

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// volumes places the services whose volumes the spec keeps on a node, and looks for the shares of others.
func (s *stack) volumes() {
	for _, name := range slices.Sorted(maps.Keys(s.Volumes)) {
		said := s.Volumes[name]
		field, node := s.Field("volumes", name), said.Node
		config, ok := s.project.Volumes[name]
		switch {
		case (node == "") == (said.Share == ""):
			s.field(finding.FieldsDisagree, field, "want exactly one of share and node")
		case node != "" && s.Node(node).Name == "":
			s.field(finding.NotANode, field+".node", node+" is not a node"+written.DidYouMean(node, s.Nodes.Names()))
		case !ok:
			s.field(finding.UnusedName, field, "is not a volume of its Compose files"+written.DidYouMean(name, s.project.VolumeNames()))
		case !isLocal(config):
			s.field(finding.FieldsDisagree, field, "the Compose file says itself where this volume is: drop its driver there, or the field here")
		case said.Share != "":
			s.shared(name, said)
		case s.spec.Has(field + ".path"):
			s.field(finding.FieldsDisagree, field+".path", "leads below a share: drop it, or name a share in the place of the node")
		default:
			s.place(name, node)
		}
	}
}

// ownVolumes finds volumes of skep's own: keys of certificates and databases are in some.
func (s *stack) ownVolumes() {
	for _, name := range s.project.Order["volumes"] {
		v, ok := s.project.Volumes[name]
		if !ok || v.Name == "" {
			continue
		}
		if of, _, cut := strings.Cut(v.Name, "_"); cut && s.isOwn(of) {
			s.at(finding.OwnObject, []string{"volumes", name}, v.Name, "is a volume of skep's own stack %s: name another one", of)
		}
	}
}

// isOwn reports whether a stack is one of skep's own.
func (j *joiner) isOwn(name string) bool {
	_, deployed := j.Rows.Deploys.Named(name)
	return deployed
}

// place has the tasks that mount a volume run on its node.
func (s *stack) place(volume, node string) {
	for name, service := range s.project.Services {
		mounts := func(v types.ServiceVolumeConfig) bool { return v.Type == "volume" && v.Source == volume }
		if !slices.ContainsFunc(service.Volumes, mounts) {
			continue
		}
		if service.Deploy == nil {
			service.Deploy = &types.DeployConfig{}
		}
		if there := "node.hostname == " + node; !slices.Contains(service.Deploy.Placement.Constraints, there) {
			service.Deploy.Placement.Constraints = append(service.Deploy.Placement.Constraints, there)
		}
		s.project.Services[name] = service
	}
}

// isLocal reports whether a volume is a directory that the node's engine chooses.
func isLocal(v types.VolumeConfig) bool {
	return compose.IsLocal(v) && len(v.DriverOpts) == 0
}

// storage finds mounts that are not there where the task starts, or are another one.
func (s *stack) storage() {
	var binds, volumes loose
	for _, service := range s.services() {
		several := !service.isGlobal() && len(s.admitted(service)) > 1
		for i, mount := range service.Volumes {
			at := service.path("volumes", strconv.Itoa(i))
			source := s.bindSource(mount)
			switch {
			case source == socket:
				s.socket(service, at)
			case source != "" && !path.IsAbs(source):
				s.at(finding.RelativeBind, at, source, "no node has this directory: a file goes into configs:, and what the service writes into a volume")
			case source != "" && several && !s.isAlike(source):
				binds.add(at, source)
			case source == "" && mount.Type == "volume" && several && isLocal(s.project.Volumes[mount.Source]) && s.Volumes[mount.Source].Share == "":
				volumes.add(at, mount.Source)
			}
		}
	}
	if binds.first != nil {
		s.at(finding.BindUnplaced, binds.first, finding.Several(binds.names), "each node has its own, and nothing says on which the tasks run: add a placement, or at the top of the spec shared: \"%s\": why: \"...\"", path.Dir(binds.names[0]))
	}
	if volumes.first != nil {
		s.at(finding.VolumeLocal, volumes.first, finding.Several(volumes.names), "is a directory of the node that runs the task, which may be another one next time: add stacks: %s: volumes: %s: %snode: \"%s\"",
			label(s.Name), label(volumes.names[0]), s.orShare(), s.Nodes[len(s.Nodes)-1].Name)
	}
}

// loose are mounts that one finding names together.
type loose struct {
	first []string
	names []string
}

func (l *loose) add(at []string, name string) {
	if l.first == nil {
		l.first = at
	}
	if name == "" {
		name = "an unnamed volume"
	}
	if !slices.Contains(l.names, name) {
		l.names = append(l.names, name)
	}
}

const socket = "/var/run/docker.sock"

// socket wants whoever asks the engine about services on a manager.
func (s *stack) socket(service service, at []string) {
	if service.isGlobal() {
		return
	}
	for _, n := range s.admitted(service) {
		if n.Role != "manager" {
			s.at(finding.DockerSocket, at, socket, "only a manager's engine knows the swarm, and a task may start on %s: add the constraint node.role == manager", n.Name)
			return
		}
	}
}

// bindSource is the directory of the node that is mounted, or "". A local volume with the options of a bind is one.
func (s *stack) bindSource(mount types.ServiceVolumeConfig) string {
	switch mount.Type {
	case "bind":
		return mount.Source
	case "volume":
		v := s.project.Volumes[mount.Source]
		if o := v.DriverOpts; strings.Contains(fmt.Sprintf(",%s,", o["o"]), "bind,") && (o["type"] == "none" || o["type"] == "") {
			return o["device"]
		}
	}
	return ""
}

// isAlike reports whether every node has the same at a path.
func (s *stack) isAlike(source string) bool {
	for _, shared := range s.Shared {
		if source == shared.Path || strings.HasPrefix(source, shared.Path+"/") {
			return true
		}
	}
	return slices.Contains([]string{"/etc/localtime", "/etc/timezone", "/proc", "/sys", "/dev", "/etc/ssl/certs", "/etc/machine-id"}, source)
}
