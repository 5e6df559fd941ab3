package schema

import (
	"errors"
	"strings"
	"time"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
)

// Limits bound what one spec may cost.
type Limits struct {
	Bytes  int64         // size of the spec's files
	Time   time.Duration // from the first byte to the decoded cluster
	Memory uint64        // bytes of heap of the whole process
}

// DefaultLimits are ample for 10,000 nodes, which take some seconds and half a gigabyte.
func DefaultLimits() Limits {
	return Limits{Bytes: 32 << 20, Time: time.Minute, Memory: 2 << 30}
}

// Load reads a spec and checks it against the schema. A spec is a directory that holds one CUE package, or a file that
// ends in .cue, .yaml, .yml or .json; its fields stand at the top or below one field "cluster".
// The error is an *InputError when the spec could not be read, and Mistakes when it could but is wrong.
func Load(spec string) (*Cluster, error) { return LoadWithin(spec, DefaultLimits(), Origin{}) }

// LoadCopy is Load for a spec that is a copy of another: errors name the files of that.
func LoadCopy(spec string, o Origin) (*Cluster, error) { return LoadWithin(spec, DefaultLimits(), o) }

// LoadWithin is LoadCopy with other limits. After an error about time or memory the evaluation still runs, since CUE
// cannot be interrupted: the process should end soon.
func LoadWithin(spec string, limits Limits, o Origin) (*Cluster, error) {
	c, err := watched(spec, limits, func() (*Cluster, error) { return loadSpec(spec, limits.Bytes, o) })
	var input *InputError
	if errors.As(err, &input) {
		return nil, newNames(o).input(input)
	}
	return c, err
}

func loadSpec(spec string, bytes int64, o Origin) (*Cluster, error) {
	inst, err := source(spec, bytes, o)
	if err != nil {
		return nil, err
	}
	r := newReader(inst, o)
	if inst.Err != nil {
		return nil, syntaxMistakes(inst.Err, o)
	}
	odd := misread(spec, o)
	c, err := r.cluster()
	if len(odd) > 0 {
		return nil, odd.with(err)
	}
	return c, err
}

// cluster gives the cluster, or all mistakes of the spec.
func (r *reader) cluster() (*Cluster, error) {
	v, err := r.evaluate()
	if err != nil {
		return nil, err
	}
	c, err := decode(v)
	if err != nil {
		return nil, err
	}
	c.source = r.source
	if found := c.check(); len(found) > 0 {
		return nil, found
	}
	c.settle()
	return c, nil
}

// reader is one evaluation of one spec. Its context is thrown away with it: a context keeps all it ever compiled.
type reader struct {
	ctx    *cue.Context
	inst   *build.Instance
	source *sourceMap
	schema *cue.Value // of the package, when it is first asked for
}

func newReader(inst *build.Instance, o Origin) *reader {
	// The environment's CUE_DEBUG=opendef would switch the check of field names off.
	ctx := cuecontext.New(cuecontext.CUE_DEBUG("opendef=0"))
	return &reader{ctx: ctx, inst: inst, source: newSourceMap(inst, o)}
}

// evaluate gives the concrete cluster, or Mistakes: also where the evaluator breaks down over one, as v0.17 does over a
// value for a field that is computed (a nil pointer).
func (r *reader) evaluate() (v cue.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			w := newRewriter(r.source)
			w.structure(nil, r.source.tree(), w.shape.root)
			if len(w.list) == 0 {
				panic(p)
			}
			err = w.sorted()
		}
	}()
	return r.unify()
}

func (r *reader) unify() (cue.Value, error) {
	user := r.ctx.BuildInstance(r.inst)
	top := user
	wrapped := user.LookupPath(cue.ParsePath("cluster"))
	if wrapped.Exists() {
		if stray := r.source.strays(); len(stray) > 0 {
			return cue.Value{}, stray
		}
		user = wrapped
	}
	if k := user.IncompleteKind(); k != cue.StructKind && k != cue.BottomKind {
		return cue.Value{}, r.noFields()
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
	if err != nil || top.Err() != nil {
		return cue.Value{}, r.mistakes(err, top.Validate())
	}
	return v, nil
}

// noFields is the answer to a spec that is a number, a list, or nothing but a comment.
func (r *reader) noFields() Mistakes {
	at := r.source.top()
	s := newShape()
	return Mistakes{{File: at.Filename, Line: at.Line, Column: at.Column, Rule: "want the fields of a cluster: " + strings.Join(s.visible(s.root), ", ")}}
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
	want, err := parser.ParseExpr("", sourceText(rule))
	if err != nil {
		return false
	}
	is, err := parser.ParseExpr("", sourceText(value))
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

func decode(v cue.Value) (*Cluster, error) {
	b, err := v.MarshalJSON()
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	if err := decodeStrict(b, c); err != nil {
		return nil, errors.Join(errors.New("schema: the Go types do not fit the CUE definitions"), err)
	}
	return c, nil
}

// syntaxMistakes explains why a file cannot be parsed.
func syntaxMistakes(err error, o Origin) Mistakes {
	w := &rewriter{source: &sourceMap{names: newNames(o)}}
	for _, e := range cueerrors.Errors(err) {
		w.plain(e)
	}
	if len(w.list) == 0 {
		return Mistakes{{Rule: w.source.names.text(joinLines(err.Error()))}}
	}
	return w.sorted()
}

func isSchemaPath(p string) bool { return p == importPath || strings.HasPrefix(p, importPath+"@") }

func isSchemaSpec(s *ast.ImportSpec) bool {
	p, err := literal.Unquote(s.Path.Value)
	return err == nil && isSchemaPath(p)
}
