package compose

import (
	"testing"
	"testing/fstest"
)

// A target reaches the engine as it was written, and of two texts for one mount the one that counts.
func TestTargets(t *testing.T) {
	files := fstest.MapFS{
		"one.yaml": {Data: []byte(`services:
  web:
    image: web:1
    volumes: ["data:/data/", "/srv:/srv/a/../b:ro", {type: volume, source: data, target: /long/}, "data:/over/", /anonymous/, "data:/plain"]
volumes: {data: {}}
`)},
		"two.yaml": {Data: []byte("services: {web: {volumes: [\"data:/over\"]}}\n")},
	}
	p, found := Read(files, func(s string) string { return s }, Request{Name: "shop", Files: []string{"one.yaml", "two.yaml"}})
	if p == nil {
		t.Fatal(found)
	}
	want := []string{"/data/", "/srv/a/../b", "/long/", "/over", "/anonymous/", "/plain"}
	for i, v := range p.Services["web"].Volumes {
		if i >= len(want) || v.Target != want[i] {
			t.Errorf("volume %d: target %q, want %q", i, v.Target, want)
		}
	}
	if n := len(p.Services["web"].Volumes); n != len(want) {
		t.Errorf("%d volumes, want %d", n, len(want))
	}
}
