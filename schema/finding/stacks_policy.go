package finding

// The IDs of what lets a service out of its container.
const (
	Capability  ID = "capability"
	HostPath    ID = "host-path"
	HostPathOwn ID = "host-path-own"
	SysctlNode  ID = "sysctl-node"
)

func policyMistakes() []Kind {
	return []Kind{
		{
			ID:    HostPathOwn,
			Title: "a service mounts what holds keys of the cluster",
			Why:   "Secrets, certificates and the state of the swarm are in these directories. Whoever reads them has the cluster, so this cannot be waived.",
			Way:   "Mount another directory, or a secret of the stack's own.",
		},
		{
			ID:    SysctlNode,
			Title: "a setting of the kernel that containers do not have for themselves",
			Why:   "Of sysctls: only net.*, fs.mqueue.* and those of IPC in kernel.* are a container's own. With others no task starts.",
			Way:   "Set it on the nodes, in a file below /etc/sysctl.d, and leave it out here.",
		},
	}
}

func policyWarnings() []Kind {
	return []Kind{
		{
			ID:    Capability,
			Title: "a service has a capability that leads out of its container",
			Why:   "cap_add with ALL, SYS_ADMIN and the like lets a program mount file systems, load modules or change the network of others: who breaks into it has the node.",
			Way:   "Leave it out. Where the program needs it, waive the finding with the reason and a day: stacks: NAME: waive: capability: {reason: \"...\", expires: \"...\"}.",
		},
		{
			ID:    HostPath,
			Title: "a service writes where the node keeps itself",
			Why:   "Who may write to /, /etc, /usr or the engine's directory can become root of the node, and read every secret there. To mount them read-only is what monitoring does, and no finding.",
			Way:   "Write :ro behind the mount. Where the program needs to write, waive the finding with the reason and a day.",
		},
	}
}
