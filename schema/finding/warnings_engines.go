package finding

func engineWarnings() []Kind {
	return []Kind{{
		ID:    "engine-known",
		Title: "every engine of the range is known for a fault",
		Why:   "Some engines break overlays, names or tasks, or get no security fixes any more. Where a part of engine.versions has the fault, the preflight step tells it of the nodes that have such an engine; here no engine is without it.",
		Way:   "Move engine.versions to engines without the fault, and upgrade the nodes one at a time.",
	}, {
		ID:    "engine-package",
		Title: "no distribution has an engine of this range",
		Why:   "engine.source is \"debian\": the runbook installs the package docker.io where there is no engine. It refuses one outside engine.versions before it installs anything, and no release that is known has one within.",
		Way:   "Install Docker's own packages on the nodes, or those of your mirror, and set engine.source to \"present\"; or widen engine.versions. Nothing is wrong when your mirror has a docker.io of that range.",
	}}
}
