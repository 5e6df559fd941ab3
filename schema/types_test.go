package schema

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
)

// TestTypesRoundTrip takes every example from CUE to Go and back: nothing is lost, added or changed on the way.
func TestTypesRoundTrip(t *testing.T) {
	specs, err := filepath.Glob("../examples/*/cluster.[cy]*")
	if err != nil || len(specs) == 0 {
		t.Fatal(specs, err)
	}
	for _, spec := range specs {
		inst, err := source(spec, 1<<20, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		r := newReader(inst, Origin{})
		v, err := r.evaluate()
		if err != nil {
			t.Fatal(err)
		}
		c, err := decode(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		def, err := r.definition()
		if err != nil {
			t.Fatal(err)
		}
		back := def.Unify(r.ctx.CompileBytes(b))
		if err := back.Validate(cue.Concrete(true)); err != nil {
			t.Errorf("%s: the schema refuses what Go writes: %v", spec, err)
		}
		if !reflect.DeepEqual(plainValue(t, v), plainValue(t, back)) {
			t.Errorf("%s: CUE -> Go -> CUE changes the cluster:\n%v\n%v", spec, plainValue(t, v), plainValue(t, back))
		}
	}
}

func plainValue(t *testing.T, v cue.Value) map[string]any {
	t.Helper()
	b, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTypesMirrorSchema walks the CUE definitions and the Go types side by side: a field in one is in the other.
func TestTypesMirrorSchema(t *testing.T) {
	s := newShape()
	mirror(t, s, "#Cluster", s.root, reflect.TypeFor[Cluster]())
}

func mirror(t *testing.T, s *shape, path string, field *tree, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct && typ.Elem().PkgPath() == reflect.TypeFor[Cluster]().PkgPath() {
		if typ.Kind() == reflect.Slice { // the maps of the spec
			field = field.each
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[Cluster]().PkgPath() {
		if len(s.allNames(field)) > 0 && typ.Kind() != reflect.Map && typ.NumMethod() == 0 {
			t.Errorf("%s has fields in CUE, and is %s in Go", path, typ)
		}
		return
	}
	var names []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "-" || !f.IsExported() {
			continue
		}
		names = append(names, tag)
		child := field.fields[tag]
		if child == nil {
			t.Errorf("%s.%s is in Go (%s) and not in CUE", path, tag, f.Name)
			continue
		}
		mirror(t, s, path+"."+tag, child, f.Type)
	}
	for _, name := range s.allNames(field) {
		if !slices.Contains(names, name) {
			t.Errorf("%s.%s is in CUE and not in Go (%s)", path, name, typ)
		}
	}
}

// TestVendored compiles the embedded schema alone, as cue vet does in a module that vendors it.
func TestVendored(t *testing.T) {
	def, err := newReader(&build.Instance{}, Origin{}).definition()
	if err != nil {
		t.Fatal(err)
	}
	if err := def.Validate(); err != nil {
		t.Error(err)
	}
}
