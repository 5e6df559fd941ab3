package finding

// The IDs of routers that meet others: skep's own, and those of other stacks.
const (
	RouteOwn         ID = "route-own"
	TraefikName      ID = "traefik-name"
	TraefikReference ID = "traefik-reference"
)

func meetingMistakes() []Kind {
	return []Kind{
		{
			ID:    RouteOwn,
			Title: "a router at the place of one of skep's own pages",
			Why:   "Grafana and the like answer below a path at the cluster's domain, its nodes and certificates.names, and S3 may have a host. Their routers come before all labels, so the application gets no visitor.",
			Way:   "Choose another path, or a host of the application's own; or move skep's page, such as services.monitoring.grafana.path.",
		},
		{
			ID:    TraefikName,
			Title: "two stacks use one name in labels for Traefik",
			Why:   "Names of routers, services and middlewares are the whole cluster's. Traefik drops two routers or middlewares of one name that differ, and mixes the tasks of two services.",
			Way:   "Put the name of the stack in front: traefik.http.routers.blog-web.rule.",
		},
		{
			ID:    TraefikReference,
			Title: "a label names a service, options of TLS or a transport that nobody defines",
			Why:   "Traefik drops a router that leads to an unknown service, or with unknown options of TLS: its visitors get 404. Labels cannot define such options, nor transports. Services in Traefik's own file are pages of skep, whose logins another router would leave out.",
			Way:   "Name a service that the labels of any stack define, as NAME or NAME@swarm, and drop the label of the others.",
		},
	}
}
