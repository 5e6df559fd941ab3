package finding

// The IDs of mistakes in images.lock.
const (
	ImageDigest ID = "image-digest"
	LockForm    ID = "lock-form"
	LockStale   ID = "lock-stale"
)

// lockMistakes is about images.lock beside a spec.
func lockMistakes() []Kind {
	return []Kind{
		{
			ID:    ImageDigest,
			Title: "images.lock has no digest of an image",
			Why:   "A tag can be moved to another image, so two nodes, or two days, may run different code under one name. Where there is a lock it says of every image that the spec uses, and of every platform that its nodes have, what runs; one that it leaves out would be whatever its tag leads to.",
			Way:   "skep images | bundle/images/lock.sh images.lock - asks the registries for what is missing, and leaves the rest as it is. Without images.lock tags decide.",
		},
		{
			ID:    LockForm,
			Title: "images.lock cannot be read",
			Why:   "The lock is JSON of one form, skep.dev/images/v1. What is left out, stands twice or is no digest could mean something else to another reader, so nothing in it is passed over.",
			Way:   "The message says what is wrong where. A digest is sha256: and 64 hexadecimal digits in lower case.",
		},
		{
			ID:    LockStale,
			Title: "images.lock is about another cluster than the spec",
			Why:   "The lock names an image that the spec does not use any more, a platform that no node has, or another digest than the spec itself. Reviewers would look at what nobody runs.",
			Way:   "skep images | bundle/images/lock.sh images.lock - writes it anew; digests that still fit stay.",
		},
	}
}
