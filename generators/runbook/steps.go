package runbook

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/generators/firewall"
	"skep.dev/generators/nfs"
	"skep.dev/generators/packages"
	"skep.dev/generators/tls"
	"skep.dev/schema"
)

// Steps returns the steps that the cluster needs, in order.
func Steps(c *schema.Cluster) ([]Step, error) {
	steps := slices.Concat(
		lookSteps(c), meshSteps(c), engineSteps(c), swarmSteps(c), stateSteps(c), storageSteps(c), serviceSteps(c), vpnSteps(c), lastSteps(c),
	)
	slices.SortStableFunc(steps, func(a, b Step) int { return a.Number - b.Number })
	there := map[string]bool{}
	for i, s := range steps {
		there[s.ID] = true
		steps[i].Needs = slices.DeleteFunc(slices.Clone(s.Needs), func(id string) bool { return !there[id] })
		if strings.ContainsAny(s.Title+s.Why+s.Danger+s.Undo, "\t\n") {
			return nil, fmt.Errorf("step %s: a text has a tab or a newline", s.ID)
		}
	}
	return steps, nil
}

// OnlyLooks is the undo of a step that changes nothing.
const OnlyLooks = "nothing: it only looked"

// Body is the file of the bundle with that part of steps.
func Body(name string) string { return "runbook/steps/" + name + ".sh" }

// folder is where a file of the bundle lies, with all that lies there.
func folder(file string) string { return path.Dir(file) + "/" }

// lookSteps find out what is missing, and install packages.
func lookSteps(c *schema.Cluster) []Step {
	return []Step{
		{
			Number: 5, ID: "operator", body: "operator handed", Hosts: "operator", Order: "parallel",
			Title: "This machine has what the runbook needs",
			Why:   "a missing tool, file or secret is better found before anything is changed",
			Undo:  OnlyLooks,
			facts: []artifact.Var{
				artifact.Strings("handed", handed(c)).From("secrets that are handed over: object and name"),
			},
		},
		{
			Number: 10, ID: "preflight", body: "preflight engines transit rules", Hosts: "all", Order: "parallel", Needs: []string{"operator"},
			Title: "Each node is what the spec says",
			Why:   "reachable, root, clock, disks, address, engine version, free ports, no second firewall",
			Undo:  OnlyLooks,
			facts: preflightFacts(c),
		},
		{
			Number: 15, ID: "packages", body: "packages", Hosts: "all", Order: "parallel", Needs: []string{"preflight"},
			Title: "Debian packages",
			Why:   "the engine, the firewall, NFS and the tools of later steps, where they are missing",
			Undo:  "lets apt upgrade the engine again, and removes /var/lib/skep; the packages stay, remove them with apt-get",
			facts: append(engineVersions(c), artifact.Strings("packages", packages.Rows(c)).From("command, package, nodes")),
		},
	}
}

// preflightFacts are what each node is compared with.
func preflightFacts(c *schema.Cluster) []artifact.Var {
	facts := append(engineVersions(c),
		artifact.String("docker_directory", c.Engine.Directory).From("engine.directory"),
		artifact.Strings("engines", engines(c)).From("engine.versions: from, below, level, who, what is known, and the way out"),
		artifact.String("engine_source", c.Engine.Source).From("engine.source"),
		artifact.Strings("listeners", listeners(c)).From("exposures: protocol, port, nodes"),
		directories(c),
		artifact.Strings("bridges", c.Firewall.Interfaces()).From("firewall.bridges"),
		artifact.Strings("tunnels", tunnels(c)).From("services.vpn"),
		artifact.Strings("forward", forward(c)).From("firewall.forward: sender, interface, nodes"),
		artifact.Strings("vrrp", vrrp(c)).From("exposures: nodes that hear VRRP"),
	)
	if m := c.Mesh(); m != nil {
		facts = append(facts, meshDevice(m))
	}
	return facts
}

// engineVersions are the engines that nodes may run.
func engineVersions(c *schema.Cluster) []artifact.Var {
	return []artifact.Var{
		artifact.String("engine_from", c.Engine.Versions.From).From("engine.versions.from"),
		artifact.String("engine_below", c.Engine.Versions.Below).From("engine.versions.below"),
	}
}

