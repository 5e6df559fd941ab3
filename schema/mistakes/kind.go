package mistakes

import (
	"strings"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// ofNuvla takes a zone out of the rules of the schema, which are one for all kinds of clusters.
var ofNuvla = strings.NewReplacer(`"management", "nuvla", "users"`, `"management", "users"`, `"management", "nuvla" or "users"`, `"management" or "users"`)

// ForKind says what is wanted in the words of the spec's kind: a swarm has nothing to do with Nuvla.
func ForKind(s *written.Spec, found finding.List) finding.List {
	root := s.Root()
	if root == nil || root.Fields["kind"].Got() != `"swarm"` {
		return found
	}
	for i := range found {
		found[i].Text = ofNuvla.Replace(found[i].Text)
	}
	return found
}
