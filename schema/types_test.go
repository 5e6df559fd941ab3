package schema_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/written"
)

// TestTypesMirrorSchema walks the CUE definitions and the Go types side by side: a field in one is in the other.
func TestTypesMirrorSchema(t *testing.T) {
	s := written.NewSchema()
	mirror(t, "#Cluster", s.Root, reflect.TypeFor[schema.Cluster]())
}

func mirror(t *testing.T, path string, field *written.Field, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct && typ.Elem().PkgPath() == reflect.TypeFor[schema.Cluster]().PkgPath() {
		if typ.Kind() == reflect.Slice { // the maps of the spec
			field = field.Each
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[schema.Cluster]().PkgPath() {
		if len(field.Shown()) > 0 && typ.Kind() != reflect.Map && typ.NumMethod() == 0 {
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
		child := field.Fields[tag]
		if child == nil {
			t.Errorf("%s.%s is in Go (%s) and not in CUE", path, tag, f.Name)
			continue
		}
		mirror(t, path+"."+tag, child, f.Type)
	}
	for _, name := range field.Shown() {
		if !slices.Contains(names, name) {
			t.Errorf("%s.%s is in CUE and not in Go (%s)", path, name, typ)
		}
	}
}
