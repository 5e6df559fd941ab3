package spec

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/yaml"

	"skep.dev/schema"
	"skep.dev/schema/mistakes"
	"skep.dev/schema/written"
)

// quick loads a spec that is right and plain, as most are, in a fifth of the time or less: it parses the files itself,
// evaluates nodes that are alike once, and uses a schema without messages. It knows no mistakes: whatever it cannot do, and
// whatever is wrong, is left to the whole way, and the result is nil.
func (f files) quick(name string) (c *schema.Cluster, s *written.Spec) {
	defer func() {
		if recover() != nil { // the whole way will say more
			c, s = nil, nil
		}
	}()
	trees := f.plain(name)
	if len(trees) == 0 {
		return nil, nil
	}
	s = written.NewSpec(trees)
	crowd := alike(trees)
	rest := make([]*ast.File, len(trees))
	for i, tree := range trees {
		rest[i] = crowd.without(tree)
	}
	v, ok := evaluateBriefly(s, rest)
	if !ok {
		return nil, nil
	}
	b, err := v.MarshalJSON()
	if err != nil {
		return nil, nil
	}
	c, err = schema.Decode(b)
	if err != nil || !crowd.join(c) {
		return nil, nil
	}
	if found, err := f.found(name, c, s); err != nil || len(found) > 0 {
		return nil, nil
	}
	c.MoveIntoMesh()
	return c, s
}

// evaluateBriefly gives the concrete cluster of a spec, and whether all is right.
func evaluateBriefly(s *written.Spec, trees []*ast.File) (v cue.Value, ok bool) {
	rules, err := briefSchema(labelsOf(trees))
	if err != nil {
		return v, false
	}
	inst := build.NewContext(build.Loader(func(_ token.Pos, name string) *build.Instance {
		if isSchemaPath(name) {
			return rules
		}
		return nil
	})).NewInstance("", nil)
	for _, tree := range trees {
		if inst.AddSyntax(tree) != nil {
			return v, false
		}
	}
	if inst.Complete() != nil {
		return v, false
	}
	ctx := cuecontext.New(cuecontext.CUE_DEBUG("opendef=0"))
	top := ctx.BuildInstance(inst)
	v = top.LookupPath(cue.ParsePath("cluster"))
	wrapped := v.Exists()
	if !wrapped {
		v = top
	}
	if v.IncompleteKind() != cue.StructKind || wrapped && len(mistakes.Strays(s)) > 0 {
		return v, false
	}
	if !wrapped || !refersToSchema(trees) {
		v = ctx.BuildInstance(rules).LookupPath(cue.ParsePath("#Cluster")).Unify(v)
	}
	if v.Validate(cue.Concrete(true)) != nil || top.Err() != nil {
		return v, false
	}
	wrong, consequences := references(v, s)
	return v, len(wrong)+len(consequences) == 0
}

// plain parses a spec that needs nothing but its own files and the schema; for others it gives none.
func (f files) plain(name string) []*ast.File {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil
	}
	if info.IsDir() {
		return f.plainPackage(name)
	}
	if !info.Mode().IsRegular() || !f.plainModule(path.Dir(name)) {
		return nil
	}
	return f.plainFiles(name)
}

// plainPackage parses a directory in which every CUE file belongs to the package.
func (f files) plainPackage(dir string) []*ast.File {
	entries, err := fs.ReadDir(f.FS, dir)
	if err != nil || !f.plainModule(dir) {
		return nil
	}
	if root, found := f.moduleRoot(dir); found && root != dir {
		return nil // files of the package may stand above it
	}
	var names []string
	for _, e := range entries {
		switch name := e.Name(); {
		case e.IsDir() || path.Ext(name) != ".cue":
		case !e.Type().IsRegular() || strings.ContainsAny(name[:1], "._") || strings.HasSuffix(name, "_tool.cue") || strings.HasSuffix(name, "_test.cue"):
			return nil
		default:
			names = append(names, path.Join(dir, name))
		}
	}
	trees := f.plainFiles(names...)
	for _, tree := range trees {
		if tree.PackageName() == "" || tree.PackageName() != trees[0].PackageName() {
			return nil
		}
	}
	return trees
}

func (f files) plainFiles(names ...string) []*ast.File {
	var trees []*ast.File
	left := f.limit
	for _, name := range names {
		b, err := f.readAll(name)
		if left -= int64(len(b)); err != nil || left < 0 {
			return nil
		}
		tree := f.plainFile(name, b)
		if tree == nil {
			return nil
		}
		trees = append(trees, tree)
	}
	return trees
}

// attribute is the beginning of what may keep a file out of a package, or bring something into it.
var attribute = regexp.MustCompile(`@[a-zA-Z]+\(`)

func (f files) plainFile(name string, b []byte) *ast.File {
	known := f.known(name)
	var tree *ast.File
	var err error
	switch strings.ToLower(path.Ext(name)) {
	case ".cue":
		if attribute.Match(b) {
			return nil
		}
		tree, err = parser.ParseFile(known, b)
	case ".json":
		var expr ast.Expr
		if expr, err = json.Extract(known, b); err == nil {
			tree = exprFile(known, expr)
		}
	case ".yaml", ".yml":
		if tree, err = yaml.Extract(known, b); err == nil {
			err = oneDocument(known, tree)
		}
	}
	if err != nil || tree == nil || path.Ext(name) != ".cue" && len(misread(known, b)) > 0 {
		return nil
	}
	if path.Ext(name) != ".cue" {
		tree = forEditors(tree)
	}
	for spec := range tree.ImportSpecs() {
		p, err := literal.Unquote(spec.Path.Value)
		if first, _, _ := strings.Cut(p, "/"); err != nil || strings.Contains(first, ".") && !isSchemaPath(p) {
			return nil
		}
	}
	return tree
}

// plainModule reports whether a directory is in no module, or in one that changes nothing.
func (f files) plainModule(dir string) bool {
	root, found := f.moduleRoot(dir)
	if !found {
		return true
	}
	b, err := fs.ReadFile(f.FS, path.Join(root, moduleFile))
	return err == nil && plainModuleFile.Match(b)
}
