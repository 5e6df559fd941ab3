package finding

func clearWarnings() []Kind {
	return []Kind{
		{
			ID:    "alerts-unheard",
			Title: "alerts reach nobody",
			Why:   "Prometheus finds a full disk, a lost manager or an expiring certificate, and shows it to who happens to look. Without a receiver nobody is told.",
			Way:   "Name one: services: monitoring: alerts: email: {to: ..., from: ..., smarthost: ...}, or webhook: url: \"...\". Leave the warning be where something else watches the cluster.",
		},
		{
			ID:    "alerts-unwatched",
			Title: "nobody notices when the monitoring itself stops",
			Why:   "Prometheus and Alertmanager run on one node. When that is down, or mail no longer leaves it, there is silence, as on a good day.",
			Way:   "Get a URL from a service that raises the alarm when its pings stop, such as healthchecks.io or one of your own, set services: monitoring: alerts: watchdog: {}, and put the URL into secrets/watchdog-url of the runbook's state directory.",
		},
		{
			ID:    "encrypted-engine",
			Title: "overlays are to be encrypted by engines that may not do so",
			Why:   "Engines before 20.10.24, and 23.0 before 23.0.3, send packets of encrypted overlays in the clear, and take forged ones, where the kernel lacks a module (CVE-2023-28840, CVE-2023-28841, CVE-2023-28842). Nothing tells you.",
			Way:   "Set engine.versions.from to 23.0.3 or later, or to 20.10.24 with engine.versions.below 21.0: the preflight step then refuses others. Or let services.vpn.mesh encrypt.",
		},
		{
			ID:    "nodes-clear",
			Title: "nodes with public addresses talk to each other in the clear",
			Why:   "Overlay networks travel in VXLAN, which is neither encrypted nor signed, and NFS is no better. Who is on the way between two nodes reads and changes it, and whoever can send packets with a node's address puts packets of his own into the overlays.",
			Way:   "Turn services.vpn.mesh on: WireGuard then carries all that the nodes say to each other. network.public.encrypted encrypts the overlays, but not NFS. Nothing is wrong where the addresses are public in form only, and the network between the nodes is yours.",
		},
		{
			ID:    "users-range",
			Title: "users may come from addresses that the cluster uses itself",
			Why:   "A network of access.users holds a range from which the engine makes networks of its own. What a container answers to an address in there goes into such a network, and never to the user.",
			Way:   "Choose a range where nobody is for engine.pool or engine.bridges; the pool is fixed when the swarm is made. Leave the warning be when no user has an address there.",
		},
		{
			ID:    "webhook-chat",
			Title: "alerts are sent to a chat that refuses them",
			Why:   "Alertmanager's webhook has a form of its own; Slack, Teams, Discord and the like answer 400 to it, so nobody is told. Their URLs also are secrets: whoever has one may post, and yours stands in the bundle and in git.",
			Way:   "Name a bridge that you run, such as one that turns Alertmanager's webhook into messages of the chat and keeps its URL, or use services.monitoring.alerts.email. Withdraw the URL if the bundle left your hands.",
		},
	}
}

func meshWarnings() []Kind {
	return []Kind{
		{
			ID:    "mesh-encrypted",
			Title: "encrypted overlays run over an encrypted mesh",
			Why:   "WireGuard encrypts all traffic between the nodes. IPsec below it does so once more, takes processor time and room in every packet, and needs ESP.",
			Way:   "Set network.public.encrypted to false. It is fixed when the network is made.",
		},
		{
			ID:    "mesh-keys",
			Title: "nodes of the mesh have no public key yet",
			Why:   "A node makes its key itself, and the others know it by the public half, which has to stand in the spec. Until then the step mesh refuses.",
			Way:   "Run ./runbook.sh run --to mesh-collect, look at STATE/mesh.cue, put it beside the spec or into it, and build again.",
		},
		{
			ID:    "mesh-large",
			Title: "a large mesh without a hub",
			Why:   "In a full mesh every node knows all others: each new one changes the configuration of all, and the tunnels grow with the square of the nodes.",
			Way:   "Name a node in services.vpn.mesh.hub: the others talk through it. It carries all their traffic, so give it the network for it.",
		},
	}
}

func accessWarnings() []Kind {
	return []Kind{{
		ID:    "vpn-endpoint",
		Title: "the VPN's server may be behind its own tunnel",
		Why:   "Clients send what goes to a pushed route through the tunnel. Where the server's own address lies in one, the tunnel's packets would go through the tunnel, and nothing comes through.",
		Way:   "Name the node's outside address in nodes.NAME.public, or leave its network out of services.vpn.access.routes. Nothing is wrong when the endpoint's name leads to an address outside of all routes, such as that of a router.",
	}}
}
