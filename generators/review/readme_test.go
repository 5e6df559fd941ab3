package review_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"skep.dev/generators/review"
	"skep.dev/schema/spec"
)

var update = flag.Bool("update", false, "rewrite the generated parts of README.md")

// The port table of the README is generated from the example, so that it cannot go stale.
func TestReadmePorts(t *testing.T) {
	const readme = "../../README.md"
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, example := range []string{"target"} {
		c, _, err := spec.Load("../../examples/" + example)
		if err != nil {
			t.Fatal(err)
		}
		begin, end := "<!-- ports of "+example+" -->\n", "<!-- end of ports -->"
		before, rest, ok := strings.Cut(text, begin)
		have, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("README.md has no block %q", strings.TrimSpace(begin))
		}
		want := review.Matrix(c)
		if have != want && !*update {
			t.Errorf("README.md: the ports of %s are stale: run go test ./generators/review -update", example)
		}
		text = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Where workers run Traefik the domain leads to them, and they serve no Docker API: Nuvla gets a manager's address.
func TestRegisterNamesAManager(t *testing.T) {
	for node, want := range map[string]string{"m1": "`https://paris.example.org:2376`", "w1": "`https://198.51.100.11:2376`"} {
		c, _, err := spec.Load("../../examples/production")
		if err != nil {
			t.Fatal(err)
		}
		c.Services.Traefik.Nodes = []string{node}
		files, err := review.Files(c)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(files[0].Data); !strings.Contains(text, want) {
			t.Errorf("Traefik on %s: the README does not name %s", node, want)
		}
	}
}
