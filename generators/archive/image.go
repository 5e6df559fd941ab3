package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Image is an image that an archive of one holds, as docker load reads it.
type Image struct {
	Name   string // as the cluster names it, such as prom/prometheus:v3.16.0
	Config string // digest of its configuration, or "" where nobody knows it
	For    string // architecture of the nodes that run it, such as arm64
}

// loadable is one row of the manifest.json that docker load reads.
type loadable struct {
	Config   string
	RepoTags []string
}

// byDigest are the members that are named after their own sum.
var byDigest = regexp.MustCompile(`^(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?$`)

// CheckImage wants a file to be an archive that docker load takes for the image. Members that bear their digest have to have
// it, and the configuration, which names all layers, has to be that of the image.
func CheckImage(file string, want Image) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var from io.Reader = r
	if magic, _ := r.Peek(2); string(magic) == "\x1f\x8b" {
		if from, err = gzip.NewReader(r); err != nil {
			return wrong("%s: %v", file, err)
		}
	}
	rows, machines, err := membersOf(from)
	if err != nil {
		return wrong("%s: %s", file, err)
	}
	i := slices.IndexFunc(rows, func(l loadable) bool {
		return slices.ContainsFunc(l.RepoTags, func(tag string) bool { return familiar(tag) == want.Name })
	})
	if i < 0 {
		return wrong("%s: holds %s, want %s", file, tagsOf(rows), want.Name)
	}
	digest := "sha256:" + strings.TrimSuffix(path.Base(rows[i].Config), ".json")
	if want.Config != "" && digest != want.Config {
		return wrong("%s: is another image than %s in the lock: it is %s, want %s", file, want.Name, digest, want.Config)
	}
	if is := machines[path.Clean(rows[i].Config)]; is != "" && is != want.For {
		return wrong("%s: is an image for %s, and nodes that need it are %s", file, is, want.For)
	}
	return nil
}

// membersOf reads an archive of images to its end: what docker load makes of it, and for which machines its configurations are,
// by their names.
func membersOf(from io.Reader) (rows []loadable, machines map[string]string, err error) {
	t := tar.NewReader(from)
	machines = map[string]string{}
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF) && rows == nil:
			return nil, nil, errors.New("has no manifest.json: want what docker save writes")
		case errors.Is(err, io.EOF):
			return rows, machines, nil
		case err != nil:
			return nil, nil, errors.New("is cut off, or no archive of an image")
		}
		name := path.Clean(h.Name)
		if name == "manifest.json" {
			if err := json.NewDecoder(io.LimitReader(t, longest)).Decode(&rows); err != nil {
				return nil, nil, errors.New("manifest.json: want what docker save writes")
			}
			continue
		}
		if m := byDigest.FindStringSubmatch(name); m != nil && h.Typeflag == tar.TypeReg {
			machine, err := digested(t, h.Size, m[1])
			if err != nil {
				return nil, nil, errors.New(name + ": " + err.Error())
			}
			machines[name] = machine
		}
	}
}

// longest is how long a text in an archive may be that is kept in memory, in bytes.
const longest = 1 << 20

// digested reads a member that has to have a digest, and says for which machine it is when it is a configuration.
func digested(member io.Reader, size int64, digest string) (machine string, err error) {
	hash := sha256.New()
	var text bytes.Buffer
	to := io.Writer(hash)
	if size < longest {
		to = io.MultiWriter(hash, &text)
	}
	if _, err := io.Copy(to, member); err != nil {
		return "", errors.New("is cut off")
	}
	if hex.EncodeToString(hash.Sum(nil)) != digest {
		return "", errors.New("has another digest than its name")
	}
	var config struct{ Architecture string }
	if json.Unmarshal(text.Bytes(), &config) != nil {
		return "", nil // a layer
	}
	return config.Architecture, nil
}

func tagsOf(rows []loadable) string {
	var tags []string
	for _, r := range rows {
		tags = append(tags, r.RepoTags...)
	}
	if len(tags) == 0 {
		return "images without a name"
	}
	return strings.Join(tags[:min(len(tags), 3)], ", ")
}
