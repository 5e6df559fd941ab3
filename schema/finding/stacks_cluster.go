package finding

// The IDs of what does not work out between a stack of the users and this cluster.
const (
	BindUnplaced       ID = "bind-without-placement"
	BuildOnly          ID = "build-only"
	ConstraintUnknown  ID = "constraint-unknown"
	DnsrrIngress       ID = "dnsrr-ingress"
	DockerSocket       ID = "docker-socket"
	HostmodeStartFirst ID = "hostmode-start-first"
	IgnoredKey         ID = "ignored-key"
	ImageName          ID = "image-name"
	ImageTag           ID = "image-tag"
	KnownPassword      ID = "known-password"
	LoopbackPublish    ID = "loopback-publish"
	NetworkDriver      ID = "network-driver"
	NetworkUnknown     ID = "network-unknown"
	NoNode             ID = "no-node"
	OwnObject          ID = "own-object"
	PortAssigned       ID = "port-assigned"
	PortTaken          ID = "port-taken"
	RelativeBind       ID = "relative-bind"
	ReservedPort       ID = "reserved-port-publish"
	RouteTaken         ID = "route-taken"
	RouteUncertified   ID = "route-uncertified"
	SecretEnvironment  ID = "secret-in-environment"
	SecretFromFile     ID = "secret-from-file"
	SecretUndeclared   ID = "secret-undeclared"
	SecretValue        ID = "secret-value"
	StackName          ID = "stack-name"
	TooManyReplicas    ID = "too-many-replicas"
	TraefikResolver    ID = "traefik-resolver"
	TraefikLabel       ID = "traefik-label"
	TraefikLabelLevel  ID = "traefik-label-level"
	TraefikMiddleware  ID = "traefik-middleware"
	TraefikMissing     ID = "traefik-missing"
	TraefikNetwork     ID = "traefik-network"
	TraefikOff         ID = "traefik-off"
	TraefikPoint       ID = "traefik-entry-point"
	TraefikPort        ID = "traefik-port"
	TraefikRule        ID = "traefik-rule"
	TraefikV1          ID = "traefik-v1"
	UndeclaredExposure ID = "undeclared-exposure"
	UnusedName         ID = "unused-name"
	UnusedOpening      ID = "unused-exposure"
	VolumeLocal        ID = "volume-local"
	WaiverExpired      ID = "waiver-expired"
	WaiverExpires      ID = "waiver-expires"
	WaiverUnknown      ID = "waiver-unknown"
	WaiverUnused       ID = "waiver-unused"
)

// portMistakes are about published ports of users' stacks.
func portMistakes() []Kind {
	return []Kind{
		{
			ID:    DnsrrIngress,
			Title: "a port of the routing mesh, on a service without a virtual address",
			Why:   "The mesh sends connections to a service's virtual address, which endpoint_mode: dnsrr leaves out. Docker refuses the service.",
			Way:   "Write mode: host at the port, or drop endpoint_mode.",
		},
		{
			ID:    HostmodeStartFirst,
			Title: "a port in host mode, on a service that starts its next task first",
			Why:   "The last task has the port of its node until it stops, and it stops when the next one runs, which waits for the port: the update never ends.",
			Way:   "Write deploy: update_config: order: stop-first.",
		},
		{
			ID:    LoopbackPublish,
			Title: "a port is meant for one address of a node",
			Why:   "docker compose publishes 127.0.0.1:5432 for the machine alone. Swarm ignores the address and publishes on all of them, on every node: what was private answers the world.",
			Way:   "Drop the port: services reach each other by name on their network. Or leave the address out and declare in stacks.NAME.exposures who may connect.",
		},
		{
			ID:    PortAssigned,
			Title: "a published port whose number swarm would choose",
			Why:   "Without a number swarm takes one from 30000 to 32767, another one after each deploy. Clusters of this kind open none of those, so nobody could connect.",
			Way:   "Write PUBLISHED:TARGET, and declare in stacks.NAME.exposures who may connect.",
		},
		{
			ID:    PortTaken,
			Title: "two services publish one port",
			Why:   "A port of a node leads to one service. Docker refuses the second, or its tasks wait for ever. Ports 80 and 443 are mostly Traefik's.",
			Way:   "Route through Traefik with labels and drop the port, or choose another one.",
		},
		{
			ID:    ReservedPort,
			Title: "a published port that a node needs for itself",
			Why:   "Docker leads a published port to the service before the node's own program sees the connection. With ssh nobody could log in again.",
			Way:   "Choose another port.",
		},
		{
			ID:    UndeclaredExposure,
			Title: "a published port that nobody may reach",
			Why:   "The firewall drops what the spec does not open, and a Compose file cannot say who may connect.",
			Way:   "Add stacks: NAME: exposures: SERVICE: from: [\"users\"], with the zones that may.",
		},
		{
			ID:    UnusedOpening,
			Title: "an exposure of a stack that opens nothing",
			Why:   "The row names a service or a port that the Compose files do not publish: it is a slip, or left over.",
			Way:   "Name a port that the service publishes, or remove the row.",
		},
	}
}

