package spec

import (
	"encoding/json"
	"io/fs"
	"os"
	"reflect"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"

	"skep.dev/schema"
)

// TestTypesRoundTrip takes every example from CUE to Go and back: nothing is lost, added or changed on the way.
func TestTypesRoundTrip(t *testing.T) {
	specs, err := fs.Glob(os.DirFS("../../examples"), "*/cluster.[cy]*")
	if err != nil || len(specs) == 0 {
		t.Fatal(specs, err)
	}
	for _, spec := range specs {
		s, err := files{os.DirFS("../../examples"), 1 << 20, fittingLock}.read(spec)
		if err != nil {
			t.Fatal(err)
		}
		r := newReader(s)
		v, err := r.evaluate()
		if err != nil {
			t.Fatal(err)
		}
		data, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		c, err := schema.Decode(data)
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

// TestVendored compiles the embedded schema alone, as cue vet does in a module that vendors it.
func TestVendored(t *testing.T) {
	def, err := newReader(&source{Instance: &build.Instance{}}).definition()
	if err != nil {
		t.Fatal(err)
	}
	if err := def.Validate(); err != nil {
		t.Error(err)
	}
}
