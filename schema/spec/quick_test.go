package spec

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// sameEitherWay loads a spec the quick way. What that accepts, the whole way must accept as well, and read alike; all that it
// refuses is the whole way's to read and to judge, so that there is nothing to compare.
func sameEitherWay(t *testing.T, on fs.FS, name string) (quick bool) {
	t.Helper()
	f := files{on, DefaultLimits().Bytes, fittingLock}
	c, s := f.quick(name)
	if c == nil {
		return false
	}
	want, wantSpec, err := f.whole(name)
	if err != nil {
		t.Errorf("%s: taken for right: %v", name, err)
		return true
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%s: read as\n%+v\nwant\n%+v", name, c, want)
	}
	for _, n := range want.Nodes {
		at := "nodes." + n.Name + ".address"
		file, line, column := s.Place(at)
		if f, l, c := wantSpec.Place(at); f != file || l != line || c != column {
			t.Errorf("%s: %s stands at %s:%d:%d, want %s:%d:%d", name, at, file, line, column, f, l, c)
		}
	}
	return true
}

func TestQuickExamples(t *testing.T) {
	found, err := filepath.Glob("../../examples/*/cluster.[cy]*")
	if err != nil || len(found) < 4 {
		t.Fatal(found, err)
	}
	for _, file := range found {
		for _, at := range []string{file, filepath.Dir(file)} {
			if at != file && filepath.Ext(file) != ".cue" {
				continue
			}
			on, name, err := onDisk(at)
			if err != nil {
				t.Fatal(err)
			}
			if !sameEitherWay(t, on, name) {
				t.Errorf("%s: goes the long way", at)
			}
		}
	}
}

// TestQuickScripts takes each file and each directory of the command's scripts for a spec.
func TestQuickScripts(t *testing.T) {
	scripts, err := filepath.Glob("../../cmd/skep/testdata/script/*.txtar")
	if err != nil || len(scripts) < 30 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(script)
			if err != nil {
				t.Fatal(err)
			}
			on, specs := fstest.MapFS{}, map[string]bool{}
			for _, f := range a.Files {
				on[path.Clean(f.Name)] = &fstest.MapFile{Data: f.Data}
				if strings.Contains(".cue .yaml .yml .json", path.Ext(f.Name)) {
					specs[path.Clean(f.Name)], specs[path.Dir(f.Name)] = true, true
				}
			}
			for name := range specs {
				sameEitherWay(t, on, name)
			}
		})
	}
}

// TestQuickGenerated makes a thousand specs, right and wrong ones, in all forms; with -short two hundred.
func TestQuickGenerated(t *testing.T) {
	specs, parts := 1000, 8
	if testing.Short() {
		specs = 200
	}
	quick := make([]bool, specs)
	t.Run("specs", func(t *testing.T) {
		for part := range parts {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := part; i < specs; i += parts {
					on, name := generated(rand.New(rand.NewPCG(uint64(i), 0)))
					quick[i] = sameEitherWay(t, on, name)
					for name, f := range on {
						if t.Failed() {
							t.Fatalf("spec %d, %s:\n%s", i, name, f.Data)
						}
					}
				}
			})
		}
	})
	n := 0
	for _, one := range quick {
		if one {
			n++
		}
	}
	if n < specs/4 || n > specs*3/4 {
		t.Errorf("%d of %d go the quick way; want specs of both kinds", n, specs)
	}
}

type object = map[string]any

// generated writes one spec of some form.
func generated(r *rand.Rand) (on fstest.MapFS, name string) {
	spec := clusterOf(r)
	if r.IntN(3) == 0 {
		spoil(r, spec)
	}
	b, err := json.MarshalIndent(spec, "", "\t")
	if err != nil {
		panic(err)
	}
	switch r.IntN(5) {
	case 0:
		return fstest.MapFS{"cluster.json": {Data: b}}, "cluster.json"
	case 1:
		return fstest.MapFS{"cluster.yaml": {Data: b}}, "cluster.yaml"
	case 2:
		return fstest.MapFS{"cluster.cue": {Data: b}}, "cluster.cue"
	}
	text := "package cluster\n\nimport \"skep.dev/schema\"\n\ncluster: schema.#Cluster\ncluster: " + string(b) + "\n"
	second := "package cluster\n\ncluster: " + pick(r,
		`nodes: [string]: ssh: user: "admin"`,
		`nodes: [Name=string]: labels: name: Name`,
		`nodes: {for i in [1, 2, 3] {"extra\(i)": address: "10.9.0.\(i)"}}`,
		`nodes: w1: labels: disk: "ssd"`,
		`nodes: w2: role: "manager"`,
		`nodes: w3: ssh: port: 2222`,
		`nodes: [=~"^w"]: labels: kind: "w"`,
		`exposures: {for k, n in cluster.nodes if n.role == "worker" {"x-\(k)": {proto: "tcp", port: 9999, on: [k], from: ["cluster"], why: "x"}}}`,
		`engine: logs: size: "20m"`,
		`network: mtu: 1400 + 20`,
	) + "\n"
	files := fstest.MapFS{"cluster.cue": {Data: []byte(text)}}
	if r.IntN(2) == 0 {
		files["more.cue"] = &fstest.MapFile{Data: []byte(second)}
	}
	return files, "."
}

