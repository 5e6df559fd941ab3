// Package findings_test judges what skep vet writes for forges by the published schema of SARIF 2.1.0.
package findings_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"skep.dev/schema/finding"
	"skep.dev/schema/finding/forge"
)

// The schema of OASIS as a module carries it, whose tests use it. Nothing of the module is built.
const (
	carrier = "github.com/securego/gosec/v2@v2.30.0"
	inside  = "report/sarif/testdata/sarif-schema-2.1.0.json"
	digest  = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
)

func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", carrier).Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", carrier, err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(module.Dir, inside))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != digest {
		t.Fatalf("%s: %s: is another one: %x", carrier, inside, sum)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// log writes findings as SARIF.
func log(t *testing.T, found finding.List) string {
	t.Helper()
	results, err := forge.Results(found, func(name string) (forge.File, error) { return forge.File{Path: name}, nil })
	if err != nil {
		t.Fatal(err)
	}
	formats := forge.Formats()
	sarif := formats[slices.IndexFunc(formats, func(f forge.Format) bool { return f.Name == "sarif" })]
	var b strings.Builder
	if err := sarif.Write(&b, "paris/", results); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func judge(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestSARIF(t *testing.T) {
	schema := schemaOf(t)
	one := finding.Finding{ID: "wrong-value", Level: finding.Mistake, File: "a b:c/ä.cue", Line: 3, Column: 2, Path: "name", Got: "[x](y){0}\x1b\n::error::", Text: "want another"}
	var many finding.List
	for i := range 30000 {
		f := one
		f.Line, f.Path = i, fmt.Sprint("nodes.m", i)
		many = append(many, f)
	}
	for name, found := range map[string]finding.List{"none": nil, "no place": {{ID: "syntax", Level: finding.Mistake}}, "one": {one}, "30,000": many} {
		if err := judge(t, schema, log(t, found)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, broken := range []string{`"startLine": 3`, `"level": "error"`, `"version": "2.1.0"`} {
		if judge(t, schema, strings.Replace(log(t, finding.List{one}), broken, strings.Split(broken, ":")[0]+`: "x"`, 1)) == nil {
			t.Errorf("the schema takes another value for %s", broken)
		}
	}
}
