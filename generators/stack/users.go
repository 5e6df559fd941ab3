package stack

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/generators/artifact"
	"skep.dev/generators/nfs"
	"skep.dev/generators/stack/dialect"
	"skep.dev/schema"
	"skep.dev/schema/compose"
)

// users is an application of the users: what its Compose files say, with the names that things have in this cluster. What
// docker stack deploy does not read was told when the spec was loaded, so it is left out with a comment.
func users(c *schema.Cluster, s schema.Stack) plan {
	p := newPlan(s.Name)
	p.order, p.unread = s.Project.Order, dialect.Drop
	for _, name := range slices.Sorted(maps.Keys(s.Project.Services)) {
		p.project.Services[name] = usersService(s.Project.Services[name])
		p.origin(s, "services", name)
		if fields := openings(s, name); len(s.Project.Services[name].Ports) > 0 && fields != nil {
			p.notes["services/"+name+"/ports"] = strings.Join(fields, ", ")
		}
	}
	p.usersNetworks(c, s)
	p.usersVolumes(c, s)
	p.usersConfigs(s)
	p.usersSecrets(c, s)
	return p
}

// usersService is a service without what the reader of Compose files has put into other keys.
func usersService(s types.ServiceConfig) types.ServiceConfig {
	s.EnvFiles, s.LabelFiles, s.Extends = nil, nil, nil
	return s
}

// origin notes where an entry of the Compose files stands, below what its author wrote about it. A line's number would
// change with each line above it.
func (p *plan) origin(s schema.Stack, entry ...string) {
	file, _, _ := s.Project.Place(entry...)
	at := strings.Join(entry, ".")
	p.note(entry, s.Project.Comments[at])
	if file != "" {
		p.note(entry, file+": "+at)
	}
}

// note adds lines above an entry.
func (p *plan) note(entry []string, text string) {
	at := strings.Join(entry, "/")
	p.notes[at] = strings.Trim(p.notes[at]+"\n"+text, "\n")
}

// openings are the fields that say who may connect to a service.
func openings(s schema.Stack, service string) []string {
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(s.Exposures)) {
		if of, _, _ := strings.Cut(name, ":"); of == service {
			fields = append(fields, s.Field("exposures", name))
		}
	}
	return fields
}

// usersFile is the stack file. Only what skep says itself tells which field decides a line: users write comments, too.
func usersFile(s schema.Stack, file artifact.File) artifact.File {
	file.Origins = slices.DeleteFunc(file.Origins, func(o artifact.Origin) bool { return !strings.HasPrefix(o.Field, s.Field()+".") })
	return file
}

// usersConfigs puts the configs' files into the bundle.
func (p *plan) usersConfigs(s schema.Stack) {
	for _, name := range slices.Sorted(maps.Keys(s.Project.Configs)) {
		config := s.Project.Configs[name]
		p.origin(s, "configs", name)
		if config.External {
			p.project.Configs[name] = types.ConfigObjConfig{Name: s.Configs[name].External, External: true}
			p.note([]string{"configs", name}, s.Field("configs", name))
			continue
		}
		data := []byte(config.Content)
		if config.File != "" {
			data = s.Project.Contents[config.File]
			p.note([]string{"configs", name}, "content of "+config.File)
		}
		parts := []string{string(data)}
		if config.TemplateDriver != "" {
			parts = append(parts, config.TemplateDriver)
		}
		file := path.Join("configs", fileName(name))
		p.files = append(p.files, artifact.File{Path: path.Join(dir(p.name), file), Mode: 0o644, Data: data})
		p.project.Configs[name] = types.ConfigObjConfig{
			Name: objectName(p.name, name, parts...), File: "./" + file,
			TemplateDriver: config.TemplateDriver, Labels: config.Labels,
		}
	}
}

// fileName is the name of a config as a file's.
func fileName(name string) string {
	if name == "." || name == ".." {
		return "_" + name
	}
	return name
}

// usersSecrets takes the secrets from the swarm, by the names that the runbook gives them.
func (p *plan) usersSecrets(c *schema.Cluster, s schema.Stack) {
	for _, name := range slices.Sorted(maps.Keys(s.Project.Secrets)) {
		object := s.Secrets[name].External
		if object == "" {
			secret, _ := c.Secret(s.SecretName(name))
			object = secret.Object()
		}
		p.project.Secrets[name] = types.SecretConfig{Name: object, External: true}
		p.origin(s, "secrets", name)
		p.note([]string{"secrets", name}, s.Field("secrets", name))
	}
}

// usersNetworks gives external networks the names that they have in this cluster.
func (p *plan) usersNetworks(c *schema.Cluster, s schema.Stack) {
	for _, name := range slices.Sorted(maps.Keys(s.Project.Networks)) {
		network := s.Project.Networks[name]
		p.origin(s, "networks", name)
		if network.External {
			network.Name = c.NetworkName(s, name)
			if _, said := s.Networks[name]; said {
				p.note([]string{"networks", name}, s.Field("networks", name))
			}
		}
		p.project.Networks[name] = network
	}
}

// usersVolumes puts volumes on the shares that keep them, and names volumes by their options where these say where the data
// is: Docker never changes the options of a volume that is there (docker/cli#1279). For a plugin the name itself says which data it is.
func (p *plan) usersVolumes(c *schema.Cluster, s schema.Stack) {
	for _, name := range slices.Sorted(maps.Keys(s.Project.Volumes)) {
		volume := s.Project.Volumes[name]
		p.origin(s, "volumes", name)
		if said, ok := s.Volumes[name]; ok {
			p.note([]string{"volumes", name}, s.Field("volumes", name))
			if said.Share != "" {
				share, _ := c.Services.NFS.Shares.Named(said.Share)
				volume.Driver, volume.DriverOpts = "local", nfs.ShareOptions(c, share, said.Path)
			}
		}
		if compose.IsLocal(volume) && len(volume.DriverOpts) > 0 {
			var options []string
			for _, option := range slices.Sorted(maps.Keys(volume.DriverOpts)) {
				options = append(options, option, volume.DriverOpts[option])
			}
			volume.Name = compose.ObjectName(s.Name, volume.Name, name) + "-" + shortHash(options...)
		}
		p.project.Volumes[name] = volume
	}
}
