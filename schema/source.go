package schema

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/encoding/json"
)

// source reads a spec into a build instance that is not evaluated yet.
func source(spec string, limit int64, o Origin) (*build.Instance, error) {
	info, err := os.Stat(spec)
	if err != nil {
		return nil, unreadable(spec, err)
	}
	if info.IsDir() {
		return packageSource(spec, limit, o)
	}
	if !info.Mode().IsRegular() {
		return nil, &InputError{Path: spec, Text: "is not a regular file"}
	}
	switch ext := strings.ToLower(filepath.Ext(spec)); ext {
	case ".cue":
		return fileSource(spec, limit, o)
	case ".yaml", ".yml", ".json":
		return dataSource(spec, limit, o)
	default:
		return nil, &InputError{Path: spec, Text: "want a directory, or a file that ends in .cue, .yaml, .yml or .json"}
	}
}

// unreadable turns an error of the file system into one clear line.
func unreadable(spec string, err error) error {
	text := err.Error()
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		text = pathError.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = "no such file or directory"
	case errors.Is(err, fs.ErrPermission):
		text = "may not be read (permission denied)"
	}
	return &InputError{Path: spec, Text: text, Err: err}
}

// checkSize refuses a file over the limit before a byte of it is parsed, and one with nothing in it.
func checkSize(file string, limit int64) error {
	info, err := os.Stat(file)
	if err != nil {
		return unreadable(file, err)
	}
	if info.Size() == 0 {
		return &InputError{Path: file, Text: "is empty"}
	}
	if info.Size() > limit {
		return &InputError{Path: file, Text: fmt.Sprintf("has %d MB, more than the %d MB that skep reads; 10,000 nodes need about 1 MB", info.Size()>>20, limit>>20)}
	}
	f, err := os.Open(file)
	if err != nil {
		return unreadable(file, err)
	}
	return f.Close()
}

func packageSource(dir string, limit int64, o Origin) (*build.Instance, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	left, files := limit, 0
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".cue" {
			continue
		}
		files++
		info, err := e.Info()
		if err != nil {
			return nil, unreadable(filepath.Join(dir, e.Name()), err)
		}
		if left -= info.Size(); left < 0 {
			return nil, &InputError{Path: dir, Text: fmt.Sprintf("its CUE files have more than the %d MB that skep reads; 10,000 nodes need about 1 MB", limit>>20)}
		}
	}
	if files == 0 {
		return nil, &InputError{Path: dir, Text: noPackage(dir, entries)}
	}
	inst, err := instance(dir, ".", o)
	if err != nil {
		return nil, err
	}
	var none *load.NoFilesError
	var several *load.MultiplePackageError
	switch {
	case errors.As(inst.Err, &none):
		return nil, &InputError{Path: dir, Text: noPackage(dir, entries), Err: inst.Err}
	case errors.As(inst.Err, &several):
		return nil, &InputError{Path: dir, Err: inst.Err, Text: fmt.Sprintf("holds two packages, %s (%s) and %s (%s); want one, or name a file",
			several.Packages[0], filepath.Base(several.Files[0]), several.Packages[1], filepath.Base(several.Files[1]))}
	}
	return inst, nil
}

// noPackage says what a directory without a CUE package lacks, and names a spec in it that the user may have meant.
func noPackage(dir string, entries []fs.DirEntry) string {
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".yaml", ".yml", ".json":
			return "holds no CUE package; name the file to read, such as " + filepath.Join(dir, e.Name())
		case ".cue":
			return fmt.Sprintf("holds no CUE package; %s has no package clause of its own, or is left out by a build tag", e.Name())
		}
	}
	return "holds no CUE package; `skep init` writes one"
}

func fileSource(file string, limit int64, o Origin) (*build.Instance, error) {
	if err := checkSize(file, limit); err != nil {
		return nil, err
	}
	return instance(filepath.Dir(file), "./"+filepath.Base(file), o)
}

func dataSource(file string, limit int64, o Origin) (*build.Instance, error) {
	if err := checkSize(file, limit); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	inst := build.NewContext().NewInstance("", nil)
	if strings.EqualFold(filepath.Ext(file), ".json") {
		expr, err := json.Extract(file, b)
		if err != nil {
			return nil, jsonMistakes(file, b, err, o)
		}
		if err := inst.AddSyntax(exprFile(file, expr)); err != nil {
			return nil, syntaxMistakes(err, o)
		}
		return inst, nil
	}
	tree, err := yamlTree(file, b, o)
	if err != nil {
		return nil, err
	}
	if err := inst.AddSyntax(tree); err != nil {
		return nil, syntaxMistakes(err, o)
	}
	return inst, nil
}

// jsonMistakes asks encoding/json for the reason, since CUE's own gives none.
func jsonMistakes(file string, b []byte, err error, o Origin) Mistakes {
	m := syntaxMistakes(err, o)[:1]
	var v any
	if reason := stdjson.Unmarshal(b, &v); reason != nil {
		m[0].Rule = "no valid JSON: " + reason.Error()
	}
	m[0].File = newNames(o).of(file)
	return m
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
