package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// instance loads one CUE package or file with the schema in the place where its import is looked for.
func instance(dir, arg string, o Origin) (*build.Instance, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	root, found := moduleRoot(abs)
	module := filepath.Join(root, "cue.mod", "module.cue")
	files := overlay(root)
	if !found {
		files[module] = load.FromString("module: \"skep.local/spec@v0\"\nlanguage: version: \"" + language + "\"\n")
	} else if err := checkModule(module, o); err != nil {
		return nil, err
	}
	insts := load.Instances([]string{arg}, &load.Config{Dir: abs, Overlay: files, Registry: offline{}})
	if len(insts) != 1 {
		return nil, &InputError{Path: dir, Text: fmt.Sprintf("holds %d CUE packages; want one", len(insts))}
	}
	return insts[0], plantSchema(insts[0], map[*build.Instance]bool{})
}

// overlay puts an empty schema where its import is looked for. One that is vendored there would be merged in, so its
// files are blanked.
func overlay(root string) map[string]load.Source {
	files := map[string]load.Source{}
	at := filepath.Join(root, filepath.FromSlash(vendorDir))
	stale, err := filepath.Glob(filepath.Join(at, "*.cue"))
	if err != nil {
		stale = nil // the root's name has a bracket in it; nothing can be listed
	}
	for _, file := range append(stale, filepath.Join(at, "cluster.cue")) {
		files[file] = load.FromString("package schema\n")
	}
	return files
}

// language is the version of CUE that a module without one gets.
const language = "v0.17.0"

// plantSchema puts the embedded schema in the place of every import of it. The loader would have compiled it in the
// language version of the user's module, which may be older than what the schema is written in.
func plantSchema(inst *build.Instance, seen map[*build.Instance]bool) error {
	if seen[inst] {
		return nil
	}
	seen[inst] = true
	for i, imp := range inst.Imports {
		if !isSchemaPath(imp.ImportPath) {
			if err := plantSchema(imp, seen); err != nil {
				return err
			}
			continue
		}
		own, err := schemaInstance()
		if err != nil {
			return err
		}
		own.ImportPath = imp.ImportPath
		inst.Imports[i] = own
	}
	return nil
}

// schemaInstance parses the embedded schema, in the language version of the CUE that is compiled in.
func schemaInstance() (*build.Instance, error) {
	inst := build.NewContext().NewInstance("", nil)
	inst.ImportPath = importPath
	files := Vendored()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := parser.ParseFile(name, files[name])
		if err != nil {
			return nil, err
		}
		if err := inst.AddSyntax(f); err != nil {
			return nil, err
		}
	}
	return inst, nil
}

// moduleRoot finds the directory above dir that has a cue.mod/module.cue, or returns dir itself.
func moduleRoot(dir string) (root string, found bool) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "cue.mod", "module.cue")); err == nil {
			return d, true
		}
		if d == filepath.Dir(d) {
			return dir, false
		}
	}
}

// checkModule refuses a module file that the loader would refuse without naming a place.
func checkModule(file string, o Origin) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return unreadable(file, err)
	}
	tree, err := parser.ParseFile(file, data)
	if err != nil {
		return syntaxMistakes(err, o)
	}
	_, err = modfile.ParseNonStrict(data, file)
	if err == nil {
		return nil
	}
	s := &sourceMap{files: []*ast.File{tree}, names: newNames(o)}
	at := s.position([]string{"language", "version"})
	m := Mistake{File: at.Filename, Line: at.Line, Column: at.Column, Path: "language.version"}
	t, depth := s.tree().find([]string{"language", "version"})
	switch text := err.Error(); {
	case errors.Is(err, modfile.ErrNoLanguageVersion), depth < 2:
		m.Rule = "required field is missing (want language: version: \"" + language + "\")"
	case strings.Contains(text, "too new"):
		m.Got, m.Rule = got(t), "is newer than the CUE that skep knows: want "+language+" or earlier, or a newer skep"
	case strings.Contains(text, "too early"), strings.Contains(text, "cannot find schema suitable"):
		m.Got, m.Rule = got(t), "is of a CUE that skep knows no more: want "+modfile.EarliestClosedSchemaVersion()+" or later"
	case strings.Contains(text, "language version"), strings.Contains(text, "language.version"):
		m.Got, m.Rule = got(t), "want a version of CUE such as "+language
	default: // without a place: about the file as a whole
		m = Mistake{File: s.names.of(file), Line: 1, Column: 1}
		_, m.Rule, _ = strings.Cut(joinLines(text), "module.cue: ")
		m.Rule = cmp.Or(m.Rule, joinLines(text))
	}
	return Mistakes{m}
}

// errOffline is the answer to every question about a module that is not on disk.
var errOffline = errors.New("skep works offline: copy the module below cue.mod/pkg, or drop it from cue.mod/module.cue")

// offline is a module registry that knows nothing, so that no spec makes skep use the network.
type offline struct{}

func (offline) ModFile(context.Context, module.Version) (*modfile.File, error) {
	return nil, errOffline
}

func (offline) Fetch(context.Context, module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, errOffline
}

func (offline) ModuleVersions(context.Context, string) ([]string, error) { return nil, nil }
