// Package editor_test judges what skep has for editors: the JSON Schema of a spec, by a validator and by the specs and mistakes
// of the repository.
package editor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/yaml"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	outline "skep.dev/schema/jsonschema"
	"skep.dev/schema/spec"
)

const top = "../../.."

// compiled is skep's schema as an editor takes it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := outline.Text()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("skep.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("skep.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// imports is what makes a spec in CUE use the schema. Without it a spec is what its author wrote, and nothing else.
var imports = regexp.MustCompile(`import( schema)? "skep.dev/schema"|import \(\s*"skep.dev/schema"\s*\)`)

// asData is a spec as its author wrote it, without the defaults of the schema, or an error where it is no data.
func asData(name string, text []byte) (any, error) {
	ctx := cuecontext.New()
	var v cue.Value
	switch path.Ext(name) {
	case ".cue":
		alone := imports.ReplaceAll(text, nil)
		alone = regexp.MustCompile(`schema\.#[A-Za-z]+`).ReplaceAll(alone, []byte("_"))
		v = ctx.CompileBytes(alone)
	case ".yaml":
		f, err := yaml.Extract(name, text)
		if err != nil {
			return nil, err
		}
		v = ctx.BuildFile(f)
	default:
		v = ctx.CompileBytes(text)
		if !json.Valid(text) {
			return nil, errors.New("not JSON")
		}
	}
	b, err := v.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

// specs are all files of the repository that a spec may be, each beside the files of its directory or script.
func specs(t *testing.T) map[string]fs.FS {
	t.Helper()
	found := map[string]fs.FS{}
	files, err := filepath.Glob(top + "/examples/*/cluster.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		found[file] = os.DirFS(filepath.Dir(file))
	}
	scripts, err := filepath.Glob(top + "/cmd/skep/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		all := fstest.MapFS{}
		for _, f := range archive.Files {
			all[path.Clean(f.Name)] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
		for name := range all {
			found[script+"/"+name] = all
		}
	}
	return found
}

// TestWhatIsRightFits: an editor says nothing about a spec that skep vet takes.
func TestWhatIsRightFits(t *testing.T) {
	schema, fits := compiled(t), map[string]int{}
	for file, fsys := range specs(t) {
		ext := path.Ext(file)
		if ext != ".cue" && ext != ".yaml" && ext != ".json" {
			continue
		}
		name := path.Base(file)
		if _, script, ok := strings.Cut(file, ".txtar/"); ok {
			name = script
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := asData(name, text)
		if err != nil {
			continue // nothing that an editor could look at
		}
		refused := schema.Validate(data)
		if refused == nil {
			fits[ext]++
			continue
		}
		if _, _, err := spec.LoadFS(fsys, name, spec.DefaultLimits()); err == nil {
			t.Errorf("%s is right, and refused: %v", file, refused)
		}
	}
	if fits[".cue"] < 60 || fits[".yaml"] < 60 {
		t.Errorf("specs that fit: %v", fits)
	}
}
