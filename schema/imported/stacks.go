package imported

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Source is a stack that no spec knows yet.
type Source struct {
	Name  string
	Files []string // paths in the file system, the later over the earlier
}

// Stack is what the spec says of one.
type Stack struct {
	Name     string
	Parts    []Part
	Restarts []Restart // by a deploy over the stack that is there

	source  Source
	project *compose.Project // nil where values are missing that decide its form
	wants   compose.Wants
	moved   map[string]bool // networks that have another name in the spec's swarm
}

// Restart is why a deploy over the stack that is there starts new tasks of services.
type Restart struct {
	Services []string
	Why      string
}

// Stacks are all of them.
type Stacks struct {
	List     []Stack
	Replaced []Source // whose services are Traefik alone: skep has one
	IsRouted bool     // by labels for Traefik
	Public   string   // the network on which Traefik reached most of them, or none
	Names    []string // that the labels name, of hosts
}

// Swarm says whether the stacks run already.
type Swarm string

// A swarm to come, or one that is there.
const (
	New     Swarm = "new"
	Running Swarm = "running"
)

// ReadStacks reads the Compose files of all sources. There are no stacks when one of them cannot be read.
func ReadStacks(fsys fs.FS, known func(string) string, sources []Source, swarm Swarm) (Stacks, finding.List) {
	var all Stacks
	var found finding.List
	for _, source := range sources {
		project, wants, said := compose.Survey(fsys, known, compose.Request{Name: source.Name, Files: source.Files})
		mistakes := slices.DeleteFunc(said, func(f finding.Finding) bool { return f.Level != finding.Mistake })
		found = append(found, mistakes...)
		s := Stack{Name: source.Name, source: source, project: project, wants: wants, moved: map[string]bool{}}
		switch {
		case s.isTraefik():
			all.Replaced, all.IsRouted = append(all.Replaced, source), true
		default:
			all.List = append(all.List, s)
		}
	}
	if len(found) > 0 {
		return Stacks{}, found.Ordered()
	}
	all.routes()
	for i := range all.List {
		all.List[i].fill(all.Public, swarm)
	}
	return all, nil
}

// IsRead reports whether all of the stack is known: a value that is missing may decide its form.
func (s *Stack) IsRead() bool { return s.project != nil }

// services are in the author's order.
func (s *Stack) services() []types.ServiceConfig {
	if s.project == nil {
		return nil
	}
	var out []types.ServiceConfig
	for _, name := range s.project.Order["services"] {
		if config, ok := s.project.Services[name]; ok {
			config.Name = name
			out = append(out, config)
		}
	}
	return out
}

var traefikImage = regexp.MustCompile(`^(.*/)?traefik(:|@|$)`)

// isTraefik reports whether skep's own Traefik takes the stack's place.
func (s *Stack) isTraefik() bool {
	services := s.services()
	return len(services) > 0 && !slices.ContainsFunc(services, func(c types.ServiceConfig) bool { return !traefikImage.MatchString(c.Image) })
}

// fill writes down what the stack needs.
func (s *Stack) fill(public string, swarm Swarm) {
	s.Parts = []Part{{Name: "compose", Value: list(s.source.Files)}}
	s.add("values", s.values())
	if names := namesOf(s.wants.Profiles); names != nil {
		first := s.wants.Profiles[0]
		s.Parts = append(s.Parts, Part{Name: "profiles", Value: list(names), Open: true, Why: fmt.Sprintf("or with a ! before the name to leave its services out: %s", at(first))})
	}
	if s.project == nil {
		return
	}
	s.add("exposures", s.exposures())
	s.add("secrets", s.secrets(swarm))
	s.add("networks", s.networks(public))
	s.restarts()
}

func (s *Stack) add(name string, lines []Line) {
	if len(lines) > 0 {
		s.Parts = append(s.Parts, Part{Name: name, Lines: lines})
	}
}

func namesOf(wants []compose.Want) []string {
	var names []string
	for _, w := range wants {
		names = append(names, w.Name)
	}
	return names
}

func at(w compose.Want) string { return fmt.Sprintf("%s:%d", w.File, w.Line) }

// values asks for those that the files do not have. A secret is none.
func (s *Stack) values() []Line {
	var lines []Line
	for _, w := range s.wants.Values {
		if compose.IsSecretName(w.Name) {
			lines = append(lines, Line{Open: true, Why: fmt.Sprintf("%s in %s is a secret, by its name: have the service read a file (many images know %s_FILE), and name it below secrets", w.Name, at(w), w.Key)})
			continue
		}
		lines = append(lines, Line{Name: w.Name, Value: `"..."`, Open: true, Why: at(w)})
	}
	return lines
}

// exposures asks who may connect: a Compose file cannot say it, and nothing is open by itself.
func (s *Stack) exposures() []Line {
	var lines []Line
	for _, service := range s.services() {
		var ports []string
		for _, p := range service.Ports {
			if n, err := strconv.ParseUint(p.Published, 10, 16); err == nil && n > 0 && p.HostIP == "" {
				ports = append(ports, p.Published+"/"+p.Protocol)
			}
		}
		if ports != nil {
			lines = append(lines, Line{Name: service.Name, Value: `{from: ["users"]}`, Open: true, Why: "who may connect to " + finding.Several(ports) + "?"})
		}
	}
	return lines
}

// secrets are those that the swarm has, and those that the runbook asks for once.
func (s *Stack) secrets(swarm Swarm) []Line {
	var lines []Line
	for _, name := range s.project.Order["secrets"] {
		config, ok := s.project.Secrets[name]
		if !ok {
			continue
		}
		object := compose.ObjectName(s.Name, config.Name, name)
		if bool(config.External) {
			object = cmp.Or(config.Name, name)
		}
		line := Line{Name: name, Value: fmt.Sprintf("{external: %q}", object), Why: "in the swarm already"}
		if swarm == New && !bool(config.External) {
			line.Value, line.Why = "{}", "the runbook asks for its value once"
		}
		line.Open = written.NewSchema().Breaks("#ComposeName", object) != ""
		lines = append(lines, line)
	}
	return lines
}
