package review_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/review"
	"skep.dev/schema/spec"
)

// TestPictureChangesLittle: what comes to a spec is the one fact that a diff of the picture shows; all other lines that differ
// say where something is drawn, and these are few.
func TestPictureChangesLittle(t *testing.T) {
	before := pictureOf(t, "", "")
	for _, test := range []struct {
		what, old, new string
		facts          []string // the texts that come
		gone           []string // and those that go
		places         int      // at most so many lines with coordinates
	}{
		{
			"a port", "\tnetwork: public:", "\texposures: chat: {proto: \"tcp\", port: 5222, on: [\"w1\", \"w2\"], from: [\"users\"], why: \"chat\"}\n\tnetwork: public:",
			[]string{"5222/tcp chat"}, nil, 12,
		},
		{
			"a node", "\t\tw2: {", "\t\tw10: {address: \"10.20.0.30\"}\n\t\tw2: {",
			[]string{"Who may reach what: 3 managers, 3 workers", "worker 2 nodes", "w10 10.20.0.30", "the 6 nodes of the cluster, by"},
			[]string{"Who may reach what: 3 managers, 2 workers", "worker 1 node", "the 5 nodes of the cluster, by"}, 14,
		},
		{
			"a sender", "management: [", "management: [\"192.0.2.128/28\", ",
			[]string{"192.0.2.128/28"}, nil, 0,
		},
		{
			"a public address that goes", ", public: \"198.51.100.21\"", "",
			[]string{"w1 10.20.0.21 monitoring"}, []string{"w1 10.20.0.21 public 198.51.100.21 monitoring"}, 0,
		},
	} {
		after := pictureOf(t, test.old, test.new)
		if came, _ := split(without(after, before)); !slices.Equal(came, test.facts) {
			t.Errorf("%s: what comes is %q, want %q", test.what, came, test.facts)
		}
		went, places := split(without(before, after))
		if !slices.Equal(went, test.gone) {
			t.Errorf("%s: what goes is %q, want %q", test.what, went, test.gone)
		}
		if len(places) > test.places {
			t.Errorf("%s: %d lines of other things change\n%s", test.what, len(places), strings.Join(places, "\n"))
		}
	}
}

// TestPictureCountsAsPeopleDo: w2 stands before w10, in the picture and in the README.
func TestPictureCountsAsPeopleDo(t *testing.T) {
	picture, readme := files(t, "\t\tw2: {", "\t\tw10: {address: \"10.20.0.30\"}\n\t\tw20: {address: \"10.20.0.31\"}\n\t\tw2: {", "s3: host:",
		"s3: {}\n\t}\n\texposures: chat: {proto: \"tcp\", port: 5222, on: [\"w20\", \"w10\", \"w1\", \"w2\"], from: [\"users\"], why: \"chat\"}\n\tservices: {\n\t\ts3: host:")
	if !strings.Contains(readme, "| 5222/tcp | chat | w1, w2, w10, w20 | users |") {
		t.Error("README.md does not count nodes as people do")
	}
	facts, _ := split(strings.Split(picture, "\n"))
	at := slices.IndexFunc(facts, func(s string) bool { return strings.HasPrefix(s, "w10 ") })
	if at < 1 || !strings.HasPrefix(facts[at-1], "w1 ") || !strings.HasPrefix(facts[at+1], "w20 ") {
		t.Errorf("the picture does not count nodes as people do: %q", facts)
	}
}

// split gives the texts of the lines that hold some, without markup, and the other lines.
func split(lines []string) (texts, others []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, "<tspan") {
			others = append(others, line)
			continue
		}
		var words []string
		for _, part := range strings.Split(line, "<") {
			if _, text, ok := strings.Cut(part, ">"); ok && text != "" {
				words = append(words, text)
			}
		}
		texts = append(texts, strings.Join(words, " "))
	}
	return texts, others
}

// without returns the lines of a that b does not have.
func without(a, b []string) []string {
	var out []string
	rest := slices.Clone(b)
	for _, line := range a {
		if i := slices.Index(rest, line); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			continue
		}
		out = append(out, line)
	}
	return out
}

func pictureOf(t *testing.T, old, replacement string) []string {
	t.Helper()
	picture, _ := files(t, old, replacement)
	return strings.Split(picture, "\n")
}

// files returns the picture and the README of the example for production, with some of its text replaced.
func files(t *testing.T, replaced ...string) (picture, readme string) {
	t.Helper()
	b, err := os.ReadFile("../../examples/production/cluster.cue")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cluster.cue")
	if err := os.WriteFile(path, []byte(strings.NewReplacer(replaced...).Replace(string(b))), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := review.Files(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out {
		switch f.Path {
		case "topology.svg":
			picture = string(f.Data)
		case "README.md":
			readme = string(f.Data)
		}
	}
	return picture, readme
}
