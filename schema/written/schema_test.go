package written

import (
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
)

// TestComputedFields tells expressions over other fields from choices, bounds and facts, and names their type.
func TestComputedFields(t *testing.T) {
	s := schemaOf(map[string][]byte{schema.VendorDir + "/cluster.cue": []byte(`package schema

#Cluster: {
	size: int & >=1
	mode: "a" | "b" | error("want a or b")
	port: 80
	name: string & (*"x" | _)
	uid: [if mode == "a" {0}, 65532][0]
	title: "\(name)-x"
	same: size
	twin: #Cluster.size
	word: {a: "one", b: "two"}[mode]
	more: size + 1
	list: [...string] & (*[] | _)
}
`)})
	for name, want := range map[string]string{
		"size": "", "mode": "", "port": "", "name": "", "list": "", "same": "",
		"uid": "whole number", "title": "string", "word": "string", "more": "string",
	} {
		field := s.Root.Fields[name]
		if IsComputed(field) != (want != "") {
			t.Errorf("%s: computed: %t", name, IsComputed(field))
		}
		if want != "" && name != "more" && s.Kind(field) != want {
			t.Errorf("%s: %s, want %s", name, s.Kind(field), want)
		}
		if want != "" && !strings.HasPrefix(s.Standing([]string{name}, field), "derived") {
			t.Errorf("%s: %s", name, s.Standing([]string{name}, field))
		}
		if slices.Contains(s.Visible(s.Root), name) != (want == "" && name != "port") {
			t.Errorf("%s: offered: %v", name, s.Visible(s.Root))
		}
	}
}
