package spec

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/mod/modfile"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/mistakes"
	"skep.dev/schema/written"
)

// moduleFile is where a module says its name, below its root.
const moduleFile = "cue.mod/module.cue"

// instance loads one CUE package or file, and what it imports.
func (f files) instance(dir, arg string) (*source, error) {
	m := &cueModule{files: f, root: "."}
	if root, found := f.moduleRoot(dir); found {
		name, err := f.moduleName(path.Join(root, moduleFile))
		if err != nil {
			return nil, err
		}
		m.root, m.name = root, name
	} else {
		m.root = dir
	}
	insts := m.load(dir, arg)
	if len(insts) != 1 {
		return nil, &InputError{Path: f.known(dir), Text: fmt.Sprintf("holds %d CUE packages; want one", len(insts))}
	}
	return &source{Instance: insts[0]}, nil
}

// cueModule is the module that a spec is part of, or its directory alone.
type cueModule struct {
	files
	root    string
	name    string   // without a version; "" without a module file
	loading []string // the packages that import one another, outermost first
}

// load reads the packages that an argument means in a directory. What they import is looked for on the way: in the module,
// and nowhere else.
func (m *cueModule) load(dir, arg string) []*build.Instance {
	top, err := fs.Sub(m.FS, m.root)
	if err != nil {
		return nil
	}
	return load.Instances([]string{arg}, &load.Config{
		FS: top, Dir: path.Join("/", m.inside(dir)), SkipImports: true, Context: build.NewContext(build.Loader(m.imported)),
		FromFSPath: func(name string) string { return m.known(path.Join(m.root, strings.TrimPrefix(name, "/"))) },
	})
}

// inside gives a directory's path below the root.
func (m *cueModule) inside(dir string) string {
	if m.root == "." {
		return dir
	}
	return strings.TrimPrefix(strings.TrimPrefix(dir, m.root), "/")
}

// imported loads what a package imports: the embedded schema, in the language version of the CUE that is compiled in; a
// package of the module; or one that was copied below its cue.mod. It is nil for the packages of CUE itself.
func (m *cueModule) imported(pos token.Pos, name string) *build.Instance {
	if isSchemaPath(name) {
		inst, err := schemaInstance()
		if err != nil {
			return failed(cueerrors.Wrapf(err, pos, "the schema"))
		}
		return inst
	}
	parts := ast.ParseImportPath(name)
	if first, _, _ := strings.Cut(parts.Path, "/"); !strings.Contains(first, ".") {
		return nil
	}
	if slices.Contains(m.loading, name) {
		return failed(cueerrors.Newf(pos, "import cycle: %s", strings.Join(append(m.loading, name), " -> ")))
	}
	m.loading = append(m.loading, name)
	defer func() { m.loading = m.loading[:len(m.loading)-1] }()
	for _, dir := range m.directories(parts.Path) {
		if _, err := fs.Stat(m.FS, path.Join(m.root, dir)); err == nil {
			if insts := m.load(m.root, "./"+dir+":"+parts.Qualifier); len(insts) == 1 {
				return insts[0]
			}
		}
	}
	return failed(cueerrors.Newf(pos, "cannot find package %q", name))
}

// directories are where a package may be, below the root.
func (m *cueModule) directories(name string) []string {
	dirs := []string{"cue.mod/gen/" + name, "cue.mod/pkg/" + name, "cue.mod/usr/" + name}
	if rest, ok := strings.CutPrefix(name+"/", m.name+"/"); ok && m.name != "" {
		dirs = append([]string{path.Clean(rest)}, dirs...)
	}
	return dirs
}

// failed is a package that there is not.
func failed(err cueerrors.Error) *build.Instance {
	inst := build.NewContext().NewInstance("", nil)
	inst.Err = err
	return inst
}

// language is the version of CUE that a module without one gets.
const language = "v0.17.0"

// schemaInstance parses the embedded schema, in the language version of the CUE that is compiled in.
func schemaInstance() (*build.Instance, error) { return editedSchema(func([]ast.Decl) {}) }

// editedSchema is the embedded schema after somebody went through the declarations of each file.
func editedSchema(edit func([]ast.Decl)) (*build.Instance, error) {
	inst := build.NewContext().NewInstance("", nil)
	inst.ImportPath = schema.ImportPath
	files := schema.Vendored()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := parser.ParseFile(name, files[name])
		if err != nil {
			return nil, err
		}
		edit(f.Decls)
		if err := inst.AddSyntax(f); err != nil {
			return nil, err
		}
	}
	return inst, nil
}

// plainModuleFile is one that says nothing but the name and skep's own language: as skep init writes it.
var plainModuleFile = regexp.MustCompile(`^module: "([a-z0-9.-]+)(@v[0-9]+)?"\nlanguage: version: "` + regexp.QuoteMeta(language) + `"\n$`)

// moduleName reads the name of a module, without its version. It refuses a module file that the loader would refuse without
// naming a place.
func (f files) moduleName(name string) (module string, err error) {
	file := f.known(name)
	data, err := fs.ReadFile(f.FS, name)
	if err != nil {
		return "", unreadable(file, err)
	}
	if plain := plainModuleFile.FindSubmatch(data); plain != nil { // the schema of module files takes longer than many a spec
		return string(plain[1]), nil
	}
	tree, err := parser.ParseFile(file, data)
	if err != nil {
		return "", mistakes.Syntax(err)
	}
	parsed, err := modfile.ParseNonStrict(data, file)
	if err != nil {
		return "", moduleMistakes(file, tree, err)
	}
	module, _, _ = strings.Cut(parsed.QualifiedModule(), "@")
	return module, nil
}

func moduleMistakes(file string, tree *ast.File, err error) finding.List {
	s := written.NewSpec([]*ast.File{tree})
	at := s.Position([]string{"language", "version"})
	m := finding.Finding{ID: finding.ModuleFile, Level: finding.Mistake, File: at.Filename, Line: at.Line, Column: at.Column, Path: "language.version"}
	t, depth := s.Root().Find([]string{"language", "version"})
	switch text := err.Error(); {
	case errors.Is(err, modfile.ErrNoLanguageVersion), depth < 2:
		m.Text = "required field is missing (want language: version: \"" + language + "\")"
	case strings.Contains(text, "too new"):
		m.Got, m.Text = t.Got(), "is newer than the CUE that skep knows: want "+language+" or earlier, or a newer skep"
	case strings.Contains(text, "too early"), strings.Contains(text, "cannot find schema suitable"):
		m.Got, m.Text = t.Got(), "is a CUE version that skep no longer supports: want "+modfile.EarliestClosedSchemaVersion()+" or later"
	case strings.Contains(text, "language version"), strings.Contains(text, "language.version"):
		m.Got, m.Text = t.Got(), "want a version of CUE such as "+language
	default: // without a place: about the file as a whole
		m = finding.Finding{ID: finding.ModuleFile, Level: finding.Mistake, File: file, Line: 1, Column: 1}
		_, m.Text, _ = strings.Cut(written.OneLine(text), "module.cue: ")
		m.Text = cmp.Or(m.Text, written.OneLine(text))
	}
	return finding.List{m}
}
