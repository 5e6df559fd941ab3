// Package engine makes the configuration of the Docker engine: daemon.json for managers and for workers, the systemd
// drop-in that lets daemon.json say where to listen, the kernel's settings, and what measures when certificates expire.
package engine

import (
	"embed"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Paths in the bundle.
const (
	Manager = "engine/manager.json"
	Worker  = "engine/worker.json"
	DropIn  = "engine/docker.service.conf"
	Sysctl  = "engine/sysctl.conf"
)

// Paths on a node. A changed daemon.json or TLS file needs a restart of docker.service: neither the listeners nor
// the certificates are reloaded (moby#23936).
const (
	InstalledDaemon = "/etc/docker/daemon.json"
	InstalledDropIn = "/etc/systemd/system/docker.service.d/skep.conf"
	InstalledSysctl = "/etc/sysctl.d/90-skep.conf"
)

// MTU is what Docker's networks have when nobody says otherwise, in bytes.
const MTU = 1500

//go:embed docker.service.conf skep-certificates.*
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/engine", Files: embedded}

// offline has a task take the image that is on its node, instead of asking a registry first, which costs each start half a
// minute where none answers. It is not documented, and there since 17.10.
// https://github.com/moby/moby/blob/v20.10.24/daemon/cluster/executor/container/controller.go#L122
const offline = "# images.delivery: a task takes the image that is on its node.\nEnvironment=DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1\n"

// unitDropIn is the drop-in of docker.service.
func unitDropIn(c *schema.Cluster) artifact.File {
	text := assets.Bodies("docker.service.conf")[0].Text
	if c.Images.Loads() {
		text += offline
	}
	return artifact.Text(DropIn, []byte(text))
}

// Daemon returns the bundle's daemon.json for a role, "manager" or "worker".
func Daemon(role string) string {
	if role == "manager" {
		return Manager
	}
	return Worker
}

// Files returns a daemon.json for each role that the cluster has, the drop-in, the kernel's settings, and what measures.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	files := []artifact.File{
		unitDropIn(c),
		artifact.Text(Sysctl, sysctl(c)),
	}
	roles := []string{"manager"}
	if len(c.Managers()) < len(c.Nodes) {
		roles = append(roles, "worker")
	}
	for _, role := range roles {
		file, err := daemon(c, role).file(Daemon(role))
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return artifact.Of(append(files, watch(c)...), "engine"), nil
}