// routeMistakes are about labels for Traefik.
func routeMistakes() []Kind {
	return []Kind{
		{
			ID:    RouteTaken,
			Title: "two routers have one rule",
			Why:   "Traefik sends a visitor to one of them, and which one changes from start to start.",
			Way:   "Give each a host or a path of its own.",
		},
		{
			ID:    TraefikLabel,
			Title: "a label that Traefik does not know",
			Why:   "Traefik refuses all labels of a service when it cannot read one of them: no page of the service answers.",
			Way:   "Write traefik.enable, traefik.http.routers.NAME.rule, traefik.http.services.NAME.loadbalancer.server.port, and the like.",
		},
		{
			ID:    TraefikLabelLevel,
			Title: "labels for Traefik are on the containers",
			Why:   "With docker compose Traefik reads labels:. On a swarm it asks for services, which have deploy: labels:.",
			Way:   "Move the labels below deploy:.",
		},
		{
			ID:    TraefikMiddleware,
			Title: "a router names a middleware that nobody defines",
			Why:   "Traefik drops a router with an unknown middleware: its visitors get 404.",
			Way:   "Define it in the labels of any stack, and name it as NAME or NAME@swarm. Those of Traefik's own file, such as compress@file, are listed in the message.",
		},
		{
			ID:    TraefikMissing,
			Title: "labels for Traefik, on a cluster without it",
			Why:   "Labels do nothing by themselves.",
			Way:   "Turn services.traefik on, or publish a port.",
		},
	}
}

// routerMistakes are about routers that lead nowhere.
func routerMistakes() []Kind {
	return []Kind{
		{
			ID:    TraefikNetwork,
			Title: "a service that Traefik cannot reach",
			Why:   "Traefik connects to tasks over the public network. Without it visitors wait, and get 504.",
			Way:   "Put the service on the network of network.public.name, as an external one.",
		},
		{
			ID:    TraefikOff,
			Title: "a router of a service that Traefik does not look at",
			Why:   "skep's Traefik serves only what asks for it, so that no service is on the web by accident.",
			Way:   "Add the label traefik.enable=true.",
		},
		{
			ID:    TraefikPoint,
			Title: "a router names an entry point that does not exist",
			Why:   "Entry points are named in Traefik's own configuration. A router for others is dropped.",
			Way:   "Leave the label out for https, or write websecure.",
		},
		{
			ID:    TraefikPort,
			Title: "a router of a service whose port Traefik does not know",
			Why:   "With docker compose Traefik takes the port that the image exposes. A swarm does not tell it.",
			Way:   "Add the label traefik.http.services.NAME.loadbalancer.server.port.",
		},
		{
			ID:    TraefikRule,
			Title: "a rule that Traefik cannot read",
			Why:   "The router is dropped, and its visitors get 404. Rules of Traefik 2 are read in another way by Traefik 3.",
			Way:   "Write the rule as the message says, such as Host(`a.example.org`) || Host(`b.example.org`).",
		},
		{
			ID:    TraefikV1,
			Title: "labels of Traefik 1",
			Why:   "Traefik has read other labels since version 2; it ignores these, and nothing of the service is on the web.",
			Way:   "Write traefik.http.routers.NAME.rule and traefik.http.services.NAME.loadbalancer.server.port.",
		},
	}
}

