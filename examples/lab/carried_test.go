package lab

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// registry is one on this machine, that holds images made from the lab's stand-in: real layers and digests.
type registry struct {
	host  string
	layer []byte // of each image, as a tar
	blobs map[string][]byte
	kinds map[string]string
	tags  map[string]string
}

const oci = "application/vnd.oci.image."

func newRegistry(t *testing.T, l *lab) *registry {
	t.Helper()
	need(t, map[string]string{"skopeo": "skopeo"})
	write(t, filepath.Join(l.temp, "images.txt"), "ghcr.io/google/cadvisor:v0.60.6\n")
	file := filepath.Join(lastLine(l.do(t, "images", l.temp)), "ghcr.io_google_cadvisor_v0.60.6.tar")
	layer, err := exec.Command("tar", "-xOf", file, "layer.tar").Output()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	r := &registry{layer: layer, blobs: map[string][]byte{}, kinds: map[string]string{}, tags: map[string]string{}}
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
		http.NotFound(w, q)
		return
	}
	w.Header().Set("Content-Type", r.kinds[wanted])
	w.Header().Set("Docker-Content-Digest", wanted)
	_, _ = w.Write(blob)
}

// add keeps an object, and returns what refers to it.
func (r *registry) add(kind string, blob []byte) map[string]any {
	digest := digestOf(blob)
	r.blobs[digest], r.kinds[digest] = blob, oci+kind
	return map[string]any{"mediaType": oci + kind, "digest": digest, "size": len(blob)}
}

func digestOf(blob []byte) string {
	sum := sha256.Sum256(blob)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// image adds an image whose page says what it is.
func (r *registry) image(t *testing.T, reference string) {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(r.layer); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	config := r.add("config.v1+json", marshal(t, map[string]any{
		"os": "linux", "architecture": runtime.GOARCH, "config": map[string]any{"Entrypoint": []string{"/bin/standin", reference, ":8000"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(r.layer)}},
	}))
	manifest := r.add("manifest.v1+json", marshal(t, map[string]any{
		"schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "config": config,
		"layers": []any{r.add("layer.v1.tar+gzip", packed.Bytes())},
	}))
	manifest["platform"] = map[string]any{"os": "linux", "architecture": runtime.GOARCH}
	index := r.add("index.v1+json", marshal(t, map[string]any{"schemaVersion": 2, "mediaType": oci + "index.v1+json", "manifests": []any{manifest}}))
	r.tags[reference] = index["digest"].(string)
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
