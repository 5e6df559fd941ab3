package stack

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli/compose/convert"
	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/types"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// usersSpec is a cluster whose stacks are the users', in the shapes that they have in the wild.
var usersSpec = filepath.Join("testdata", "users", "cluster.yaml")

// refused are stacks that docker stack deploy does not read as they are: skep rewrites them for it.
var refused = []string{"plain"}

// TestUsers: the swarm gets from a stack's file what it would get from its author's files with the values of the spec, but
// for what normal puts aside.
func TestUsers(t *testing.T) {
	cluster, _, err := spec.Load(usersSpec)
	if err != nil {
		t.Fatal(err)
	}
	if len(cluster.Stacks) < 13 {
		t.Errorf("%d stacks, want 13 at least", len(cluster.Stacks))
	}
	files, err := generators.Generate(cluster)
	if err != nil {
		t.Fatal(err)
	}
	bundle := judge.Write(t, t.TempDir(), files)
	for _, s := range cluster.Stacks {
		t.Run(s.Name, func(t *testing.T) {
			for _, said := range s.Said {
				t.Errorf("nothing is wrong with the file: %v", said)
			}
			emitted := filepath.Join(bundle, "stacks", s.Name)
			after := asSwarm(t, s.Name, emitted, nil, filepath.Join(emitted, "compose.yaml"))
			root := filepath.Join("testdata", "users")
			var originals []string
			for _, name := range s.Compose {
				originals = append(originals, filepath.Join(root, name))
			}
			if slices.Contains(refused, s.Name) {
				if _, err := loadFiles(filepath.Dir(originals[0]), values(s), originals...); err == nil {
					t.Error("docker stack deploy reads the author's files: compare them")
				}
				return
			}
			before := asSwarm(t, s.Name, filepath.Dir(originals[0]), values(s), originals...)
			before.expect(s)
			if want, got := before.text(t), after.text(t); want != got {
				t.Errorf("docker/cli reads the author's files as\n%s\nand the bundle's as\n%s", want, got)
			}
		})
	}
}

// values are those of the spec, as docker stack deploy would find them in the environment.
func values(s schema.Stack) map[string]string {
	out := map[string]string{}
	for name, value := range s.Values {
		out[name] = value.String()
	}
	return out
}

// inSwarm is a stack as docker/cli hands it to the engine, with everything by its name in the Compose file.
type inSwarm struct {
	Services map[string]swarm.ServiceSpec
	Networks map[string]any
	Volumes  map[string]types.VolumeConfig
	Configs  map[string]config
}

type config struct {
	Data, Templating string
	Labels           map[string]string
}

func loadFiles(dir string, values map[string]string, files ...string) (*types.Config, error) {
	details := types.ConfigDetails{WorkingDir: dir, Environment: values}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		raw, err := loader.ParseYAML(data)
		if err != nil {
			return nil, err
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: file, Config: raw})
	}
	return loader.Load(details)
}

func asSwarm(t *testing.T, name, dir string, values map[string]string, files ...string) inSwarm {
	t.Helper()
	loaded, err := loadFiles(dir, values, files...)
	if err != nil {
		t.Fatal(err)
	}
	namespace := convert.NewNamespace(name)
	services, err := convert.Services(context.Background(), namespace, loaded, manager{})
	if err != nil {
		t.Fatal(err)
	}
	configs, err := convert.Configs(namespace, loaded.Configs)
	if err != nil {
		t.Fatal(err)
	}
	out := inSwarm{Services: services, Networks: map[string]any{}, Volumes: loaded.Volumes, Configs: map[string]config{}}
	keys := keysOf(namespace, loaded)
	for _, c := range configs {
		one := config{Data: string(c.Data), Labels: c.Labels}
		if c.Templating != nil {
			one.Templating = c.Templating.Name
		}
		out.Configs[keys["config "+c.Name]] = one
	}
	used := map[string]struct{}{}
	for key := range loaded.Networks {
		used[key] = struct{}{}
	}
	made, external := convert.Networks(namespace, loaded.Networks, used)
	for name, options := range made {
		out.Networks[keys["network "+name]] = options
	}
	for _, name := range external {
		out.Networks[keys["network "+name]] = "external"
	}
	for name, s := range services {
		out.Services[name] = normal(s, keys)
	}
	for key, v := range loaded.Volumes {
		v.Name = ""
		out.Volumes[key] = v
	}
	return out
}

// keysOf gives what has a name in the swarm the name that it has in the Compose file.
func keysOf(namespace convert.Namespace, c *types.Config) map[string]string {
	keys := map[string]string{}
	add := func(kind, key, name string) {
		keys[kind+cmp.Or(name, namespace.Scope(key))] = key
	}
	for key, n := range c.Networks {
		add("network ", key, n.Name)
	}
	for key, v := range c.Volumes {
		add("volume ", key, v.Name)
	}
	for key, o := range c.Configs {
		add("config ", key, o.Name)
	}
	for key, o := range c.Secrets {
		add("secret ", key, o.Name)
	}
	return keys
}