// engineSteps make each machine ready: certificates, firewall, engine.
func engineSteps(c *schema.Cluster) []Step {
	return []Step{
		{
			Number: 20, ID: "certificates", body: "certificates", files: []string{tls.Script}, Hosts: "operator", Order: "parallel", Needs: []string{"operator"},
			Title: "The cluster's authority and certificates",
			Why:   "the Docker API wants client certificates; keys are born on this machine and stay in its state directory",
			Undo:  "irreversible: the certificates stay; clients hold copies",
		},
		{
			Number: 25, ID: "server-certificates", body: "server-certificates pems", files: []string{tls.Script}, Hosts: "managers", Order: "parallel", Needs: []string{"certificates"},
			Title: "Certificates of the Docker API",
			Why:   "each manager serves the API with its own certificate",
			Undo:  "removes them from the managers",
			facts: []artifact.Var{artifact.String("tls_directory", c.Engine.TLS).From("engine.tls")},
		},
		// Before the engine: with it ports begin to answer that nobody but the nodes may reach.
		{
			Number: 27, ID: "firewall", body: "firewall", files: []string{folder(firewall.Command)}, Hosts: "all", Order: "canary", Needs: []string{"packages", "mesh"},
			Title:  "The host firewall",
			Why:    "everything that no exposure names is dropped",
			Danger: fmt.Sprintf("loads new rules; without a new connection from here the old ones come back after %d seconds", c.Firewall.Rollback),
			Undo:   "unloads the rules: the nodes are open",
			facts: []artifact.Var{
				artifact.Strings("endings", firewall.BackendOf(c).Endings()).From("firewall.backend"),
				artifact.Strings("rules_paths", firewall.BackendOf(c).Installed()).From("firewall.backend"),
				artifact.Number("rollback", c.Firewall.Rollback).From("firewall.rollback"),
				artifact.Strings("bridges", c.Firewall.Interfaces()).From("firewall.bridges"),
				artifact.Strings("reached", reached(c)).From("exposures to the nodes: port, nodes"),
			},
		},
		{
			Number: 30, ID: "engine", body: "engine daemon", files: []string{engine.DropIn, engine.Sysctl, engine.Daemon("manager"), engine.Daemon("worker"), tls.Script}, Hosts: "all", Order: "rolling", Needs: []string{"packages", "server-certificates", "firewall", "mesh"},
			Title:  "The Docker engine",
			Why:    "API with client certificates on managers, address pools, log limits, port range of applications",
			Danger: "restarts the Docker engine: workers, then managers, the leader last, each when the last one is Ready and Reachable; a node's tasks start anew",
			Undo:   "puts back the settings that were there before, the kernel's too, and restarts the engine",
			facts: append(engineVersions(c),
				artifact.String("docker_directory", c.Engine.Directory).From("engine.directory"),
				artifact.String("tls_directory", c.Engine.TLS).From("engine.tls"),
				artifact.Number("api_port", int(c.Engine.Ports.API)).From("engine.ports.api"),
			),
		},
	}
}

