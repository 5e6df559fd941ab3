package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const (
	longestFile     = 400 // lines
	longestFunction = 60  // lines
)

// The habits of this repository that a machine can check: short files and functions, one place that exits and prints.
func TestHouse(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if n := set.File(file.Pos()).LineCount(); n > longestFile {
			t.Errorf("%s has %d lines, want at most %d", path, n, longestFile)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				checkFunction(t, set, f, below(path))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("only %d files found", files)
	}
}

// below reports whether the file is part of a package that returns what it has to say.
func below(path string) string {
	for _, quiet := range []string{"schema", "generators"} {
		if strings.HasPrefix(filepath.ToSlash(path), "../../"+quiet+"/") {
			return quiet
		}
	}
	return ""
}

func checkFunction(t *testing.T, set *token.FileSet, f *ast.FuncDecl, quiet string) {
	t.Helper()
	at := set.Position(f.Pos())
	if n := set.Position(f.End()).Line - at.Line + 1; n > longestFunction {
		t.Errorf("%s: %s has %d lines, want at most %d", at, f.Name.Name, n, longestFunction)
	}
	if f.Name.Name == "init" {
		t.Errorf("%s: init hides an order; call it", at)
	}
	for _, p := range f.Type.Params.List {
		if id, ok := p.Type.(*ast.Ident); ok && id.Name == "bool" {
			t.Errorf("%s: %s has a bool parameter; nobody can read the call", at, f.Name.Name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || quiet == "" {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok && forbidden(pkg.Name, s.Sel.Name) {
				t.Errorf("%s: %s.%s in %s: only the command prints and exits", set.Position(call.Pos()), pkg.Name, s.Sel.Name, quiet)
			}
		}
		return true
	})
}

func forbidden(pkg, name string) bool {
	return pkg == "os" && name == "Exit" || pkg == "fmt" && (name == "Print" || name == "Println" || name == "Printf") || pkg == "log"
}
