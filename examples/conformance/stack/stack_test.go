// Package stack judges the stack files of every example's bundle, and of one with MinIO, with what reads them: the
// loader and converter of docker/cli, the docker command itself, and compose-go.
package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	composeloader "github.com/compose-spec/compose-go/v2/loader"
	composetypes "github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/cli/cli/compose/convert"
	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/types"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators"
)

// minio is what no example shows: the other server of S3, which excludes the NFS that they all have.
const minio = `name: edge
kind: target
domain: edge.example.org
nodes:
  m1: {address: 10.0.0.11, role: manager}
access: {management: [192.0.2.0/28], nuvla: [203.0.113.10/32]}
services:
  traefik: {certificate: {selfSigned: {}}}
  s3: {server: minio, path: /srv/objects}
`

// bundles returns those of the examples, and one with MinIO.
func bundles(t *testing.T) []string {
	t.Helper()
	files, err := generators.Generate(judge.Cluster(t, minio))
	if err != nil {
		t.Fatal(err)
	}
	return append(judge.Bundles(t), judge.Write(t, filepath.Join(t.TempDir(), "minio", "bundle"), files))
}

// stacks runs a test for every stack file of every bundle.
func stacks(t *testing.T, test func(*testing.T, string)) {
	t.Helper()
	for _, bundle := range bundles(t) {
		files, err := filepath.Glob(filepath.Join(bundle, "stacks", "*", "compose.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("%s has no stack", bundle)
		}
		for _, file := range files {
			t.Run(judge.Example(bundle)+"/"+name(file), func(t *testing.T) { test(t, file) })
		}
	}
}

// isUsers reports whether a stack file is of an application of the users, whose Compose file stands beside the example's spec.
func isUsers(file string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(file), "../../..", name(file), "compose.yaml"))
	return err == nil
}

func name(file string) string { return filepath.Base(filepath.Dir(file)) }