// normal puts aside what skep changes on purpose in every stack, or what has no order: the names of networks, volumes,
// configs and secrets; the defaults of ports, written out; the order of ports, configs, secrets and hosts.
func normal(s swarm.ServiceSpec, keys map[string]string) swarm.ServiceSpec {
	task := &s.TaskTemplate
	for i := range task.Networks {
		task.Networks[i].Target = cmp.Or(keys["network "+task.Networks[i].Target], task.Networks[i].Target)
		slices.Sort(task.Networks[i].Aliases)
	}
	slices.SortFunc(task.Networks, func(a, b swarm.NetworkAttachmentConfig) int { return cmp.Compare(a.Target, b.Target) })
	for i := range task.ContainerSpec.Mounts {
		if m := &task.ContainerSpec.Mounts[i]; m.Type == mount.TypeVolume {
			m.Source = cmp.Or(keys["volume "+m.Source], m.Source)
		}
	}
	for _, c := range task.ContainerSpec.Configs {
		c.ConfigName, c.ConfigID = keys["config "+c.ConfigName], ""
	}
	for _, c := range task.ContainerSpec.Secrets {
		c.SecretName, c.SecretID = keys["secret "+c.SecretName], ""
	}
	slices.SortFunc(task.ContainerSpec.Configs, func(a, b *swarm.ConfigReference) int { return cmp.Compare(a.ConfigName, b.ConfigName) })
	slices.SortFunc(task.ContainerSpec.Secrets, func(a, b *swarm.SecretReference) int { return cmp.Compare(a.SecretName, b.SecretName) })
	slices.Sort(task.ContainerSpec.Hosts)
	for i := range s.EndpointSpec.Ports {
		p := &s.EndpointSpec.Ports[i]
		p.Protocol, p.PublishMode = cmp.Or(p.Protocol, network.TCP), cmp.Or(p.PublishMode, swarm.PortConfigPublishModeIngress)
	}
	slices.SortFunc(s.EndpointSpec.Ports, swarm.PortConfig.Compare)
	return s
}

// expect makes of an author's stack what it becomes where docker/cli and docker compose read one file differently, and where
// the spec says more.
func (in *inSwarm) expect(s schema.Stack) {
	for key, volume := range s.Volumes {
		for name, service := range in.Services {
			if slices.ContainsFunc(service.TaskTemplate.ContainerSpec.Mounts, func(m mount.Mount) bool { return m.Source == key }) {
				service.TaskTemplate.Placement.Constraints = append(service.TaskTemplate.Placement.Constraints, "node.hostname == "+volume.Node)
				in.Services[name] = service
			}
		}
	}
	for name, service := range s.Project.Services {
		one := in.Services[name]
		if service.Restart == "no" { // docker stack deploy would restart it for ever
			one.TaskTemplate.RestartPolicy = &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionNone}
		}
		for _, short := range service.Tmpfs { // docker stack deploy drops it
			target, _, sized := strings.Cut(short, ":")
			m := mount.Mount{Type: mount.TypeTmpfs, Target: target}
			if sized {
				m.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: 64 << 20}
			}
			one.TaskTemplate.ContainerSpec.Mounts = append(one.TaskTemplate.ContainerSpec.Mounts, m)
		}
		in.Services[name] = one
	}
}

func (in *inSwarm) text(t *testing.T) string {
	t.Helper()
	data, err := json.MarshalIndent(in, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestUsersRefused: the stack that docker/cli refuses has become one that it reads.
func TestUsersRefused(t *testing.T) {
	cluster, _, err := spec.Load(usersSpec)
	if err != nil {
		t.Fatal(err)
	}
	files, err := generators.Generate(cluster)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(judge.Write(t, t.TempDir(), files), "stacks", "plain")
	got := asSwarm(t, "plain", dir, nil, filepath.Join(dir, "compose.yaml"))
	if names := slices.Sorted(maps.Keys(got.Services)); !slices.Equal(names, []string{"adminer", "api", "base", "cache"}) {
		t.Errorf("services %v", names)
	}
	for _, name := range []string{"base", "api"} {
		s := got.Services[name]
		limits, reserved := s.TaskTemplate.Resources.Limits, s.TaskTemplate.Resources.Reservations
		if *limits != (swarm.Limit{NanoCPUs: 500_000_000, MemoryBytes: 512 << 20, Pids: 100}) || reserved.MemoryBytes != 64<<20 {
			t.Errorf("%s: limits %+v, reserved %+v", name, limits, reserved)
		}
		if *s.Mode.Replicated.Replicas != 2 {
			t.Errorf("%s: %d replicas", name, *s.Mode.Replicated.Replicas)
		}
	}
	if r := got.Services["cache"].TaskTemplate.RestartPolicy; r == nil || r.Condition != swarm.RestartPolicyConditionAny {
		t.Errorf("cache: restart %+v", r)
	}
	if got.Configs["motd"].Data != "hello\n" {
		t.Errorf("motd: %q", got.Configs["motd"].Data)
	}
}
