package finding

import (
	"slices"
	"testing"
)

// TestEveryKindIsExplained keeps the IDs sorted within their level, each once, and the texts there.
func TestEveryKindIsExplained(t *testing.T) {
	seen := map[ID]bool{}
	for _, level := range []Level{Mistake, Warning} {
		var ids []ID
		for _, k := range Kinds() {
			if k.Level == level {
				ids = append(ids, k.ID)
			}
			if k.Title == "" || k.Why == "" || k.Way == "" {
				t.Errorf("%s lacks a text", k.ID)
			}
		}
		for _, id := range ids {
			if seen[id] {
				t.Errorf("%s stands twice", id)
			}
			seen[id] = true
		}
		if !slices.IsSorted(ids) || len(ids) == 0 {
			t.Errorf("not sorted: %v", ids)
		}
	}
}
