package spec

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"

	"skep.dev/schema/finding"
	"skep.dev/schema/mistakes"
)

// source is a spec that is read and not evaluated yet.
type source struct {
	*build.Instance
	odd finding.List // what is valid, and read in more than one way
}

// read parses a spec.
func (f files) read(name string) (*source, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, unreadable(f.known(name), err)
	}
	if info.IsDir() {
		return f.readPackage(name)
	}
	if !info.Mode().IsRegular() {
		return nil, &InputError{Path: f.known(name), Text: "is not a regular file"}
	}
	if _, isData := cutData(name); isData {
		return f.readData(name)
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".cue":
		if _, err := f.readAll(name); err != nil {
			return nil, err
		}
		return f.instance(path.Dir(name), "./"+path.Base(name))
	default:
		return nil, &InputError{Path: f.known(name), Text: "want a directory, or a file that ends in .cue, .yaml, .yml or .json"}
	}
}

func (f files) readPackage(dir string) (*source, error) {
	entries, err := fs.ReadDir(f.FS, dir)
	if err != nil {
		return nil, unreadable(f.known(dir), err)
	}
	left, count := f.limit, 0
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".cue" {
			continue
		}
		count++
		if _, err := fs.Stat(f.FS, path.Join(dir, e.Name())); errors.Is(err, fs.ErrNotExist) {
			return nil, &InputError{Path: f.known(path.Join(dir, e.Name())), Text: "is a link to nothing", Err: err}
		}
		info, err := e.Info()
		if err != nil {
			return nil, unreadable(f.known(path.Join(dir, e.Name())), err)
		}
		if left -= info.Size(); left < 0 {
			return nil, &InputError{Path: f.known(dir), Text: fmt.Sprintf("its CUE files have more than the %d MB that skep reads; 10,000 nodes need about 1 MB", f.limit>>20)}
		}
	}
	if count == 0 {
		return nil, &InputError{Path: f.known(dir), Text: f.noPackage(dir, entries)}
	}
	inst, err := f.instance(dir, ".")
	if err != nil {
		return nil, err
	}
	var none *load.NoFilesError
	var several *load.MultiplePackageError
	switch {
	case errors.As(inst.Err, &none):
		return nil, &InputError{Path: f.known(dir), Text: f.noPackage(dir, entries), Err: inst.Err}
	case errors.As(inst.Err, &several):
		return nil, &InputError{Path: f.known(dir), Err: inst.Err, Text: fmt.Sprintf("holds two packages, %s (%s) and %s (%s); want one, or name a file",
			several.Packages[0], path.Base(several.Files[0]), several.Packages[1], path.Base(several.Files[1]))}
	}
	return inst, nil
}

// noPackage says what a directory without a CUE package lacks, and names a spec in it that the user may have meant.
func (f files) noPackage(dir string, entries []fs.DirEntry) string {
	if f.isBundle(dir) {
		return "is a bundle, not a spec; name the spec that it was built from"
	}
	for _, e := range entries {
		if _, isData := cutData(e.Name()); isData {
			return "holds no CUE package; name the file to read, such as " + f.known(path.Join(dir, e.Name()))
		}
		if path.Ext(e.Name()) == ".cue" {
			return fmt.Sprintf("holds no CUE package; %s has no package clause of its own, or is left out by a build tag", e.Name())
		}
	}
	return "holds no CUE package; `skep init` writes one"
}

// unread names what else in a spec's directory has the name of one of its CUE files and could be taken for the spec.
func (f files) unread(dir string) (names []string) {
	entries, err := fs.ReadDir(f.FS, dir)
	if err != nil {
		return nil // the spec is a file that the user named
	}
	for _, e := range entries {
		stem, isData := cutData(e.Name())
		if !isData || e.IsDir() {
			continue
		}
		if _, err := fs.Stat(f.FS, path.Join(dir, stem+".cue")); err == nil {
			names = append(names, f.known(path.Join(dir, e.Name())))
		}
	}
	return names
}

// cutData splits the name of a YAML or JSON file.
func cutData(name string) (stem string, isData bool) {
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".yaml", ".yml", ".json":
		return strings.TrimSuffix(name, ext), true
	}
	return name, false
}

// isBundle reports whether a directory is what skep build wrote.
func (f files) isBundle(dir string) bool {
	for _, name := range []string{"MANIFEST", "runbook.sh"} {
		if _, err := fs.Stat(f.FS, path.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

func (f files) readData(name string) (*source, error) {
	b, err := f.readAll(name)
	if err != nil {
		return nil, err
	}
	known := f.known(name)
	var tree *ast.File
	if strings.EqualFold(path.Ext(name), ".json") {
		expr, err := json.Extract(known, b)
		if err != nil {
			return nil, jsonMistakes(known, b, err)
		}
		tree = exprFile(known, expr)
	} else if tree, err = yamlTree(known, b); err != nil {
		return nil, err
	}
	inst := build.NewContext().NewInstance("", nil)
	if err := inst.AddSyntax(forEditors(tree)); err != nil {
		return nil, mistakes.Syntax(err)
	}
	return &source{inst, misread(known, b)}, nil
}

// jsonMistakes asks encoding/json for the reason, since CUE's own gives none.
func jsonMistakes(file string, b []byte, err error) finding.List {
	m := mistakes.Syntax(err)[:1]
	var v any
	var syntax *stdjson.SyntaxError
	if reason := stdjson.Unmarshal(b, &v); errors.As(reason, &syntax) {
		m[0].Text = "invalid JSON: " + reason.Error()
		m[0] = mistakes.InJSON(string(b), m[0], int(syntax.Offset))
	}
	m[0].File = file
	return m
}

// forEditors takes the name of a JSON Schema out of a spec of data: it tells an editor what fits, and skep nothing.
func forEditors(tree *ast.File) *ast.File {
	tree.Decls = slices.DeleteFunc(tree.Decls, func(d ast.Decl) bool {
		field, ok := d.(*ast.Field)
		if !ok {
			return false
		}
		name, _, err := ast.LabelName(field.Label)
		value, isScalar := field.Value.(*ast.BasicLit)
		return err == nil && name == "$schema" && isScalar && value.Kind == token.STRING
	})
	return tree
}

// exprFile makes a file of one expression; the fields of a struct become those of the file.
func exprFile(name string, expr ast.Expr) *ast.File {
	f := &ast.File{Filename: name}
	if s, ok := expr.(*ast.StructLit); ok {
		f.Decls = s.Elts
		return f
	}
	f.Decls = []ast.Decl{&ast.EmbedDecl{Expr: expr}}
	return f
}
