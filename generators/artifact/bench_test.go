package artifact

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkWrite writes the bundle of a small cluster anew: most of the time is the disk's.
func BenchmarkWrite(b *testing.B) {
	var files []File
	for i := range 60 {
		files = append(files, text(fmt.Sprintf("d%d/f%d", i%10, i), strings.Repeat("x", 3000)))
	}
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "bundle")
		if _, err := Write(dir, files); err != nil {
			b.Fatal(err)
		}
	}
}