// stackMistakes are about the rest of them.
func stackMistakes() []Kind {
	return []Kind{
		{
			ID:    BuildOnly,
			Title: "a service without an image",
			Why:   "docker stack deploy builds nothing: every node pulls the image that image: names.",
			Way:   "Build it, push it to a registry, and write image:. build: may stay beside it for docker compose.",
		},
		{
			ID:    ConstraintUnknown,
			Title: "a placement by what no node has",
			Why:   "Swarm takes any constraint, finds no node, and the service has no task: it stays at 0/1 without an error.",
			Way:   "Name a label in nodes.NAME.labels, a node of the spec, or a role.",
		},
		{
			ID:    IgnoredKey,
			Title: "a key that docker stack deploy drops",
			Why:   "Compose and Swarm read two dialects. What Swarm does not know it drops with a warning that few see, and the service runs without it.",
			Way:   "Write what the message says instead, or remove the key when the service can do without.",
		},
		{
			ID:    ImageName,
			Title: "an image with an odd name",
			Why:   "No registry has such an image, and the deploy stops.",
			Way:   "Write REGISTRY/PATH:TAG in lower case; the registry may be left out for Docker Hub.",
		},
		{
			ID:    NetworkDriver,
			Title: "a network that is on one node alone",
			Why:   "Tasks of a service may run on any node, and only an overlay is there on all of them. Docker refuses others.",
			Way:   "Write driver: overlay, or leave driver out.",
		},
		{
			ID:    NetworkUnknown,
			Title: "an external network that nothing makes",
			Why:   "external: true means that somebody else has made the network. The runbook makes those of the spec; with another name the deploy stops.",
			Way:   "Map the name in stacks.NAME.networks: public: true for the one that Traefik serves, or name: for one of your own, which has to be there before.",
		},
	}
}

// placeMistakes are about places and names.
func placeMistakes() []Kind {
	return []Kind{
		{
			ID:    NoNode,
			Title: "no node fits a placement",
			Why:   "Each constraint is met by some node, and all of them by none: the service has no task.",
			Way:   "Drop a constraint, or give a node what it lacks.",
		},
		{
			ID:    RelativeBind,
			Title: "a directory beside the Compose file is mounted",
			Why:   "docker compose runs where the file is. On a swarm no node has the directory, and the task is rejected.",
			Way:   "Put a file into configs:. Keep what the service writes in a volume, or below an absolute path that the nodes have.",
		},
		{
			ID:    StackName,
			Title: "a stack has the name of one of skep's own",
			Why:   "A deploy under one name takes away the services that are not in it: the two would remove each other.",
			Way:   "Choose another name.",
		},
		{
			ID:    TooManyReplicas,
			Title: "more tasks than the nodes can take",
			Why:   "Each node has a port in host mode once, and max_replicas_per_node is a limit. Tasks beyond that wait for ever.",
			Way:   "Write fewer replicas, mode: global, or a placement that more nodes meet.",
		},
		{
			ID:    UnusedName,
			Title: "a stack's field is about something that its Compose files do not have",
			Why:   "It names a secret, a network or a variable that is not there: it is a slip, or left over.",
			Way:   "Write the name as the Compose files have it, or remove the field.",
		},
	}
}

// secretMistakes are about what is not for everybody.
func secretMistakes() []Kind {
	return []Kind{
		{
			ID:    KnownPassword,
			Title: "a password that everybody knows",
			Why:   "Passwords of examples and of programs as they come are the first that a stranger tries.",
			Way:   "Have the runbook make one: stacks: NAME: secrets: SECRET: make: \"password\", and read it from /run/secrets/SECRET, as many images do with NAME_FILE.",
		},
		{
			ID:    OwnObject,
			Title: "a stack takes what is skep's own",
			Why:   "Networks that begin with skep- lead to the engine's socket and to the monitoring, secrets are logins of services, and volumes hold keys of certificates and databases. None of it is for applications.",
			Way:   "Give the application a network, a secret or a volume of its own.",
		},
		{
			ID:    SecretFromFile,
			Title: "a secret whose value is in a file or a variable",
			Why:   "docker stack deploy would take the value from the machine that deploys. Bundles are read, reviewed and kept: no value may be in one.",
			Way:   "Add stacks: NAME: secrets: SECRET: {}; the runbook asks for the value once, or makes it with make: \"password\".",
		},
		{
			ID:    SecretUndeclared,
			Title: "a secret that nothing makes",
			Why:   "external: true means that the secret is in the swarm before the deploy, which stops without it.",
			Way:   "Add stacks: NAME: secrets: SECRET: {}, or external: with its name when it is somebody else's.",
		},
		{
			ID:    SecretValue,
			Title: "a value of a stack looks like a secret",
			Why:   "Values stand in the spec and in the bundle, which are read, reviewed and kept in git.",
			Way:   "Use a secret of the stack: the runbook asks for its value once, or makes it.",
		},
	}
}

