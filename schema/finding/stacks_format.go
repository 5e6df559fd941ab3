package finding

// The IDs of what the dialect of docker stack deploy has no word for.
const (
	EngineOlder ID = "engine-older"
	SwarmValue  ID = "swarm-value"
)

// formatMistakes are about what a Compose file may say, and a swarm does not take.
func formatMistakes() []Kind {
	return []Kind{
		{
			ID:    EngineOlder,
			Title: "a part of a Compose file that needs a newer engine",
			Why:   "The docker command of an older engine refuses the whole stack for it, or leaves it out without a word. The cluster may have such engines: engine.versions.from says so.",
			Way:   "Upgrade the nodes and raise engine.versions.from, or leave the part out.",
		},
		{
			ID:    SwarmValue,
			Title: "a value that a swarm does not take",
			Why:   "Compose leaves many values to whoever runs the file. The engine would refuse the service in the middle of a deploy, when others are already updated.",
			Way:   "Write one of the values that the message names.",
		},
	}
}
