package spec

import (
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"

	"skep.dev/schema"
	"skep.dev/schema/mistakes"
	"skep.dev/schema/written"
)

// reader is one evaluation of one spec. Its context is thrown away with it: a context keeps all it ever compiled.
type reader struct {
	ctx    *cue.Context
	inst   *build.Instance
	spec   *written.Spec
	schema *cue.Value // of the package, when it is first asked for
}

func newReader(s *source) *reader {
	// The environment's CUE_DEBUG=opendef would switch the check of field names off.
	ctx := cuecontext.New(cuecontext.CUE_DEBUG("opendef=0"))
	return &reader{ctx: ctx, inst: s.Instance, spec: written.NewSpec(s.Files)}
}

// evaluate gives the concrete cluster, or all mistakes of the spec: also where the evaluator breaks down over one, as v0.17 does over a
// value for a field that is computed (a nil pointer).
func (r *reader) evaluate() (v cue.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			found := mistakes.Structure(r.spec)
			if len(found) == 0 {
				panic(p)
			}
			err = found
		}
	}()
	return r.unify()
}

func (r *reader) unify() (cue.Value, error) {
	user := r.ctx.BuildInstance(r.inst)
	top := user
	wrapped := user.LookupPath(cue.ParsePath("cluster"))
	if wrapped.Exists() {
		if stray := mistakes.Strays(r.spec); len(stray) > 0 {
			return cue.Value{}, stray
		}
		user = wrapped
	}
	if k := user.IncompleteKind(); k != cue.StructKind && k != cue.BottomKind {
		return cue.Value{}, mistakes.NoFields(r.spec)
	}
	v := user
	// Where the spec says `cluster: schema.#Cluster` CUE has unified them already, and it is half of the work.
	if !wrapped.Exists() || !refersToSchema(r.inst.Files) {
		def, err := r.definition()
		if err != nil {
			return cue.Value{}, err
		}
		v = def.Unify(user)
	}
	err := v.Validate(cue.Concrete(true))
	wrong, consequences := references(v, r.spec)
	switch {
	case err != nil || top.Err() != nil:
		found := mistakes.ForKind(r.spec, mistakes.Of(r.spec, r.accepts, err, top.Validate()))
		if len(wrong) == 0 {
			return cue.Value{}, found
		}
		return cue.Value{}, found.With(wrong)
	case len(wrong) > 0:
		return cue.Value{}, wrong
	case len(consequences) > 0:
		return cue.Value{}, consequences
	}
	return v, nil
}

// definition compiles #Cluster, or takes it from where the spec imports it.
func (r *reader) definition() (cue.Value, error) {
	inst := importedSchema(r.inst, map[*build.Instance]bool{})
	if inst == nil {
		var err error
		if inst, err = schemaInstance(); err != nil {
			return cue.Value{}, err
		}
	}
	def := r.ctx.BuildInstance(inst).LookupPath(cue.ParsePath("#Cluster"))
	return def, def.Err()
}

// accepts evaluates an expression of the schema on a value of the spec.
func (r *reader) accepts(rule, value ast.Expr) bool {
	if r.schema == nil {
		inst, err := schemaInstance()
		if err != nil {
			return false
		}
		v := r.ctx.BuildInstance(inst)
		r.schema = &v
	}
	want, err := parser.ParseExpr("", written.SourceText(rule))
	if err != nil {
		return false
	}
	is, err := parser.ParseExpr("", written.SourceText(value))
	if err != nil {
		return false
	}
	return r.ctx.BuildExpr(want, cue.Scope(*r.schema)).Unify(r.ctx.BuildExpr(is)).Validate(cue.Concrete(true)) == nil
}

// importedSchema finds the schema among the imports of an instance and of what it imports.
func importedSchema(inst *build.Instance, seen map[*build.Instance]bool) *build.Instance {
	if seen[inst] {
		return nil
	}
	seen[inst] = true
	for _, imp := range inst.Imports {
		if isSchemaPath(imp.ImportPath) {
			return imp
		}
		if found := importedSchema(imp, seen); found != nil {
			return found
		}
	}
	return nil
}

// refersToSchema reports whether a file has the field `cluster: schema.#Cluster` (also within a conjunction) at its top:
// fields of one name are unified, so the definition then holds for the whole of it. An embedding does not count, since
// it opens the definition (cue#1576), nor does a field that may be absent.
func refersToSchema(files []*ast.File) bool {
	for _, f := range files {
		for _, d := range f.Decls {
			field, ok := d.(*ast.Field)
			if !ok || field.Constraint != 0 {
				continue
			}
			if name, _, err := ast.LabelName(field.Label); err == nil && name == "cluster" && conjoinsSchema(field.Value) {
				return true
			}
		}
	}
	return false
}

func conjoinsSchema(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return conjoinsSchema(e.X)
	case *ast.BinaryExpr:
		return e.Op.String() == "&" && (conjoinsSchema(e.X) || conjoinsSchema(e.Y))
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		sel, isIdent := e.Sel.(*ast.Ident)
		if !ok || !isIdent || sel.Name != "#Cluster" {
			return false
		}
		spec, ok := x.Node.(*ast.ImportSpec)
		return ok && isSchemaSpec(spec)
	}
	return false
}

func isSchemaPath(p string) bool {
	return p == schema.ImportPath || strings.HasPrefix(p, schema.ImportPath+"@")
}

func isSchemaSpec(s *ast.ImportSpec) bool {
	p, err := literal.Unquote(s.Path.Value)
	return err == nil && isSchemaPath(p)
}