// waiverMistakes are about findings that somebody accepts.
func waiverMistakes() []Kind {
	return []Kind{
		{
			ID:    WaiverExpired,
			Title: "a waiver has outlived its expires date",
			Why:   "Somebody accepted the finding for a while, and the while is over.",
			Way:   "Do what the finding says, or give the waiver more time.",
		},
		{
			ID:    WaiverUnknown,
			Title: "a waiver of what cannot be waived",
			Why:   "Warnings may be accepted, and mistakes about what a swarm ignores. What opens a port, loses data, shows a secret or does not deploy may not.",
			Way:   "Name another finding, or fix what this one is about.",
		},
	}
}

// waiverWarnings are, too.
func waiverWarnings() []Kind {
	return []Kind{
		{
			ID:    WaiverExpires,
			Title: "a waiver expires soon",
			Why:   "skep vet fails when the day is over.",
			Way:   "Do what the finding says, or give the waiver more time.",
		},
		{
			ID:    WaiverUnused,
			Title: "a waiver of a finding that is not there",
			Why:   "It is left over, and would hide the finding when it comes again.",
			Way:   "Remove it.",
		},
	}
}

func stackWarnings() []Kind {
	return []Kind{
		{
			ID:    BindUnplaced,
			Title: "a directory of a node is mounted, and tasks may run on several",
			Why:   "Each node has a directory of its own at that path: a task that moves finds another one, or is rejected where there is none.",
			Way:   "Add a placement that one node meets. Where the directory is the same on all nodes, such as a mounted GlusterFS, say so once for the cluster: shared: \"/mnt/gluster\": why: \"...\".",
		},
		{
			ID:    DockerSocket,
			Title: "the engine's socket is mounted, and tasks may run on workers",
			Why:   "Only a manager's engine knows about services. On a worker the program gets errors. And whoever may write to the socket is root on that node.",
			Way:   "Add the placement node.role == manager. A service of mode: global that only looks at its own node may leave it.",
		},
		{
			ID:    RouteUncertified,
			Title: "a page whose name is not in the web certificate",
			Why:   "The cluster's own authority signs one web certificate, with the names of the spec. At another name browsers warn, and programs refuse.",
			Way:   "Add the name to certificates.names, and raise services.traefik.certificate.revision; build and run.",
		},
		{
			ID:    TraefikResolver,
			Title: "a router asks for its certificate where nobody is",
			Why:   "Resolvers are in Traefik's own file, and it has acme where services.traefik.certificate says so, else none. Traefik notes an unknown one in its log and shows another certificate. A router's labels for tls also take the place of the entry point's, the resolver with them.",
			Way:   "Drop the label: on websecure every router is behind TLS.",
		},
		{
			ID:    SecretEnvironment,
			Title: "a secret stands in the environment of a service",
			Why:   "A Compose file is in git, its stack file in the bundle, and docker service inspect shows the environment to whoever may ask the engine.",
			Way:   "Use a secret of the stack, and the variable that names its file: NAME_FILE. Leave the warning be where the value is no secret.",
		},
		{
			ID:    VolumeLocal,
			Title: "a volume that is on one node, for tasks that may run on several",
			Why:   "A volume without a driver is a directory of the node that runs the task. A task that moves finds an empty one, and the data stays behind.",
			Way:   "Name the node that keeps it: stacks: NAME: volumes: VOLUME: node: \"w1\". The tasks then run there.",
		},
		{
			ID:    ImageTag,
			Title: "images without a version",
			Why:   "latest is whatever was pushed last: nodes that pull on different days run different programs, and a rollback has nothing to go back to.",
			Way:   "Write a tag that means a version, or a digest.",
		},
	}
}
