package finding

import "slices"

// The IDs of mistakes.
const (
	AmbiguousYAML       ID = "ambiguous-yaml"
	DerivedSet          ID = "derived-set"
	DuplicatePort       ID = "duplicate-port"
	ExposureExpired     ID = "exposure-expired"
	FactSet             ID = "fact-set"
	FieldsDisagree      ID = "fields-disagree"
	MisplacedField      ID = "misplaced-field"
	ModuleFile          ID = "module-file"
	NetworksOverlap     ID = "networks-overlap"
	NotANode            ID = "not-a-node"
	NotConcrete         ID = "not-concrete"
	Repeated            ID = "repeated"
	RequiredField       ID = "required-field"
	SetTwice            ID = "set-twice"
	SharedAddress       ID = "shared-address"
	Syntax              ID = "syntax"
	TestFailed          ID = "test-failed"
	UnknownField        ID = "unknown-field"
	UnresolvedReference ID = "unresolved-reference"
	WrongType           ID = "wrong-type"
	WrongValue          ID = "wrong-value"
)

func mistakes() []Kind {
	return slices.Concat(writingMistakes(), valueMistakes(), clusterMistakes(), portMistakes(), routeMistakes(), meetingMistakes(), routerMistakes(), stackMistakes(), policyMistakes(), networkMistakes(), placeMistakes(), secretMistakes(), shareMistakes(), waiverMistakes(), lockMistakes(), formatMistakes(), composeMistakes(), composeValueMistakes())
}

// writingMistakes is about the text of a spec, before its values matter.
func writingMistakes() []Kind {
	return []Kind{
		{
			ID:    AmbiguousYAML,
			Title: "YAML that readers take in more than one way",
			Why:   "022 is 18 to some readers of YAML and 22 to others, a tag means something to one program alone, and of a field that stands twice most readers take the last. The spec would mean something else elsewhere.",
			Way:   "Write the number without zeros in front, or in quotes; remove the tag; write the field once.",
		},
		{
			ID:    MisplacedField,
			Title: "a field is outside cluster",
			Why:   "Where a spec has a field cluster, nothing beside it is read. A setting there would be without effect, and nobody would notice.",
			Way:   "Move the field into cluster.",
		},
		{
			ID:    ModuleFile,
			Title: "cue.mod/module.cue is not what CUE wants",
			Why:   "The file says which version of the language the packages around the spec are written in. Without it CUE reads none of them.",
			Way:   "Write a version that skep knows: language: version: \"v0.17.0\".",
		},
		{
			ID:    RequiredField,
			Title: "a required field is missing",
			Why:   "skep has no default for what only you can know, such as who may connect.",
			Way:   "Set the field; skep explain FIELD shows an example.",
		},
		{
			ID:    Syntax,
			Title: "a file cannot be parsed",
			Why:   "The text is not valid CUE, YAML or JSON, so nothing else is known about it.",
			Way:   "Look at the place that the message names, and just before it: a bracket or a quote is often missing there.",
		},
		{
			ID:    UnknownField,
			Title: "a field is not part of the schema",
			Why:   "A typo in a field's name would otherwise switch the setting off without a word.",
			Way:   "Correct the name, or remove the field. skep explain lists all fields.",
		},
		{
			ID:    UnresolvedReference,
			Title: "a name in the spec leads nowhere",
			Why:   "The spec refers to a field or package that there is not, or imports one without use. skep works offline: it reads the files of the spec's own module, and no others.",
			Way:   "Correct the name, put a text in quotes, or copy the package below cue.mod/pkg.",
		},
	}
}

// valueMistakes is about one field and its value.
func valueMistakes() []Kind {
	return []Kind{
		{
			ID:    DerivedSet,
			Title: "a field is set that follows from others",
			Why:   "skep derives the field from the rest of the spec. A second value could only disagree with what it follows from.",
			Way:   "Remove it, and change the field that it follows from; skep explain FIELD tells which. A row of your own below exposures needs another name.",
		},
		{
			ID:    FactSet,
			Title: "a fact has another value",
			Why:   "The field is a fact of the world, such as a port that is compiled into a program. No setting changes it.",
			Way:   "Remove the field.",
		},
		{
			ID:    NotConcrete,
			Title: "a field is not concrete",
			Why:   "A bundle needs one value for every field. This one is a type, a choice, or depends on itself.",
			Way:   "Give it a value.",
		},
		{
			ID:    SetTwice,
			Title: "a field has two values",
			Why:   "CUE unifies everything that is said about a field, in whatever order and file: two different values are a contradiction, and the later one does not win.",
			Way:   "Keep one of them. Lists are not put together: write one whole.",
		},
		{
			ID:    WrongType,
			Title: "a value is of another type",
			Why:   "The field wants a text, a number, a list or fields, and something else stands there.",
			Way:   "The message says what the field wants; skep explain FIELD shows an example.",
		},
		{
			ID:    WrongValue,
			Title: "a value is not what its field wants",
			Why:   "The value breaks the field's rule: it is not one of the words to choose from, not a valid address, or out of range.",
			Way:   "The message says what the field wants; skep explain FIELD shows an example.",
		},
	}
}

// clusterMistakes is about what belongs together.
func clusterMistakes() []Kind {
	return []Kind{
		{
			ID:    DuplicatePort,
			Title: "two things use one port on one node",
			Why:   "Only one process can listen on a port. Where swarm hands out the port by itself, its routing mesh would take the connections of whatever listens there.",
			Way:   "Give one of the two another port, or other nodes.",
		},
		{
			ID:    ExposureExpired,
			Title: "an exposure has outlived its expires date",
			Why:   "You wrote a day after which nobody needs the port any more, and it has passed. skep build goes on opening it, since no bundle depends on the day it is built; skep vet fails until you decide.",
			Way:   "Remove the exposure, or give it a later date. skep vet --today 2027-01-31 asks about another day.",
		},
		{
			ID:    FieldsDisagree,
			Title: "fields do not fit together",
			Why:   "Each value is right by itself, but a rule joins them: a service needs another one, a list must not be empty, a range must be large enough for what it serves.",
			Way:   "The message says which rule; change either of the fields that it names.",
		},
		{
			ID:    NetworksOverlap,
			Title: "networks overlap",
			Why:   "The engine, the VPN and the mesh make networks of their own. Packets for an address in such a network never leave it, so nobody else with that address gets an answer.",
			Way:   "Choose a range that nothing else uses, or leave the range out of the zone that holds it.",
		},
		{
			ID:    NotANode,
			Title: "a name is not that of a node",
			Why:   "The field has to name one of the nodes below nodes; some fields also take a group (all, managers, workers) or a zone.",
			Way:   "Correct the name, or add the node.",
		},
		{
			ID:    Repeated,
			Title: "a list or the mesh holds something twice",
			Why:   "The two would be one: the second entry has no effect, or takes what belongs to the first.",
			Way:   "Remove one of them, or give it a value of its own.",
		},
		{
			ID:    SharedAddress,
			Title: "two nodes have one address",
			Why:   "A packet to that address reaches one of them. The other would never join the swarm, and rules for one would hold for both.",
			Way:   "Correct one of the addresses. Where two names lead to one address in the mesh, give one of the nodes a number.",
		},
		{
			ID:    TestFailed,
			Title: "a test of the firewall does not hold",
			Why:   "You wrote in tests who must, or must not, reach a port. The rules that this spec compiles to do otherwise; the message names a packet and the rule that decides.",
			Way:   "Change the exposure or zone that the rule comes from, or the test. skep reach --from FROM --to NODE:PORT shows more.",
		},
	}
}