func pick[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

func clusterOf(r *rand.Rand) object {
	nodes := object{}
	for i := range 1 + r.IntN(3) {
		nodes[fmt.Sprintf("m%d", i)] = object{"address": fmt.Sprintf("10.0.0.%d", i+1), "role": "manager"}
	}
	for i := range r.IntN(12) {
		nodes[fmt.Sprintf(pick(r, "w%d", "w%d", "w%d", "worker-%d", "w%da"), i)] = workerOf(r, i)
	}
	spec := object{
		"name": "paris", "kind": pick(r, "target", "host"), "domain": "paris.example.org", "nodes": nodes,
		"access":   object{"management": []string{"192.0.2.0/28"}, "nuvla": []string{"203.0.113.10/32"}, "users": []string{"0.0.0.0/0"}},
		"services": servicesOf(r),
	}
	if r.IntN(4) == 0 {
		spec["tests"] = []object{{"from": "users", "to": pick(r, "m0", "w1", "w2"), "port": 2376, "want": "deny"}}
	}
	if r.IntN(4) == 0 {
		spec["exposures"] = object{"own": object{"proto": "tcp", "port": 9100, "on": []string{pick(r, "all", "m0", "w1", "workers")}, "from": []string{"management"}, "why": "own"}}
	}
	if r.IntN(4) == 0 {
		spec["engine"] = object{"logs": object{"size": "20m"}, "autolock": true}
	}
	return spec
}

func workerOf(r *rand.Rand, i int) object {
	w := object{"address": fmt.Sprintf("10.0.1.%d", i+1)}
	if r.IntN(60) == 0 {
		w["address"] = fmt.Sprintf(pick(r, "2001:db8::%d", "::ffff:10.0.1.%d", "::%d", "fe80::%d%%eth0", "10.0.1.0%d"), i+1)
	}
	for range r.IntN(3) {
		switch r.IntN(8) {
		case 0:
			w["public"] = fmt.Sprintf("198.51.100.%d", i+1)
		case 1:
			w["role"] = pick(r, "worker", "worker", "manager")
		case 2, 3:
			w["labels"] = object{"disk": pick(r, "ssd", "hdd")}
		case 4:
			w["ssh"] = object{"user": "admin"}
		case 5:
			w["ssh"] = object{"port": pick(r, 22, 2222)}
		case 6:
			w["mesh"] = object{"number": 100 + i}
		}
	}
	return w
}

func servicesOf(r *rand.Rand) object {
	services := object{}
	if r.IntN(4) > 0 {
		services["traefik"] = object{"certificate": object{pick(r, "selfSigned", "files"): object{}}}
		if r.IntN(2) == 0 {
			services["monitoring"] = object{"prometheus": object{}}
		}
		if r.IntN(2) == 0 {
			services["s3"] = object{}
		}
	}
	if r.IntN(2) == 0 {
		services["nfs"] = object{"server": pick(r, "m0", "m0", "w1")}
	}
	if r.IntN(4) == 0 {
		services["vpn"] = object{"mesh": object{}}
	}
	return services
}

// spoil makes one mistake, or what looks like one.
func spoil(r *rand.Rand, spec object) {
	nodes := spec["nodes"].(object)
	switch r.IntN(12) {
	case 0:
		delete(spec, pick(r, "name", "domain", "access", "nodes"))
	case 1:
		spec["nme"] = "x"
	case 2:
		nodes["w7"] = object{"address": "10.0.0.1"} // as the first manager
	case 3:
		nodes["W8"] = object{"address": "10.0.0.88"}
	case 4:
		nodes["w8"] = object{"address": "10.0.0.888"}
	case 5:
		nodes["w8"] = object{"address": "10.0.0.88", "rle": "worker"}
	case 6:
		nodes["all"] = object{"address": "10.0.0.88"}
	case 7:
		nodes["w8"] = object{"address": 8}
	case 8:
		nodes["w8"] = object{"address": "10.0.0.88", "labels": object{"skep.x": "y"}}
	case 9:
		spec["services"].(object)["nfs"] = object{"server": "w99"}
	case 10:
		spec["kind"] = "taget"
	case 11:
		spec["networks"] = object{}
	}
}
