package lock_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema"
	"skep.dev/schema/lock"
)

// A lock may be anything, and is refused at a place within it, in lines of their own.
func FuzzRead(f *testing.F) {
	const one = `{"image": "nginx:1", "index": "sha256:1111111111111111111111111111111111111111111111111111111111111111", "platforms": {"linux/amd64": {"manifest": "", "config": "", "size": 1e9}}}`
	for _, text := range []string{"", "[", "{}", `{"schema": "skep.dev/images/v1", "images": [` + one + `, null, {"image": "a\nb", "image": "\u0000"}]}`, `{"schema": "skep.dev/images/v1", "images": [{"image": "a` + "\x00" + `"}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, found := lock.Read(fstest.MapFS{schema.LockFile: {Data: text}}, func(name string) string { return name })
		lines := strings.Count(string(text), "\n") + 1
		for _, m := range found {
			if line := m.Error(); strings.ContainsAny(line, "\n\r") || m.Line < 1 || m.Line > lines || m.Column < 1 {
				t.Errorf("a bad line: %q", line)
			}
		}
	})
}