// load reads a stack file as docker stack deploy does, in an environment without variables. The file names version 3.8
// of the format, so the newest loader holds it to the schema that the loader of engine 20.10 has.
func load(t *testing.T, file string) (*types.Config, map[string]any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := loader.ParseYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	config, err := loader.Load(types.ConfigDetails{
		WorkingDir:  filepath.Dir(file),
		ConfigFiles: []types.ConfigFile{{Filename: file, Config: raw}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return config, raw
}

func TestNothingIsIgnored(t *testing.T) {
	stacks(t, func(t *testing.T, file string) {
		config, raw := load(t, file)
		if config.Version != "3.8" {
			t.Errorf("version %s: want one that engine 20.10 reads", config.Version)
		}
		if keys := loader.GetUnsupportedProperties(raw); len(keys) > 0 {
			t.Errorf("docker stack deploy ignores %v", keys)
		}
		for key, why := range loader.GetDeprecatedProperties(raw) {
			t.Errorf("%s: %s", key, why)
		}
	})
}

// manager stands for a swarm manager that has every secret and config asked for.
type manager struct{ client.APIClient }

func (manager) SecretList(_ context.Context, o client.SecretListOptions) (client.SecretListResult, error) {
	var r client.SecretListResult
	for n := range o.Filters["name"] {
		r.Items = append(r.Items, swarm.Secret{ID: "id-" + n, Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	return r, nil
}

func (manager) ConfigList(_ context.Context, o client.ConfigListOptions) (client.ConfigListResult, error) {
	var r client.ConfigListResult
	for n := range o.Filters["name"] {
		r.Items = append(r.Items, swarm.Config{ID: "id-" + n, Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	return r, nil
}

func TestConverts(t *testing.T) {
	stacks(t, func(t *testing.T, file string) {
		config, _ := load(t, file)
		namespace := convert.NewNamespace(name(file))
		services, err := convert.Services(context.Background(), namespace, config, manager{})
		if err != nil {
			t.Fatal(err)
		}
		if len(services) == 0 {
			t.Fatal("no services")
		}
		configs, err := convert.Configs(namespace, config.Configs)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range configs {
			if len(c.Data) == 0 || len(c.Data) > 1000<<10 {
				t.Errorf("config %s has %d bytes: the swarm takes 1 to 1000 KiB", c.Name, len(c.Data))
			}
		}
		if isUsers(file) {
			return // how a service of theirs runs is theirs to say
		}
		for n, s := range services {
			for _, fault := range faults(s) {
				t.Errorf("%s: %s", n, fault)
			}
		}
	})
}

// faults says what a careful operator would not accept in a service.
func faults(s swarm.ServiceSpec) []string {
	var out []string
	want := func(ok bool, format string, args ...string) {
		if !ok {
			words := make([]any, len(args))
			for i, a := range args {
				words[i] = a
			}
			out = append(out, fmt.Sprintf(format, words...))
		}
	}
	task, container := s.TaskTemplate, s.TaskTemplate.ContainerSpec
	_, tag, tagged := strings.Cut(container.Image, ":")
	want(tagged && !strings.HasPrefix(tag, "latest"), "image %s is not pinned", container.Image)
	want(container.User != "", "runs as whatever user the image says")
	want(container.ReadOnly, "may write to its root")
	want(len(container.CapabilityDrop) == 1 && container.CapabilityDrop[0] == "ALL", "keeps capabilities")
	want(container.Healthcheck != nil && len(container.Healthcheck.Test) > 1, "has no health check")
	want(task.Resources != nil && task.Resources.Limits != nil && task.Resources.Limits.MemoryBytes > 0 && task.Resources.Limits.NanoCPUs > 0, "has no limits")
	want(task.Resources != nil && task.Resources.Reservations != nil && task.Resources.Reservations.MemoryBytes > 0, "reserves no memory")
	want(task.RestartPolicy != nil && task.RestartPolicy.Condition == swarm.RestartPolicyConditionAny, "is not always restarted")
	want(s.UpdateConfig != nil && s.UpdateConfig.FailureAction == swarm.UpdateFailureActionRollback, "is not rolled back")
	want(s.UpdateConfig != nil && s.UpdateConfig.Order == swarm.UpdateOrderStopFirst, "starts a second task beside its ports or volumes")
	want(s.EndpointSpec != nil && s.EndpointSpec.Mode == swarm.ResolutionModeDNSRR, "needs a virtual address")
	want(task.LogDriver == nil, "overrules the engine's logs")
	for _, n := range task.Networks {
		want(!strings.HasPrefix(n.Target, "_"), "network %s", n.Target)
	}
	for _, p := range s.EndpointSpec.Ports {
		want(p.PublishMode == swarm.PortConfigPublishModeHost, "publishes a port on every node")
	}
	for _, ref := range container.Secrets {
		want(ref.File != nil && ref.File.Mode == 0o400, "secret %s can be read by others", ref.SecretName)
		want(ref.File != nil && strings.Split(container.User, ":")[0] == ref.File.UID, "secret %s belongs to another user", ref.SecretName)
	}
	for _, ref := range container.Configs {
		want(ref.File != nil && ref.File.Mode == 0o400 && container.User == ref.File.UID, "config %s cannot be read, or by others", ref.ConfigName)
	}
	for _, text := range append(append(container.Env, container.Args...), container.Command...) {
		want(!strings.Contains(text, "${") && !strings.Contains(text, "$$"), "a variable is left in %q", text)
	}
	return out
}

func TestComposeSpecification(t *testing.T) {
	stacks(t, func(t *testing.T, file string) {
		_, err := composeloader.LoadWithContext(context.Background(), composetypes.ConfigDetails{
			WorkingDir:  filepath.Dir(file),
			ConfigFiles: []composetypes.ConfigFile{{Filename: file}},
		}, func(o *composeloader.Options) { o.SetProjectName(name(file), true) })
		if err != nil {
			t.Error(err)
		}
	})
}

// TestDockerCommand asks the installed command as well, however old: TestLoader asks the code of a newer one. A deployment
// reads the file before it looks for the engine, and Debian 12's docker.io (20.10) knows no `stack config`.
func TestDockerCommand(t *testing.T) {
	docker := judge.Tool(t, "docker", "docker-cli (docker.io in Debian 12)")
	help, err := exec.Command(docker, "stack", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	configures := strings.Contains(string(help), "\n  config ")
	stacks(t, func(t *testing.T, file string) {
		if _, stderr, _ := ask(t, docker, "deploy", file); !foundNoEngine(stderr) {
			t.Errorf("docker stack deploy: %s", stderr)
		}
		if !configures {
			return
		}
		stdout, stderr, err := ask(t, docker, "config", file)
		if err != nil || stderr != "" {
			t.Errorf("%v: %s", err, stderr)
		}
		if !strings.Contains(stdout, "services:") {
			t.Error("docker stack config printed no services")
		}
	})
	wrong := filepath.Join(t.TempDir(), "compose.yaml")
	if err := os.WriteFile(wrong, []byte("version: \"3.8\"\nservices: {a: {image: x, bogus: 1}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := ask(t, docker, "deploy", wrong); err == nil || !strings.Contains(stderr, "bogus") {
		t.Errorf("docker stack deploy takes a wrong file: %v %s", err, stderr)
	}
}

// noEngine is where nobody listens.
const noEngine = "unix:///nonexistent/docker.sock"

// foundNoEngine says whether a command got as far as the engine, and had nothing to say of the file before. Some versions
// announce another default of --detach.
func foundNoEngine(stderr string) bool {
	var said []string
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "--detach=false") && strings.TrimSpace(line) != "" {
			said = append(said, line)
		}
	}
	return len(said) == 1 && strings.Contains(said[0], noEngine)
}

// ask runs docker stack VERB over a file, without an engine.
func ask(t *testing.T, docker, verb, file string) (string, string, error) {
	t.Helper()
	args := []string{"--host", noEngine, "stack", verb, "--compose-file", file}
	if verb == "deploy" {
		args = append(args, "name")
	}
	command := exec.Command(docker, args...)
	command.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	return stdout.String(), stderr.String(), err
}
