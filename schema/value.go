package schema

import (
	"fmt"
	"reflect"
	"strings"
)

// Value is what a field of the spec holds: one thing, or a list of names. Field is the path that decides it.
type Value struct {
	Field string
	Text  string   // of one thing
	Names []string // of a list; nil for one thing
}

// Value returns what a field holds, such as "services.nfs.server", or "managers" for those of nodes. A field that the
// cluster does not have, or that holds more, is an error.
func (c *Cluster) Value(path string) (Value, error) {
	if path == "managers" {
		names := []string{}
		for _, n := range c.Managers() {
			names = append(names, n.Name)
		}
		return Value{Field: "nodes", Names: names}, nil
	}
	at := reflect.ValueOf(c).Elem()
	for _, name := range SplitPath(path) {
		if at = member(at, name); !at.IsValid() {
			return Value{Field: path}, fmt.Errorf("the cluster has no %s", path)
		}
	}
	if rows, ok := at.Interface().(interface{ Names() []string }); ok {
		return Value{Field: path, Names: rows.Names()}, nil
	}
	switch names, list := at.Interface().([]string); {
	case list:
		return Value{Field: path, Names: append([]string{}, names...)}, nil
	case at.Kind() == reflect.String, at.CanInt(), at.CanUint():
		return Value{Field: path, Text: fmt.Sprint(at.Interface())}, nil
	}
	return Value{Field: path}, fmt.Errorf("%s is more than one value", path)
}

// member is the field of a struct with that name in the spec, or invalid.
func member(of reflect.Value, name string) reflect.Value {
	for of.Kind() == reflect.Pointer && !of.IsNil() {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	for i := range of.NumField() {
		if tag, _, _ := strings.Cut(of.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return of.Field(i)
		}
	}
	return reflect.Value{}
}
