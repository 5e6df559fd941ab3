// Package picture_test lets a renderer of SVG draw each bundle's topology.svg.
package picture_test

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
)

func TestExamples(t *testing.T) {
	rsvg := judge.Tool(t, "rsvg-convert", "librsvg2-bin")
	for _, bundle := range judge.Bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			path := filepath.Join(bundle, "topology.svg")
			var stderr bytes.Buffer
			cmd := exec.Command(rsvg, path)
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			drawn, err := png.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			// A card's border, in the middle of the picture's right side, is not the paper.
			if bounds := drawn.Bounds(); bounds.Dx() < 1000 || bounds.Dy() < 200 || drawn.At(520, 40) == drawn.At(2, 2) {
				t.Errorf("a picture of %v with nothing in it", bounds)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if node := judge.Spec(t, bundle).Nodes[0]; !strings.Contains(string(text), node.Name+" "+node.Address.String()) {
				t.Errorf("%s is not in the picture", node.Name)
			}
		})
	}
}
