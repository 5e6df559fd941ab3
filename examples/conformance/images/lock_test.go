// Package images_test has skopeo ask a registry on this machine what images.lock is to hold, and skep read the answer.
package images_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/images"
	"skep.dev/schema"
	"skep.dev/schema/spec"
	"skep.dev/schema/written"
)

// registry serves what it was given, by digest, and by name and tag.
type registry struct {
	host  string
	blobs map[string][]byte
	kinds map[string]string
	tags  map[string]string
}

func newRegistry(t *testing.T) *registry {
	r := &registry{blobs: map[string][]byte{}, kinds: map[string]string{}, tags: map[string]string{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "http://")
	return r
}

func (r *registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	parts := strings.Split(strings.TrimPrefix(q.URL.Path, "/v2/"), "/")
	if len(parts) < 3 {
		return // yes, a registry
	}
	name, wanted := strings.Join(parts[:len(parts)-2], "/"), parts[len(parts)-1]
	if digest, ok := r.tags[name+":"+wanted]; ok {
		wanted = digest
	}
	blob, ok := r.blobs[wanted]
	if !ok {
		http.Error(w, `{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}`, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", r.kinds[wanted])
	w.Header().Set("Docker-Content-Digest", wanted)
	_, _ = w.Write(blob)
}

const oci = "application/vnd.oci.image."

// add keeps an object with indents, as some makers of images write it, and returns what refers to it.
func (r *registry) add(t *testing.T, kind string, object any) map[string]any {
	t.Helper()
	b, err := json.MarshalIndent(object, "", "   ")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	r.blobs[digest], r.kinds[digest] = b, oci+kind
	return map[string]any{"mediaType": oci + kind, "digest": digest, "size": len(b)}
}

// image adds an image of one platform, with one layer that holds a file.
func (r *registry) image(t *testing.T, name, architecture string) (manifest map[string]any, size int64) {
	t.Helper()
	layer := r.layer(t, name+" for "+architecture)
	config := r.add(t, "config.v1+json", map[string]any{"os": "linux", "architecture": architecture, "author": name})
	manifest = r.add(t, "manifest.v1+json", map[string]any{"schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "config": config, "layers": []any{layer}})
	return manifest, int64(config["size"].(int) + layer["size"].(int))
}

func (r *registry) layer(t *testing.T, text string) map[string]any {
	t.Helper()
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	w := tar.NewWriter(packed)
	err := errors.Join(w.WriteHeader(&tar.Header{Name: "what", Mode: 0o644, Size: int64(len(text))}), func() error { _, err := w.Write([]byte(text)); return err }(), w.Close(), packed.Close())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	digest := "sha256:" + hex.EncodeToString(sum[:])
	r.blobs[digest], r.kinds[digest] = b.Bytes(), "application/octet-stream"
	return map[string]any{"mediaType": oci + "layer.v1.tar+gzip", "digest": digest, "size": b.Len()}
}

// index adds an index of images, and what proves where they come from, which is no image.
func (r *registry) index(t *testing.T, name string, architectures ...string) string {
	t.Helper()
	var all []any
	for _, a := range architectures {
		m, _ := r.image(t, name, a)
		m["platform"] = map[string]any{"os": "linux", "architecture": a}
		all = append(all, m)
	}
	proof, _ := r.image(t, name, "unknown")
	proof["platform"] = map[string]any{"os": "unknown", "architecture": "unknown"}
	return r.add(t, "index.v1+json", map[string]any{"schemaVersion": 2, "mediaType": oci + "index.v1+json", "manifests": append(all, proof)})["digest"].(string)
}

// site is a spec with its bundle's script.
type site struct {
	t   *testing.T
	dir string
}

func newSite(t *testing.T, r *registry, stack string) site {
	t.Helper()
	s := site{t: t, dir: t.TempDir()}
	s.write("cluster.yaml", "name: paris\nkind: swarm\ndomain: paris.example.org\nnodes:\n  m1: {address: 10.0.0.11, role: manager}\n"+
		"  w1: {address: 10.0.0.12, platform: {architecture: arm64}}\naccess: {management: [192.0.2.0/28]}\nstacks: {web: {compose: [web.yaml]}}\n")
	s.write("web.yaml", strings.ReplaceAll(stack, "REGISTRY", r.host))
	s.write("home/.config/containers/registries.conf", fmt.Sprintf("[[registry]]\nlocation = %q\ninsecure = true\n", r.host))
	s.write("home/.config/containers/policy.json", `{"default": [{"type": "insecureAcceptAnything"}]}`)
	s.build(spec.LoadUnlocked)
	return s
}

// build writes the scripts of the bundle.
func (s site) build(load func(string) (*schema.Cluster, *written.Spec, error)) {
	s.t.Helper()
	files, err := images.Files(s.load(load))
	if err != nil {
		s.t.Fatal(err)
	}
	judge.Write(s.t, filepath.Join(s.dir, "bundle"), files)
}

func (s site) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s site) load(load func(string) (*schema.Cluster, *written.Spec, error)) *schema.Cluster {
	s.t.Helper()
	c, _, err := load(filepath.Join(s.dir, "cluster.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// lock runs the script with a list on stdin, or that of the bundle, and returns the code and what it said.
func (s site) lock(list string, args ...string) (int, string) {
	return s.run(images.Script, list, args...)
}

func (s site) run(script, list string, args ...string) (int, string) {
	s.t.Helper()
	for _, tool := range []string{"skopeo", "jq"} {
		judge.Tool(s.t, tool, tool)
	}
	cmd := exec.Command("bash", append([]string{filepath.Join("bundle", script)}, args...)...)
	cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(list)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(s.dir, "home"), "REGISTRY_AUTH_FILE="+filepath.Join(s.dir, "none.json"))
	var said bytes.Buffer
	cmd.Stderr = &said
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(said.String())
}

const stack = "services:\n  web: {image: \"REGISTRY/shop/web:1.0\"}\n  one: {image: \"REGISTRY/shop/one:2\", deploy: {placement: {constraints: [node.role == manager]}}}\n"

// TestLock has the script write a lock, and the spec read it: all digests are those of the registry.
func TestLock(t *testing.T) {
	r := newRegistry(t)
	r.tags["shop/web:1.0"] = r.index(t, "web", "amd64", "arm64", "s390x")
	one, size := r.image(t, "one", "amd64")
	r.tags["shop/one:2"] = one["digest"].(string)
	s := newSite(t, r, stack)
	if code, said := s.lock("", "images.lock"); code != 0 || said != "images.lock: 2 images for linux/amd64 linux/arm64" {
		t.Fatal(code, said)
	}
	c := s.load(spec.Load)
	web, single := c.Lock[r.host+"/shop/web:1.0"], c.Lock[r.host+"/shop/one:2"]
	if web.Index != r.tags["shop/web:1.0"] || len(web.Platforms) != 2 || web.Platforms["linux/arm64"].Manifest == web.Platforms["linux/amd64"].Manifest {
		t.Errorf("%+v", web)
	}
	for platform, p := range web.Platforms {
		var m struct{ Config struct{ Digest string } }
		if err := json.Unmarshal(r.blobs[p.Manifest], &m); err != nil || m.Config.Digest != p.Config || !strings.Contains(string(r.blobs[p.Config]), strings.TrimPrefix(platform, "linux/")) {
			t.Errorf("%s: %+v: %v", platform, p, err)
		}
	}
	if single.Index != r.tags["shop/one:2"] || len(single.Platforms) != 1 || single.Platforms["linux/amd64"].Manifest != single.Index || single.Platforms["linux/amd64"].Size != size {
		t.Errorf("%+v", single)
	}

	// A tag moves, and an image comes: what is locked stays, as skep images has it.
	first := read(t, s)
	r.tags["shop/web:1.0"] = r.index(t, "moved", "amd64", "arm64")
	r.tags["shop/new:3"] = r.index(t, "new", "amd64", "arm64")
	s.write("web.yaml", strings.ReplaceAll(stack+"  new: {image: \"REGISTRY/shop/new:3\"}\n", "REGISTRY", r.host))
	if code, said := s.lock(images.Plain(s.load(spec.LoadUnlocked)), "images.lock", "-"); code != 0 {
		t.Fatal(code, said)
	}
	c = s.load(spec.Load)
	if len(c.Lock) != 3 || c.Lock[r.host+"/shop/web:1.0"].Index != web.Index || c.Lock[r.host+"/shop/new:3"].Index != r.tags["shop/new:3"] {
		t.Errorf("%+v", c.Lock)
	}
	if read(t, s) == first {
		t.Error("the lock is the same")
	}
}

// TestLockRefuses leaves the lock alone where something is wrong, and says it in a line.
func TestLockRefuses(t *testing.T) {
	r := newRegistry(t)
	r.tags["shop/web:1.0"] = r.index(t, "web", "amd64")
	other, _ := r.image(t, "other", "s390x")
	r.tags["shop/other:1"] = other["digest"].(string)
	s := newSite(t, r, stack)
	s.write("images.lock", "as it was")
	none := "sha256:" + strings.Repeat("1", 64)
	for list, want := range map[string]struct {
		code int
		said string
	}{
		"":                           {1, "the list has no image"},
		"two words\n":                {1, "is not the name of an image"},
		r.host + "/shop/web:2.0\n":   {4, "manifest unknown"},
		r.host + "/shop/web@" + none: {4, "manifest unknown"},
		r.host + "/shop/other:1\n":   {1, "/shop/other:1: is made for none of linux/amd64 linux/arm64"},
		"127.0.0.1:1/shop/web:1.0\n": {4, "connection refused"},
		"a:1@" + none + "\na:1@" + strings.Replace(none, "1", "2", 1): {1, "a:1 has two digests in the list"},
	} {
		code, said := s.lock(list, "images.lock", "-")
		if code != want.code || !strings.Contains(said, want.said) || strings.Contains(said, "\n") {
			t.Errorf("%q: %d: %s", list, code, said)
		}
	}
	for _, args := range [][]string{{}, {"a", "b", "c"}, {"--platform", "linux/riscv64", "images.lock"}, {"--nonsense", "images.lock"}} {
		if code, said := s.lock("", args...); code != 2 || strings.Contains(said, "\n") {
			t.Errorf("%q: %d: %s", args, code, said)
		}
	}
	if got := read(t, s); got != "as it was" {
		t.Errorf("the lock has changed: %s", got)
	}
}

func read(t *testing.T, s site) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "images.lock"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
