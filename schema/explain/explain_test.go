package explain

import (
	"slices"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/written"
)

// TestEveryFieldIsExplained asks for every field of the schema, by the path that a user would type.
func TestEveryFieldIsExplained(t *testing.T) {
	s := written.NewSchema()
	var walk func(path []string, field *written.Field)
	walk = func(path []string, field *written.Field) {
		if len(path) > 0 {
			if text, err := About(schema.JoinPath(path...)); err != nil || text == "" {
				t.Errorf("%v: %v", path, err)
			}
		}
		for _, name := range field.Shown() {
			walk(append(slices.Clone(path), name), field.Fields[name])
		}
		if field.Each != nil && len(field.Patterns) > 0 {
			walk(append(slices.Clone(path), "*"), field.Each)
		}
	}
	walk(nil, s.Root)
}
