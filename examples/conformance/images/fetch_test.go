package images_test

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/generators/archive"
	"skep.dev/generators/images"
	"skep.dev/schema/spec"
)

// TestFetch has the script fetch what the lock names, which is not what the tags lead to any more. The archives are the same
// bytes each time, and hold what old engines and new ones read.
func TestFetch(t *testing.T) {
	r := newRegistry(t)
	r.tags["shop/web:1.0"] = r.index(t, "web", "amd64", "arm64")
	one, _ := r.image(t, "one", "amd64")
	r.tags["shop/one:2"] = one["digest"].(string)
	s := newSite(t, r, stack)
	if code, said := s.lock("", "images.lock"); code != 0 {
		t.Fatal(code, said)
	}
	s.build(spec.Load)
	for _, tag := range []string{"shop/web:1.0", "shop/one:2"} {
		r.tags[tag] = r.index(t, "moved", "amd64", "arm64")
	}
	for _, dir := range []string{"first", "second"} {
		if code, said := s.run(images.Fetch, "", dir); code != 0 || said != dir+": 2 images for linux/amd64 linux/arm64" {
			t.Fatal(code, said)
		}
	}
	c := s.load(spec.Load)
	c.Images.Delivery = "load"
	files, left, err := archive.OfImages(c, filepath.Join(s.dir, "first")) // which wants the images of the lock, and looks where the runbook does
	if err != nil || len(files) != 3 || len(left) != 0 {
		t.Fatal(len(files), left, err)
	}
	for _, row := range c.Lock.Rows() {
		f := strings.Fields(row)
		name := filepath.Join(strings.ReplaceAll(f[1], "/", "_"), strings.NewReplacer("/", "_", ":", "_").Replace(f[0])+".tar")
		file := filepath.Join(s.dir, "first", name)
		if bytesOf(t, file) != bytesOf(t, filepath.Join(s.dir, "second", name)) {
			t.Errorf("%s: other bytes the second time", name)
		}
		var index struct {
			Manifests []struct {
				MediaType, Digest string
				Size              int
				Annotations       map[string]string
			}
		}
		if err := json.Unmarshal([]byte(member(t, file, "index.json")), &index); err != nil {
			t.Fatal(err)
		}
		m := index.Manifests[0]
		if m.Digest != f[2] || m.Size != len(r.blobs[f[2]]) || m.MediaType != oci+"manifest.v1+json" || m.Annotations["io.containerd.image.name"] != f[0] {
			t.Errorf("%+v", m)
		}
	}

	// What is there stays: a fetch that was stopped goes on where it was.
	kept, err := os.Stat(filepath.Join(s.dir, "first", "linux_arm64"))
	if err != nil {
		t.Fatal(err)
	}
	if code, said := s.run(images.Fetch, "", "first"); code != 0 {
		t.Fatal(code, said)
	}
	if again, err := os.Stat(filepath.Join(s.dir, "first", "linux_arm64")); err != nil || again.ModTime() != kept.ModTime() {
		t.Errorf("it was fetched again: %v", err)
	}
}

// TestFetchByTag is for a spec without a lock.
func TestFetchByTag(t *testing.T) {
	r := newRegistry(t)
	r.tags["shop/web:1.0"] = r.index(t, "web", "amd64", "arm64")
	one, _ := r.image(t, "one", "amd64")
	r.tags["shop/one:2"] = one["digest"].(string)
	s := newSite(t, r, stack)
	if code, said := s.run(images.Fetch, "", "out"); code != 0 {
		t.Fatal(code, said)
	}
	name := strings.NewReplacer("/", "_", ":", "_").Replace(r.host + "/shop/one:2")
	if err := archive.CheckImage(filepath.Join(s.dir, "out", "linux_amd64", name+".tar"), archive.Image{Name: r.host + "/shop/one:2", For: "amd64"}); err != nil {
		t.Error(err)
	}
	for list, want := range map[string]string{
		r.host + "/shop/web:9\n":                                                    "manifest unknown",
		r.host + "/shop/web@" + r.tags["shop/web:1.0"] + "\n":                       "has no tag, so no engine could load it by name",
		r.host + "/shop/web:1.0@sha256:" + strings.Repeat("1", 64) + "\n":           "manifest unknown",
		r.host + "/shop/one:2\n" + r.host + "/shop/one:2@" + one["digest"].(string): "out: 1 images",
	} {
		if _, said := s.run(images.Fetch, list, "out", "-"); !strings.Contains(said, want) || strings.Contains(said, "\n") {
			t.Errorf("%q: %s", list, said)
		}
	}

	// A layer that is not there: nothing half written.
	delete(r.blobs, r.layer(t, "web for arm64")["digest"].(string))
	if code, said := s.run(images.Fetch, r.host+"/shop/web:1.0", "empty", "-"); code != 4 || strings.Contains(said, "\n") {
		t.Error(code, said)
	}
	if files, _ := filepath.Glob(filepath.Join(s.dir, "empty", "linux_arm64", "*")); len(files) != 0 {
		t.Errorf("left: %q", files)
	}
}

func bytesOf(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// member is a file in an archive.
func member(t *testing.T, file, name string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("%s has no %s", file, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == name {
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
}
