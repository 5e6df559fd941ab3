package written

import "testing"

// TestMapsHaveExamples: a field whose names the user chooses shows one that says what stands there.
func TestMapsHaveExamples(t *testing.T) {
	count := 0
	var walk func(path string, f *Field, depth int)
	walk = func(path string, f *Field, depth int) {
		if depth > 8 || f == nil {
			return
		}
		if len(f.Patterns) > 0 && len(f.Shown()) == 0 {
			count++
			if name, _ := f.sampleField(); name == "name" {
				t.Errorf("%s: write @example(NAME) behind its first pattern", path)
			}
		}
		for _, name := range f.Shown() {
			if !IsDerived(name) {
				walk(path+"."+name, f.Fields[name], depth+1)
			}
		}
		walk(path+".*", f.Each, depth+1)
	}
	walk("cluster", NewSchema().Root, 0)
	if count < 10 {
		t.Errorf("%d maps, want 10 or more", count)
	}
}
