package runbook_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"skep.dev/generators/stack"
	"skep.dev/schema"
)

// composeFile is what a stack takes for granted: images, and networks and secrets that it does not make itself.
type composeFile struct {
	Services          map[string]struct{ Image string }
	Networks, Secrets map[string]struct {
		Name     string
		External bool
	}
}

// The step images names every image that a stack runs, the steps networks and secrets all that a stack takes for granted.
func TestStacksFindWhatTheyNeed(t *testing.T) {
	for _, example := range []string{"target", "host", "production", "everything"} {
		c := load(t, example)
		table := tableOf(t, c)
		stacks, err := stack.Files(c)
		must(t, err)
		for _, f := range stacks {
			dir, file := path.Split(f.Path)
			if file != "compose.yaml" {
				continue
			}
			if name := path.Base(dir); !strings.Contains(table, "body='stack others overlays' argument='"+name+"' ") {
				t.Errorf("%s: no step deploys the stack %s", example, name)
			}
			var compose composeFile
			must(t, yaml.Unmarshal(f.Data, &compose))
			needs := map[string][]string{}
			for _, s := range compose.Services {
				needs["images"] = append(needs["images"], s.Image)
			}
			for _, n := range compose.Networks {
				if n.Name != "host" && n.External { // every node has that of the host
					needs["networks"] = append(needs["networks"], n.Name)
				}
			}
			for _, s := range compose.Secrets {
				needs["secrets"] = append(needs["secrets"], s.Name)
			}
			for list, names := range needs {
				_, rows, _ := strings.Cut(table, "readonly -a "+list+"=(\n")
				rows, _, _ = strings.Cut(rows, "\t)\n")
				for _, name := range names {
					theirs := "'" + path.Base(dir) + " " + strings.TrimSuffix(list, "s") + " " + name + " "
					if name == "" || !strings.Contains(rows, "\t'"+name+" ") && !strings.Contains(table, theirs) {
						t.Errorf("%s: %s lacks %q of %s", example, list, name, f.Path)
					}
				}
			}
		}
	}
}

// TestLongLoadedImages: where archives bring the images, no node pulls; an archive of another image than the lock says is not
// loaded, and a node that has another one under the name is told.
func TestLongLoadedImages(t *testing.T) {
	s := settled(t, target(t))
	c := target(t)
	c.Images.Delivery = "load"
	c.Lock = schema.Lock{}
	digest := func(i int) string { return fmt.Sprintf("%064x", i+1) }
	images := []string{}
	c.Rows.Images[0].Image = "docker.io/" + c.Rows.Images[0].Image // as some write what Docker shows without
	for i, row := range c.Rows.Images {
		name := schema.LockName(row.Image)
		images = append(images, name)
		c.Lock[name] = schema.Locked{Index: "sha256:" + digest(i), Platforms: map[string]schema.LockedPlatform{
			"linux/amd64": {Manifest: "sha256:" + digest(i+1000), Config: "sha256:" + digest(i), Size: 1}}}
	}
	s.build(c)
	dir := t.TempDir()
	r := s.want(1, "run", "--yes", "--only", "images", "--images", dir)
	if want := " is on this node, and is not the image that images.lock names: it is sha256:pulled, want one of "; !strings.Contains(r.stdout, want) {
		t.Errorf("want %q:\n%s", want, r.stdout)
	}

	for _, node := range []string{"10.0.0.11", "10.0.0.12", "10.0.0.13"} {
		must(t, os.RemoveAll(filepath.Join(s.fake, "hosts", node, "images")))
		must(t, os.Mkdir(filepath.Join(s.fake, "hosts", node, "images"), 0o755))
	}
	before := len(s.calls())
	r = s.want(1, "run", "--yes", "--only", "images", "--images", dir)
	if want := "is not on this node, and no archive of it was found"; !strings.Contains(r.stdout, want) || strings.Contains(s.calls()[before:], "docker pull") {
		t.Errorf("want %q, and no pull:\n%s", want, r.stdout)
	}

	for i, name := range images {
		writeArchive(t, dir, name, digest(i+1))
	}
	r = s.want(1, "run", "--yes", "--only", "images", "--images", dir)
	if want := ": is not the image that images.lock names as "; !strings.Contains(r.stdout, want) || strings.Contains(s.calls()[before:], "docker load") {
		t.Errorf("want %q, and nothing loaded:\n%s", want, r.stdout)
	}
	for i, name := range images {
		writeArchive(t, dir, name, digest(i))
	}
	s.want(0, "run", "--yes", "--only", "images", "--images", dir)
	if calls := s.calls()[before:]; !strings.Contains(calls, "docker load") || strings.Contains(calls, "docker pull") {
		t.Error("want loads, and no pull")
	}
	before = len(s.calls())
	s.want(0, "run", "--only", "images", "--images", dir)
	if strings.Contains(s.calls()[before:], "docker load") {
		t.Error("what is there was loaded again")
	}
}

// TestArchiveFits: an archive is looked at before it is loaded, with a lock or without.
func TestArchiveFits(t *testing.T) {
	dir := t.TempDir()
	writeArchive(t, dir, "shop/web:1.0", "aa")
	must(t, os.WriteFile(filepath.Join(dir, "other.tar"), []byte("no archive"), 0o644))
	archive := filepath.Join(dir, "shop_web_1.0.tar")
	for _, test := range []struct{ file, image, machine, lock, want string }{
		{archive, "shop/web:1.0", "amd64", "", ""},
		{archive, "docker.io/shop/web:1.0", "amd64", "", ""},
		{archive, "shop/web:1.0", "amd64", "shop/web:1.0 linux/amd64 sha256:ff sha256:aa", ""},
		{archive, "shop/web:1.0", "amd64", "shop/web:1.0 linux/amd64 sha256:ff sha256:bb", archive + ": is not the image that images.lock names as shop/web:1.0\n"},
		{archive, "shop/web:1.1", "amd64", "", archive + ": does not hold shop/web:1.1\n"},
		{archive, "shop/web:1.0", "arm64", "", archive + ": is an image for amd64, and the node is arm64\n"},
		{filepath.Join(dir, "other.tar"), "shop/web:1.0", "amd64", "", filepath.Join(dir, "other.tar") + ": is no archive of images, or is cut off\n"},
	} {
		out, err := shell(t, "source sh/steps/images.sh\nlocked=('"+test.lock+"')\nfits "+test.file+" "+test.image+" "+test.machine+"\n")
		if out != test.want || (err == nil) != (test.want == "") {
			t.Errorf("%s on %s: %v: got %q, want %q", test.image, test.machine, err, out, test.want)
		}
	}
}

// writeArchive writes an archive of an image for amd64 as docker save makes it.
func writeArchive(t testing.TB, dir, image, config string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, strings.NewReplacer("/", "_", ":", "_").Replace(image)+".tar"))
	must(t, err)
	w := tar.NewWriter(f)
	text := fmt.Sprintf(`[{"Config":"blobs/sha256/%s","RepoTags":["%s"],"Layers":[]}]`, config, strings.TrimPrefix(image, "docker.io/"))
	for name, text := range map[string]string{"manifest.json": text, "blobs/sha256/" + config: `{"architecture":"amd64","config":{},"os":"linux"}`} {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		_, err = w.Write([]byte(text))
		must(t, err)
	}
	must(t, errors.Join(w.Close(), f.Close()))
}
