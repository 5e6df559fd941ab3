package stack

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"

	"skep.dev/schema"
)

// Tasks read their files as their own user, so nobody else needs to.
const fileMode = types.FileMode(0o400)

// newService returns a service of one task that is updated in place: the old task stops before the new one starts,
// because two cannot share a published port or a volume. Fields are assigned, never written as literals of
// ServiceConfig: compose-go moved them to an embedded struct in a minor release (v2.16.0).
func newService(image string, uid int, r schema.Resources) (types.ServiceConfig, error) {
	var s types.ServiceConfig
	limits, err := resource(r.Memory)
	if err != nil {
		return s, err
	}
	cpus, err := strconv.ParseFloat(r.CPUs, 32)
	if err != nil {
		return s, fmt.Errorf("cpus %q: %w", r.CPUs, err)
	}
	limits.NanoCPUs = types.NanoCPUs(cpus)
	reserved, err := resource(r.Reserve)
	if err != nil {
		return s, err
	}
	s.Image = image
	s.User = strconv.Itoa(uid)
	s.ReadOnly = true
	s.CapDrop = []string{"ALL"}
	s.Deploy = &types.DeployConfig{
		Mode:           "replicated",
		Replicas:       pointer(1),
		UpdateConfig:   update(),
		RollbackConfig: update(),
		RestartPolicy:  &types.RestartPolicy{Condition: "any", Delay: seconds(5)},
		Resources:      types.Resources{Limits: limits, Reservations: reserved},
		// No virtual address: it needs IPVS, and one task has nothing to balance.
		EndpointMode: "dnsrr",
	}
	s.Deploy.UpdateConfig.FailureAction = "rollback"
	s.Deploy.RollbackConfig.FailureAction = "pause"
	s.Networks = map[string]*types.ServiceNetworkConfig{}
	s.Environment = types.MappingWithEquals{}
	return s, nil
}

func update() *types.UpdateConfig {
	return &types.UpdateConfig{
		Parallelism: pointer(uint64(1)),
		Order:       "stop-first",
		Delay:       *seconds(5),
		Monitor:     *seconds(30),
	}
}

func resource(memory string) (*types.Resource, error) {
	n, err := units.RAMInBytes(memory)
	if err != nil {
		return nil, fmt.Errorf("memory %q: %w", memory, err)
	}
	return &types.Resource{MemoryBytes: types.UnitBytes(n)}, nil
}

// global makes the service run once on every node that its placement allows.
func global(s *types.ServiceConfig) {
	s.Deploy.Mode = "global"
	s.Deploy.Replicas = nil
}

// onDuty places the service on the nodes that the runbook labels for a duty of schema.Cluster.Duties.
func onDuty(s *types.ServiceConfig, duty string) {
	s.Deploy.Placement.Constraints = []string{"node.labels.skep." + duty + " == true"}
}

func health(test ...string) *types.HealthCheckConfig {
	return &types.HealthCheckConfig{
		Test:        append(types.HealthCheckTest{"CMD"}, test...),
		Interval:    seconds(15),
		Timeout:     seconds(5),
		Retries:     pointer(uint64(4)),
		StartPeriod: seconds(60),
	}
}

// healthGet asks the task's own port with the wget that the image has.
func healthGet(port uint16, path string) *types.HealthCheckConfig {
	return health("wget", "-q", "-O", "/dev/null", local(port, path))
}

// attach connects the service to overlays that the runbook makes.
func (p *plan) attach(s *types.ServiceConfig, networks ...string) {
	for _, n := range networks {
		s.Networks[n] = nil
		p.project.Networks[n] = types.NetworkConfig{Name: n, External: true}
	}
}

// mountFile mounts a configuration file of addFile.
func (p *plan) mountFile(s *types.ServiceConfig, name, target string) {
	s.Configs = append(s.Configs, types.ServiceConfigObjConfig{
		Source: name, Target: target, UID: owner(s), GID: owner(s), Mode: pointer(fileMode),
	})
}

// mountSecret mounts a secret of the swarm below /run/secrets; the file's name does not change with the revision.
func (p *plan) mountSecret(c *schema.Cluster, s *types.ServiceConfig, name string) {
	secret, _ := c.Secret(name)
	p.project.Secrets[name] = types.SecretConfig{Name: secret.Object(), External: true}
	p.notes["secrets/"+name] = secret.Why + ": " + secret.Field
	s.Secrets = append(s.Secrets, types.ServiceSecretConfig{
		Source: name, Target: name, UID: owner(s), GID: owner(s), Mode: pointer(fileMode),
	})
}

// owner is the number alone: a service may run as user:group, but the engine starts no task whose file belongs to that.
func owner(s *types.ServiceConfig) string {
	uid, _, _ := strings.Cut(s.User, ":")
	return uid
}

// mountVolume mounts a volume of the node; the placement must allow one node only.
func (p *plan) mountVolume(s *types.ServiceConfig, name, target string) {
	p.project.Volumes[name] = types.VolumeConfig{}
	s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{Type: "volume", Source: name, Target: target})
}

func bindReadOnly(s *types.ServiceConfig, source, target string) {
	s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{
		Type: "bind", Source: source, Target: target, ReadOnly: true,
	})
}

// bindNode shows a tree of the node, with the mounts below it as they come and go.
func bindNode(s *types.ServiceConfig, source, target string) {
	bindReadOnly(s, source, target)
	s.Volumes[len(s.Volumes)-1].Bind = &types.ServiceVolumeBind{Propagation: "rslave"}
}

// scratch gives the service a place for temporary files beside its read-only root.
func scratch(s *types.ServiceConfig, target string, bytes types.UnitBytes) {
	s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{
		Type: "tmpfs", Target: target, Tmpfs: &types.ServiceVolumeTmpfs{Size: bytes},
	})
}

// publish opens a port on the task's own node: only so does the service see the client's address.
func publish(s *types.ServiceConfig, port uint16) {
	s.Ports = append(s.Ports, types.ServicePortConfig{
		Mode: "host", Target: uint32(port), Published: strconv.Itoa(int(port)), Protocol: "tcp",
	})
}

func setenv(s *types.ServiceConfig, name, value string) { s.Environment[name] = &value }

func secretFile(name string) string { return "/run/secrets/" + name }

func seconds(n int) *types.Duration { return pointer(types.Duration(time.Duration(n) * time.Second)) }

func pointer[T any](v T) *T { return &v }
