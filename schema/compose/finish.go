package compose

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/finding"
)

// finish turns what compose-go merged into what skep reads, and finds what compose-go does not look for.
func (r *reader) finish(p *Project) {
	profiles := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(p.AllServices())) {
		for _, profile := range p.AllServices()[name].Profiles {
			profiles[profile] = true
		}
	}
	r.profiles(p)
	p.DisabledServices = nil
	p.Order["services"] = slices.DeleteFunc(p.Order["services"], func(name string) bool { _, on := p.Services[name]; return !on })
	if len(p.Services) == 0 && !r.mistaken() {
		r.say(finding.ComposeRule, r.start(), "", "", "the stack has no service: write one below services:")
	}
	for _, name := range p.Order["services"] {
		s := p.Services[name]
		r.environment(p, name, &s)
		r.references(p, name, s)
		r.homes(p, name, s)
		targets(p, name, &s)
		for i := range s.Ports {
			s.Ports[i].Protocol = cmp.Or(s.Ports[i].Protocol, "tcp")
			s.Ports[i].Mode = cmp.Or(s.Ports[i].Mode, "ingress")
		}
		p.Services[name] = s
	}
	r.files(p)
	r.unused(profiles)
}

// profiles finds services that nobody decided about.
func (r *reader) profiles(p *Project) {
	for _, name := range slices.Sorted(maps.Keys(p.DisabledServices)) {
		profiles := p.DisabledServices[name].Profiles
		if slices.ContainsFunc(profiles, func(profile string) bool { return slices.Contains(r.request.Profiles, "!"+profile) }) {
			continue
		}
		path := []string{"services", name, "profiles"}
		r.want(&r.wants.Profiles, profiles[0], "", p.places.find(p.Project, path))
		r.say(finding.ProfileUndecided, p.places.find(p.Project, path), dotted(path), quoted(profiles[0]),
			fmt.Sprintf("the spec does not say whether it is on: add stacks: %s: profiles: [%q], or [%q] to leave the service out", finding.Label(r.request.Name), profiles[0], "!"+profiles[0]))
	}
}

// references finds names that lead nowhere.
func (r *reader) references(p *Project, name string, s types.ServiceConfig) {
	refuse := func(section, named string, path ...string) {
		if r.full() {
			return
		}
		path = append([]string{"services", name}, path...)
		r.say(finding.UndefinedName, p.places.find(p.Project, path), dotted(path), quoted(named), fmt.Sprintf("no file of the stack defines it: add it to %s, or correct the name", section))
	}
	for _, network := range slices.Sorted(maps.Keys(s.Networks)) {
		if _, ok := p.Networks[network]; !ok && network != "default" {
			refuse("networks", network, "networks", network)
		}
	}
	for i, v := range s.Volumes {
		if _, ok := p.Volumes[v.Source]; !ok && v.Type == types.VolumeTypeVolume && v.Source != "" {
			refuse("volumes", v.Source, "volumes", fmt.Sprint(i))
		}
	}
	for i, c := range s.Configs {
		if _, ok := p.Configs[c.Source]; !ok {
			refuse("configs", c.Source, "configs", fmt.Sprint(i))
		}
	}
	for i, c := range s.Secrets {
		if _, ok := p.Secrets[c.Source]; !ok {
			refuse("secrets", c.Source, "secrets", fmt.Sprint(i))
		}
	}
}

// homes refuses sources that depend on who runs skep.
func (r *reader) homes(p *Project, name string, s types.ServiceConfig) {
	for i, v := range s.Volumes {
		if strings.HasPrefix(v.Source, "~") && !r.full() {
			path := []string{"services", name, "volumes", fmt.Sprint(i)}
			r.say(finding.FileOutside, p.places.find(p.Project, path), dotted(path), quoted(v.Source), "the home directory is another one on each machine: write the whole path of the directory on the nodes")
		}
	}
}

// files reads what configs name, and gives the paths of secrets as the file system has them.
func (r *reader) files(p *Project) {
	for _, name := range p.Order["configs"] {
		c := p.Configs[name]
		if c.Environment != "" {
			r.content(p, name, &c)
		}
		if c.File != "" {
			if full, text, ok := r.named(p, c.File, maxConfigBytes, "configs", name, "file"); ok {
				c.File, p.Contents[full] = full, text
			}
		}
		p.Configs[name] = c
	}
	for _, name := range p.Order["secrets"] {
		s := p.Secrets[name]
		r.used[s.Environment] = true // whether a secret may stand in values is another question
		if s.File != "" && fsPath(p.places.dir, s.File) != "" {
			s.File = fsPath(p.places.dir, s.File)
		}
		p.Secrets[name] = s
	}
}

// content gives a config the value that its file takes from the environment.
func (r *reader) content(p *Project, name string, c *types.ConfigObjConfig) {
	r.used[c.Environment] = true
	value, ok := r.request.Values[c.Environment]
	if !ok {
		path := []string{"configs", name, "environment"}
		r.want(&r.wants.Values, c.Environment, c.Environment, p.places.find(p.Project, path))
		r.say(finding.VariableWithoutValue, p.places.find(p.Project, path), dotted(path), c.Environment, fmt.Sprintf("has no value: add stacks: %s: values: %s: \"...\"", finding.Label(r.request.Name), c.Environment))
		return
	}
	c.Content, c.Environment = value, ""
}

// named reads a file that a field names, seen from the directory of the stack's first file.
func (r *reader) named(p *Project, name string, limit int64, path ...string) (full string, text []byte, ok bool) {
	by := origin{p.places.find(p.Project, path), dotted(path)}
	if full, ok = r.inside(p.places.dir, name, by); !ok {
		return "", nil, false
	}
	text, ok = r.contents(full, limit, by)
	return full, text, ok
}

// fsPath is a relative path as the file system has it, or nothing for one that is outside.
func fsPath(dir, name string) string {
	full := path.Join(dir, name)
	if path.IsAbs(name) || strings.HasPrefix(name, "~") || strings.HasPrefix(full, "..") {
		return ""
	}
	return full
}
