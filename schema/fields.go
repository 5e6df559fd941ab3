package schema

import (
	"reflect"
	"strings"
)

// Fields are the names of the fields at the top of a spec.
func Fields() []string {
	cluster := reflect.TypeFor[Cluster]()
	var names []string
	for i := range cluster.NumField() {
		name, _, _ := strings.Cut(cluster.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
