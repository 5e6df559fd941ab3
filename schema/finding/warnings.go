package finding

// clusterWarnings is of what Lint finds.
func clusterWarnings() []Kind {
	return []Kind{
		{
			ID:    "api-open",
			Title: "the Docker API is open to the whole world",
			Why:   "Who talks to the Docker API is root on every node. Client certificates guard it, but one leaked key, and a certificate cannot be revoked alone, then suffices from anywhere.",
			Way:   "Name the addresses of your operators in access.management, and those of Nuvla, if it deploys here, in access.nuvla, instead of 0.0.0.0/0 or ::/0.",
		},
		{
			ID:    "certificate-long",
			Title: "the web certificate is valid for longer than browsers accept",
			Why:   "Browsers refuse certificates that are valid for more than 398 days, also those of an authority that you have added.",
			Way:   "Set certificates.days to 398 or less; generate-certificates.sh --renew makes new ones.",
		},
		{
			ID:    "certificate-short",
			Title: "certificates expire in less than 30 days",
			Why:   "Certificates for the Docker API are renewed by hand. When one expires unnoticed, nothing can deploy through the API any more.",
			Way:   "Set certificates.days to 30 or more, or have a machine run generate-certificates.sh --renew.",
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
		{
			ID:    "images-unlocked",
			Title: "images are loaded by their tags alone",
			Why:   "A tag is what somebody wrote on an archive. With images.lock the runbook compares the image that a node has with the digests that were reviewed, whichever way it came.",
			Way:   "Where the registries are within reach: bundle/images/lock.sh images.lock, in the directory of the spec; review it, and build again.",
		},
		{
			ID:    "spec-unread",
			Title: "a second spec in the directory is not read",
			Why:   "A directory stands for the CUE files in it. A cluster.yaml beside cluster.cue changes nothing, though whoever edits it may think so.",
			Way:   "Name the file, skep build cluster.yaml, or remove the one that you do not use.",
		},
	}
}

// storageWarnings is of what Lint finds about object storage.
func storageWarnings() []Kind {
	return []Kind{
		{
			ID:    "s3-root",
			Title: "who uses the object storage holds root's keys",
			Why:   "With versitygw the storage has a user of its own, and root's keys stay on the cluster. For MinIO skep makes none: the keys that are handed out reach every bucket, and the administration.",
			Way:   "Use server: \"versitygw\"; or make a user with MinIO's own client, mc, and hand out its keys.",
		},
	}
}

// firewallWarnings is of what the emitted rules show, and of what stands in exposures.
func firewallWarnings() []Kind {
	return []Kind{
		{
			ID:    "api-users",
			Title: "the Docker API or the managers' own port is reachable for users",
			Why:   "The rules let a whole network of access.users through to the Docker API or to the port over which managers share their state, because another zone that may do so holds it, or an exposure opens it.",
			Way:   "Take the network out of access.users, or narrow the zone, or the exposure, that the warning names.",
		},
		{
			ID:    "exposure-expires",
			Title: "an exposure expires within two weeks",
			Why:   "You wrote a day after which nobody needs the port any more. It is at most 14 days away; after it skep vet fails.",
			Way:   "Remove the exposure, or give it a later date.",
		},
		{
			ID:    "exposure-shadowed",
			Title: "a rule can never decide, because an earlier one does",
			Why:   "Two exposures hold the same ports on the same node, and the first rule that names a port decides about it. The zones of the other one do not get what its row says.",
			Way:   "Make the two ranges end where the other begins, or make one exposure of them.",
		},
		{
			ID:    "management-ssh",
			Title: "management cannot reach ssh on a node",
			Why:   "No address of access.management is let through to the port of sshd by the rules of the node, or the zone has no address of the node's family. After the firewall step nobody could log in, nor could the runbook.",
			Way:   "Add a network of the right family to access.management, or remove what hides the port of ssh.",
		},
		{
			ID:    "range-reopens",
			Title: "a range holds a port that is protected",
			Why:   "A range of ports is open to more zones than a port inside it. skep leaves such a port out of the range, so that nothing reopens it; the range then does not open what it says.",
			Way:   "End the range before the port, and begin another one behind it.",
		},
		{
			ID:    "world-implied",
			Title: "networks are together the whole world",
			Why:   "Several networks, such as 0.0.0.0/1 and 128.0.0.0/1, make up every address there is. The whole world has to be typed, so that a reviewer sees it.",
			Way:   "Write 0.0.0.0/0 or ::/0 if you mean everyone, or narrow the networks.",
		},
		{
			ID:    "zone-contained",
			Title: "a zone lies in another",
			Why:   "Every address of one zone is in another one too, so it may do all that the other may. The distinction between the two is then no protection.",
			Way:   "Narrow the outer zone, or leave the warning be when that is what you want.",
		},
		{
			ID:    "zone-unused",
			Title: "a zone has addresses, and no port is open to it",
			Why:   "Which ports are open to a zone follows from kind, services and exposures. On a host nothing is open to Nuvla, and without services nothing to users: the addresses then have no effect.",
			Way:   "Remove the addresses, or name the service or the exposure that they are for.",
		},
	}
}

// routerWarnings is about what Traefik serves.
func routerWarnings() []Kind {
	return []Kind{
		{
			ID:    "traefik-old",
			Title: "Traefik is of a line that gets no security fixes",
			Why:   "Only the newest line is mended. Before 3.7.12 a client can also send a header under an alias (nuvla_authn_info) that a middleware does not strip, and before 3.7 a label with the highest priority takes skep's pages by chance.",
			Way:   "Set services.traefik.image to 3.7.12 or later of a supported line, or leave it out.",
		},
		{
			ID:    "s3-host",
			Title: "some keys of S3 fail at a host name on port 443",
			Why:   "Port 443 cleans up paths, so that none slips by a rule for pages: a key with // or /./ in it arrives as another one, and its signature fails. The port of S3 leaves paths alone.",
			Way:   "Let clients with such keys use services.s3.port, at any name of the cluster, or leave out services.s3.host.",
		},
	}
}
