package finding

import (
	"reflect"
	"slices"
	"testing"
)

// TestEveryWarningIsExplained keeps the IDs sorted and the texts there.
func TestEveryWarningIsExplained(t *testing.T) {
	var ids []string
	for _, a := range Warnings() {
		ids = append(ids, a.ID)
		if a.Title == "" || a.Why == "" || a.Way == "" {
			t.Errorf("%s lacks a text", a.ID)
		}
	}
	if !slices.IsSorted(ids) || !reflect.DeepEqual(slices.Compact(slices.Clone(ids)), ids) {
		t.Errorf("not sorted, or not unique: %v", ids)
	}
}