// swarmSteps make one swarm of the machines.
func swarmSteps(c *schema.Cluster) []Step {
	port := artifact.Number("swarm_port", int(c.Engine.Ports.Swarm)).From("engine.ports.swarm")
	steps := []Step{{
		Number: 40, ID: "swarm", body: "swarm joining", Hosts: "first manager", Order: "serial", Needs: []string{"engine", "firewall"},
		Title:  "The swarm",
		Why:    "address pool and data port are fixed when a swarm is made",
		Danger: "makes a swarm, unless a manager of the spec is in one already",
		Undo:   "the first manager leaves: with it the swarm and all its objects are gone",
		facts: []artifact.Var{
			artifact.String("pool", c.Engine.Pool.Subnet.String()).From("engine.pool.subnet"),
			artifact.Number("pool_size", c.Engine.Pool.Size).From("engine.pool.size"),
			artifact.Number("data_port", int(c.Engine.DataPathPort)).From("engine.dataPathPort"),
			artifact.String("autolock", fmt.Sprint(c.Engine.Autolock)).From("engine.autolock"),
			port, linkMTU(c),
		},
	}}
	if len(c.Managers()) > 1 {
		steps = append(steps, Step{
			Number: 44, ID: "managers", body: "join joining", Hosts: "other managers", Order: "serial", Needs: []string{"swarm"},
			Title: "The other managers join", Why: "one at a time, so that the managers keep their majority",
			Undo:     "each steps down and leaves the swarm, where its entry stays as Down; not without a majority",
			argument: "manager", facts: []artifact.Var{port, linkMTU(c)},
		})
	}
	if len(c.Managers()) < len(c.Nodes) {
		steps = append(steps, Step{
			Number: 46, ID: "workers", body: "join joining", Hosts: "workers", Order: "parallel", Needs: []string{"swarm"},
			Title: "The workers join", Why: "tasks run on them",
			Undo:     "each leaves the swarm, where its entry stays as Down",
			argument: "worker", facts: []artifact.Var{port, linkMTU(c)},
		})
	}
	return append(steps, Step{
		Number: 50, ID: "nodes", body: "nodes members", files: []string{Inventory}, Hosts: "first manager", Order: "serial", Needs: []string{"swarm"},
		Title: "Roles and labels of the nodes", Why: "stacks place their tasks by label, never by host name",
		Undo: "removes the labels that begin with skep.",
	})
}

// stateSteps make what lives in the swarm's state: networks and secrets.
func stateSteps(c *schema.Cluster) []Step {
	var steps []Step
	if c.OverlayMTU() != engine.MTU {
		steps = append(steps, Step{
			Number: 53, ID: "ingress", body: "ingress", Hosts: "first manager", Order: "serial", Needs: []string{"swarm"},
			Title: "MTU of the routing mesh", Why: "larger packets than the links carry would hang",
			Danger: "removes the network ingress and makes it anew",
			Undo:   "nothing: a smaller MTU harms nobody",
			facts:  []artifact.Var{artifact.Number("mtu", c.OverlayMTU()).From(mtuField(c))},
		})
	}
	steps = append(steps, Step{
		Number: 55, ID: "networks", body: "networks others overlays", Hosts: "first manager", Order: "serial", Needs: []string{"swarm"},
		Title: "Shared overlay networks", Why: "stacks name them as external",
		Undo:  "removes them",
		facts: []artifact.Var{cluster(c), networks(c), stacks(c)},
	})
	if len(c.Secrets) > 0 {
		steps = append(steps, Step{
			Number: 60, ID: "secrets", body: "secrets handed", Hosts: "first manager", Order: "serial", Needs: []string{"swarm", "certificates"},
			Title: "Secrets", Why: "made once, on a manager; no value leaves the managers but into the swarm",
			Undo: "removes them from the swarm; the values stay in " + Secrets,
			facts: []artifact.Var{
				cluster(c),
				secrets(c),
			},
		})
	}
	if len(c.Managers()) > 1 {
		steps = append(steps, copiesStep(c, 62, "copies", "secrets"))
	}
	return steps
}

// copiesStep has every manager keep what the first one made. It comes twice: before the stacks, so that no value stands on
// one disk alone for long, and at the end, when the records of the stacks are new.
func copiesStep(c *schema.Cluster, number int, id string, needs ...string) Step {
	return Step{
		Number: number, ID: id, body: "copies superseded", Hosts: "managers", Order: "parallel", Needs: needs,
		Title: "Every manager can take the place of the first one", Why: "the values of secrets and the records of stacks would go with its disk",
		Undo:  "nothing: the values stay in " + Secrets,
		facts: []artifact.Var{artifact.Strings("stacks", c.Rows.Deploys.Names()), secrets(c)},
	}
}

