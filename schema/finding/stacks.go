package finding

import "slices"

// The IDs of what is wrong in the Compose files of a stack.
const (
	AnchorFromOtherFile  ID = "anchor-from-other-file"
	ComposeInclude       ID = "compose-include"
	ComposeRule          ID = "compose-rule"
	Cycle                ID = "cycle"
	EnvFromDeployer      ID = "env-from-deployer"
	FileOutside          ID = "file-outside"
	NoComposeFile        ID = "no-compose-file"
	ProfileUndecided     ID = "profile-undecided"
	ReservedVariable     ID = "reserved-variable"
	TooBig               ID = "too-big"
	UndefinedName        ID = "undefined-name"
	UnusedValue          ID = "unused-value"
	VariableWithoutValue ID = "variable-without-value"

	EnvFileReading ID = "env-file-reading" // a warning
)

// ComposeKinds lists what schema/compose finds by itself.
func ComposeKinds() []Kind {
	return append(leveled(Mistake, slices.Concat(composeMistakes(), composeValueMistakes())), leveled(Warning, composeWarnings())...)
}

// composeMistakes is about the text of Compose files, and the files that they name.
func composeMistakes() []Kind {
	return []Kind{
		{
			ID:    AnchorFromOtherFile,
			Title: "a Compose file uses an anchor of another file",
			Why:   "Anchors of YAML end with their file. Where somebody puts files together before a deploy, each of them alone means nothing.",
			Way:   "Copy what the anchor names into the file, or let the service extend one of the other file: extends: {file: common.yaml, service: base}.",
		},
		{
			ID:    ComposeInclude,
			Title: "a Compose file includes another",
			Why:   "docker stack deploy does not know include, and an included file would bring its own .env and directory with it.",
			Way:   "Name all files in the spec, the later over the earlier: stacks: shop: compose: [\"shop/compose.yaml\", \"shop/more.yaml\"].",
		},
		{
			ID:    ComposeRule,
			Title: "a Compose file breaks a rule of its format",
			Why:   "A key is not one of the Compose specification, or its value is of another type. docker stack deploy would refuse the file, or drop what it does not know.",
			Way:   "The message says what is wanted; the Compose file reference shows each key with an example.",
		},
		{
			ID:    Cycle,
			Title: "something in a Compose file leads back to itself",
			Why:   "A service that extends itself over others, or an anchor that holds itself, has no value.",
			Way:   "Break the circle: let one of them stand by itself.",
		},
		{
			ID:    FileOutside,
			Title: "a Compose file names a file outside the spec's directory",
			Why:   "A bundle is compiled from the spec's directory alone, so that it is the same wherever it is built. An absolute path, the home directory or a link out of it is another one on each machine.",
			Way:   "Copy the file below the spec's directory, and name it relative to the Compose file.",
		},
		{
			ID:    NoComposeFile,
			Title: "a file that a stack needs cannot be read",
			Why:   "The file is missing, empty, a directory, no regular file, or may not be read.",
			Way:   "Correct the path, or bring the file. Paths in the spec begin in its directory, those in Compose files in the directory of the stack's first one.",
		},
		{
			ID:    TooBig,
			Title: "a Compose file is larger than skep reads",
			Why:   "Text that grows as it is read can keep a machine busy for ever, so there are limits: 1 MiB a file, 16 files, 64 KiB and 200 variables a value, 8 defaults in each other, 16 services that extend one another, 500 services.",
			Way:   "Split the stack, or put long text into a file that configs names.",
		},
		{
			ID:    UndefinedName,
			Title: "a service names what its files do not define",
			Why:   "A network, volume, config or secret that a service uses, or a service that it extends, stands in none of the stack's files.",
			Way:   "Define it at the top level of a Compose file, with external: true if it is there already, or correct the name.",
		},
	}
}

// composeValueMistakes is about what the spec has to say about a Compose file.
func composeValueMistakes() []Kind {
	return []Kind{
		{
			ID:    EnvFromDeployer,
			Title: "an environment variable would come from the machine that deploys",
			Why:   "A variable without a value takes that of the shell in which docker stack deploy runs: another one for each operator, and often none.",
			Way:   "Add it to the stack's values, or write NAME=value in the Compose file.",
		},
		{
			ID:    ProfileUndecided,
			Title: "nobody says whether a profile is on",
			Why:   "docker stack deploy does not know profiles. A service whose profile is not on would vanish from the stack without a word.",
			Way:   "Name the profile in the stack's profiles, or name it with a ! in front to leave its services out: profiles: [\"web\", \"!debug\"].",
		},
		{
			ID:    ReservedVariable,
			Title: "a Compose file uses a variable that only Compose sets",
			Why:   "docker compose sets COMPOSE_PROJECT_NAME by itself, docker stack deploy does not: the text would change with the tool that reads it.",
			Way:   "Write the stack's name where the variable stands.",
		},
		{
			ID:    UnusedValue,
			Title: "a value or profile of a stack is used nowhere",
			Why:   "A typo in the name of a value would leave the Compose file with its default, and nobody would notice.",
			Way:   "Correct the name, or remove it.",
		},
		{
			ID:    VariableWithoutValue,
			Title: "a variable has no value and no default",
			Why:   "docker stack deploy puts nothing where a variable has no value, and starts the service all the same. skep reads no environment and no .env, so that the same spec always gives the same bundle.",
			Way:   "Add the line that the message shows to the spec, give the variable a default (${NAME:-default}), or write $$ for a $ that the container should see.",
		},
	}
}

func composeWarnings() []Kind {
	return []Kind{
		{
			ID:    EnvFileReading,
			Title: "two tools read a line of an env_file differently",
			Why:   "docker stack deploy, and skep with it, takes everything behind the = as the value. docker compose takes quotes off, replaces variables and drops what follows a #.",
			Way:   "Write the value as the container should see it, without quotes.",
		},
	}
}
