package finding

func engineWarnings() []Kind {
	return []Kind{{
		ID:    "engine-package",
		Title: "no distribution has an engine of this range",
		Why:   "engine.source is \"debian\": the runbook installs the package docker.io where there is no engine. It refuses one outside engine.versions before it installs anything, and no release that is known has one within.",
		Way:   "Install Docker's own packages on the nodes, or those of your mirror, and set engine.source to \"present\"; or widen engine.versions. Nothing is wrong when your mirror has a docker.io of that range.",
	}}
}