// storageSteps prepare the directories of NFS and S3.
func storageSteps(c *schema.Cluster) []Step {
	var steps []Step
	if len(c.Rows.Directories) > 0 {
		steps = append(steps, Step{
			Number: 63, ID: "storage", body: "storage", Hosts: "duty nfs s3", Order: "parallel", Needs: []string{"preflight"},
			Title: "Directories of NFS and S3", Why: "their owner writes, everybody else reads",
			Undo: "nothing: the data stays",
			facts: []artifact.Var{
				directories(c),
			},
		})
	}
	n := c.Services.NFS
	if n == nil {
		return steps
	}
	sources, targets := []string{nfs.Exports, nfs.Conf}, []string{nfs.InstalledExports, nfs.InstalledConf}
	if n.Versions == "3+4" {
		sources, targets = append(sources, nfs.Lockd), append(targets, nfs.InstalledLockd)
	}
	off, on := nfs.Units(c)
	masked := artifact.Strings("masked", off).From("services.nfs.versions")
	unmasked := artifact.Strings("unmasked", on).From("services.nfs.versions")
	var rows []string
	for _, e := range nfs.Exported(n) {
		rows = append(rows, e.Mode+" "+e.Path)
	}
	shares := artifact.Strings("shares", rows).From("services.nfs.path, services.nfs.shares: ro or rw, path")
	return append(steps, Step{
		Number: 65, ID: "nfs-server", body: "nfs-server nfs-units", files: sources, Hosts: "duty nfs", Order: "parallel", Needs: []string{"packages", "firewall", "storage"},
		Title: "The NFS server", Why: "exports its directories to the nodes and nobody else",
		Undo: "stops the server, unless it ran before skep came; the data stays",
		facts: []artifact.Var{
			shares, masked, unmasked,
			artifact.Strings("nfs_sources", sources), artifact.Strings("nfs_targets", targets),
		},
	}, Step{
		Number: 67, ID: "nfs-clients", body: "nfs-clients nfs-units", Hosts: "all", Order: "parallel", Needs: []string{"nfs-server"},
		Title: "Each node can mount the share", Why: "applications run on any node",
		Undo: "unmasks the units of NFSv3 that it masked",
		facts: []artifact.Var{
			shares, masked, unmasked, artifact.String("server", n.Server).From("services.nfs.server"),
			artifact.String("server_address", c.Node(n.Server).Address.String()).From("services.nfs.server"),
			artifact.Number("nfs_port", int(n.Ports.NFS)).From("services.nfs.ports.nfs"),
		},
	})
}

// lastSteps clean up and look.
func lastSteps(c *schema.Cluster) []Step {
	steps := []Step{watchStep(c), {
		Number: 90, ID: "cleanup", body: "cleanup others superseded", Hosts: "first manager", Order: "serial", Needs: []string{"networks"},
		Title: "Remove what the spec no longer names", Why: "stacks, networks and secrets of an earlier bundle, and secrets of a revision before the last",
		Danger: "removes them from the swarm",
		Undo:   "nothing: an earlier bundle makes them again",
		facts: []artifact.Var{
			cluster(c),
			stacks(c), networks(c), secrets(c), making(c),
		},
	}, {
		Number: 95, ID: "verify", body: "verify members", Hosts: "all", Order: "parallel", Needs: []string{"cleanup", "certificate-watch"},
		Title: "Cluster health", Why: "nodes ready, pages answering, certificates good for a while",
		Undo: OnlyLooks,
		facts: []artifact.Var{
			artifact.String("tls_directory", c.Engine.TLS).From("engine.tls"),
			artifact.Number("warn_days", c.Certificates.Warn).From("certificates.warn"),
			artifact.String("web_certificate", engine.WebCertificate(c)).From("services.traefik.certificate"),
			artifact.Strings("pages", pages(c)).From("wanted answer, page"),
			artifact.Strings("urls", urls(c)),
		},
	}}
	if len(c.Managers()) > 1 {
		steps = append(steps, copiesStep(c, 92, "last-copies", "cleanup"))
	}
	return steps
}

// linkMTU is the MTU of docker_gwbridge, or 0 where Docker's own will do.
func linkMTU(c *schema.Cluster) artifact.Var {
	mtu := c.Network.MTU
	if mtu == engine.MTU {
		mtu = 0
	}
	return artifact.Number("link_mtu", mtu).From("network.mtu")
}

func cluster(c *schema.Cluster) artifact.Var { return artifact.String("cluster", c.Name).From("name") }
