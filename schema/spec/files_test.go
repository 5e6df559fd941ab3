package spec_test

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/finding"
	"skep.dev/schema/spec"
)

// wrong is a module whose spec imports a package of its own, one that was copied into it, and the schema.
func wrong() fstest.MapFS {
	return fstest.MapFS{
		"cue.mod/module.cue":                        {Data: []byte("module: \"example.org/clusters@v0\"\nlanguage: version: \"v0.17.0\"\n")},
		"cue.mod/pkg/example.net/labels/labels.cue": {Data: []byte("package labels\n\nrack: \"a1\"\n")},
		"sites/sites.cue":                           {Data: []byte("package sites\n\noffice: [\"192.0.2.0/28\"]\n")},
		"paris/cluster.cue": {Data: []byte(`package paris

import (
	copied "example.net/labels"
	"example.org/clusters/sites"
	"skep.dev/schema@v1"
)

cluster: schema.#Cluster & {
	name:   "paris"
	kind:   "host"
	domain: "paris.example.org"
	nodes: {for i in [1, 2, 3] {"m\(i)": {address: "10.0.0.\(i)", role: "manager", labels: rack: copied.rack}}}
	access: management: sites.office
	services: nfs: server: "m9"
}
`)},
	}
}

// TestLoadFS reads a spec where there is no disk, from a working directory that has nothing to do with it.
func TestLoadFS(t *testing.T) {
	t.Chdir(t.TempDir())
	before := runtime.NumGoroutine()
	for _, name := range []string{"paris", "paris/cluster.cue"} {
		_, _, err := spec.LoadFS(wrong(), name, spec.DefaultLimits())
		if err == nil || err.Error() != `paris/cluster.cue:15:25: services.nfs.server: m9 is not a node; did you mean "m1"?` {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := wrong()
	good["paris/cluster.cue"].Data = []byte(strings.Replace(string(good["paris/cluster.cue"].Data), "m9", "m2", 1))
	c, s, err := spec.LoadFS(good, "paris", spec.DefaultLimits())
	if err != nil || c.Services.NFS.Server != "m2" || c.Nodes[0].Labels["rack"] != "a1" {
		t.Fatal(c, err)
	}
	if file, line, _ := s.Place("services.nfs.server"); file != "paris/cluster.cue" || line != 15 {
		t.Errorf("%s:%d", file, line)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines are left", after-before)
	}
}

// renamed is a file system whose files have other names for the reader.
type renamed struct{ fs.FS }

func (renamed) Known(name string) string { return "HEAD:" + name }

func TestKnownNames(t *testing.T) {
	_, _, err := spec.LoadFS(renamed{wrong()}, "paris", spec.DefaultLimits())
	var found finding.List
	if !errors.As(err, &found) || found[0].File != "HEAD:paris/cluster.cue" {
		t.Error(err)
	}
	_, _, err = spec.LoadFS(renamed{wrong()}, "rome", spec.DefaultLimits())
	if err == nil || err.Error() != "HEAD:rome: no such file or directory" {
		t.Error(err)
	}
}
