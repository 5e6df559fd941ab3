package finding

// The IDs of what is wrong with networks and configs of users' stacks, among each other and with skep's own.
const (
	ConfigUndeclared ID = "config-undeclared"
	NetworkFull      ID = "network-full"
	NetworkOfStack   ID = "network-of-stack"
	NetworkTaken     ID = "network-taken"
	StackCycle       ID = "stack-cycle"
)

func networkMistakes() []Kind {
	return []Kind{
		{
			ID:    ConfigUndeclared,
			Title: "an external config that nothing makes",
			Why:   "external: true means that somebody else has put the config into the swarm. The deploy stops without it, when other services of the stack are already updated.",
			Way:   "Add stacks: NAME: configs: CONFIG: external: with its name in the swarm; the runbook looks for it before the deploy. Or give the content: file:, below the spec's directory.",
		},
		{
			ID:    NetworkFull,
			Title: "a network has fewer addresses than its services need",
			Why:   "Each task has an address of the network, and so has each service (unless endpoint_mode is dnsrr), and each node where a task runs. During an update the next task has one before the last one is gone, in either order. Tasks without an address wait, and an update without one never ends.",
			Way:   "Give the network a wider subnet; one that is there already has to be removed first, with the services on it. Fewer replicas, or a smaller update_config.parallelism, need fewer.",
		},
		{
			ID:    NetworkOfStack,
			Title: "a network of another stack that is not there",
			Why:   "The spec says that another stack makes the network, and that one does not: the deploy would stop, since docker stack deploy wants an external network to be there.",
			Way:   "Name a stack of the spec and a network in its Compose files that one of its services is on. When that stack has left the spec, take the network out here, too, or make it here.",
		},
		{
			ID:    NetworkTaken,
			Title: "two make a network of one name",
			Why:   "A network of a swarm has one owner. Docker refuses the second one, and with it the deploy.",
			Way:   "Let one of them make it, and the other call it external: true. The message shows the line for the spec. Or choose another name.",
		},
		{
			ID:    StackCycle,
			Title: "stacks wait for each other's networks",
			Why:   "The runbook deploys a stack after those whose networks it uses. Where each waits for the other, neither can be first.",
			Way:   "Let one of them make all the networks that they share, with one of its services on each.",
		},
	}
}
