package schema

// Advice tells about one kind of warning.
type Advice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why"`
	Way   string `json:"way"` // what to do about it
}

// Warnings lists every kind of warning that Lint knows, sorted by ID. The IDs do not change.
func Warnings() []Advice {
	return []Advice{
		{
			ID:    "api-open",
			Title: "the Docker API is open to the whole world",
			Why:   "Who talks to the Docker API is root on every node. Client certificates guard it, but one leaked key, and a certificate cannot be revoked alone, then suffices from anywhere.",
			Way:   "Put the addresses of Nuvla and of your operators into access.nuvla and access.management instead of 0.0.0.0/0 or ::/0.",
		},
		{
			ID:    "certificate-long",
			Title: "the web certificate is valid for longer than browsers accept",
			Why:   "Browsers refuse certificates that are valid for more than 398 days, also those of an authority that you have added.",
			Way:   "Set certificates.days to 398 or less; generate-certificates.sh --renew makes new ones.",
		},
		{
			ID:    "certificate-short",
			Title: "certificates end after less than 30 days",
			Why:   "Certificates for the Docker API are renewed by hand. When one ends unseen, Nuvla cannot deploy any more.",
			Way:   "Set certificates.days to 30 or more, or let a machine run generate-certificates.sh --renew.",
		},
		{
			ID:    "image-digest",
			Title: "an image is pinned by its tag alone",
			Why:   "A tag can be moved to another image, so two nodes, or two days, may run different code under one name.",
			Way:   "Append the digest: traefik:v3.7.13@sha256:... (`docker buildx imagetools inspect IMAGE` shows it).",
		},
		{
			ID:    "managers-even",
			Title: "the number of managers is even",
			Why:   "A swarm works while more than half of its managers do. 4 managers survive the loss of one, as 3 do, with one more that can fail; 2 survive no loss at all.",
			Way:   "Make it 3, 5 or 7: give a node role: \"manager\", or take the role from one.",
		},
		{
			ID:    "managers-many",
			Title: "there are more than seven managers",
			Why:   "Every change of the swarm waits until more than half of the managers have written it. Beyond 7 the swarm only gets slower.",
			Way:   "Make some of them workers; 3 survive the loss of one, 5 of two, 7 of three.",
		},
		{
			ID:    "managers-single",
			Title: "there is one manager",
			Why:   "While it is down, services go on but nothing can be deployed, moved or restarted elsewhere; when its disk is lost, so is the swarm.",
			Way:   "Give two more nodes role: \"manager\", or accept it for a test.",
		},
		{
			ID:    "pool-small",
			Title: "overlay networks have fewer addresses than the cluster has nodes",
			Why:   "Every node takes an address on the ingress network, and on each overlay that one of its tasks uses. Nodes without one run no published service.",
			Way:   "Lower engine.pool.size: every step doubles the addresses of a network. It is fixed when the swarm is made.",
		},
	}
}
