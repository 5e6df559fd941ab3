package generators_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/spec"
	"skep.dev/schema/written"
)

// What a hostile or careless spec might hold. Each would run `pwn`, break out of a quote, add a line, or leave the bundle.
var payloads = []string{
	"$(pwn)", "`pwn`", "'; pwn; '", "\"; pwn; \"", "x\npwn\n", "x\rpwn", "a b", "a;pwn", "a|pwn", "a&pwn", "a>pwn", "${HOME}", "$HOME", "*", "~root",
	"../../pwn", "/../pwn", "-rf", "--pwn", "#pwn", "a: b", "{pwn: 1}", "[pwn]", "&pwn", "!pwn", "%pwn", "@pwn", "} pwn {", "\\", "\x00", "\x1b[31m",
	"раris", "pаth", "ﬁle", "a\u202eb", "{{pwn}}", "",
}

// derived are the parts of a cluster that a spec cannot set; of the exposures it sets those that it adds.
var derived = written.Derived()

// TestEveryStringIsRefused puts each payload into every string of a spec at once: values and names. Each place has to be
// refused, at its own line. A place that accepts a payload has to be shown inert by TestStringsAreInert.
func TestEveryStringIsRefused(t *testing.T) {
	for _, payload := range payloads {
		t.Run(fmt.Sprintf("%q", payload), func(t *testing.T) {
			spec := tree(t, "everything")
			// The one part that excludes another, and so is not in that example.
			acme := tree(t, "production")
			certificate(spec)["acme"] = certificate(acme)["acme"]
			spec["gitops"] = agent()
			var places []string
			poison(spec, "", payload, &places)
			if len(places) < 60 {
				t.Fatalf("only %d strings found in the spec", len(places))
			}
			left := accepted(t, spec, places)
			for before := len(left) + 1; len(left) < before; {
				// Again without those that are refused, since a mistake may hide another.
				before = len(left)
				rest := tree(t, "everything")
				for _, path := range left {
					if !strings.Contains(path, "acme") {
						set(t, rest, path, payload)
					}
				}
				left = accepted(t, rest, left)
			}
			for _, path := range left {
				one := tree(t, "everything")
				one["gitops"] = agent()
				if strings.Contains(path, "acme") {
					one = tree(t, "production")
				}
				set(t, one, path, payload)
				if len(accepted(t, one, []string{path})) > 0 && !(payload == "a b" && strings.HasSuffix(path, ".why")) {
					t.Errorf("%s accepts %q", path, payload)
				}
			}
		})
	}
}

// TestEveryNameIsRefused puts each payload into the names of the maps that a spec fills: nodes, labels and exposures.
func TestEveryNameIsRefused(t *testing.T) {
	for _, path := range []string{"nodes", "nodes.m1.labels", "exposures"} {
		for _, payload := range payloads {
			spec := tree(t, "everything")
			m := spec
			for _, label := range strings.Split(path, ".") {
				m = m[label].(map[string]any)
			}
			m[payload] = "x"
			if path == "nodes" {
				m[payload] = map[string]any{"address": "10.30.9.9"}
			}
			if path == "exposures" {
				m[payload] = map[string]any{"proto": "tcp", "port": 4000, "on": []any{"all"}, "from": []any{"users"}, "why": "x"}
			}
			if c, err := load(t, spec); err == nil {
				t.Errorf("%s accepts the name %q: %v", path, payload, c.Nodes)
			}
		}
	}
}

// agent is what that example does not have: its runbook deploys the stacks.
func agent() map[string]any {
	return map[string]any{"agent": "komodo", "directory": "bundle", "branch": "main", "repository": "example/swarm"}
}

func certificate(spec map[string]any) map[string]any {
	traefik := spec["services"].(map[string]any)["traefik"].(map[string]any)
	return traefik["certificate"].(map[string]any)
}

// tree returns a spec that sets every field of the example, as a tree of JSON values.
func tree(t *testing.T, example string) map[string]any {
	t.Helper()
	c, b := loaded(t, example)
	m := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	for _, field := range derived {
		delete(m, field)
	}
	for _, e := range c.Exposures {
		if !e.Added() {
			delete(m["exposures"].(map[string]any), e.Name)
		}
	}
	return m
}

// examples are loaded once: each test makes trees of them by the hundred.
var examples sync.Map // of *schema.Cluster by name

func loaded(t *testing.T, example string) (*schema.Cluster, []byte) {
	t.Helper()
	c, ok := examples.Load(example)
	if !ok {
		loaded, _, err := spec.Load("../examples/" + example)
		if err != nil {
			t.Fatal(err)
		}
		examples.Store(example, loaded)
		c = loaded
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*schema.Cluster), b
}

// poison replaces every string below v by the payload and notes its path.
func poison(v any, path, payload string, places *[]string) any {
	join := func(label string) string { return strings.TrimPrefix(path+"."+label, ".") }
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = poison(e, join(k), payload, places)
		}
	case []any:
		for i, e := range v {
			v[i] = poison(e, join(fmt.Sprint(i)), payload, places)
		}
	case string:
		*places = append(*places, path)
		return payload
	}
	return v
}

// set puts the payload at one path of the tree.
func set(t *testing.T, v any, path, payload string) {
	t.Helper()
	label, rest, deeper := strings.Cut(path, ".")
	switch v := v.(type) {
	case map[string]any:
		if !deeper {
			v[label] = payload
			return
		}
		// A label of a node may hold dots itself.
		if _, ok := v[label]; !ok {
			v[path] = payload
			return
		}
		set(t, v[label], rest, payload)
	case []any:
		var i int
		fmt.Sscan(label, &i)
		if !deeper {
			v[i] = payload
			return
		}
		set(t, v[i], rest, payload)
	}
}

// accepted returns the places of which no mistake speaks.
func accepted(t *testing.T, spec map[string]any, places []string) []string {
	t.Helper()
	_, err := load(t, spec)
	if err == nil {
		return places
	}
	mistakes, ok := err.(finding.List)
	if !ok {
		return nil // refused as a whole, before any field is looked at
	}
	if bytes.ContainsAny([]byte(err.Error()), "\x00\x1b\r") {
		t.Errorf("a message holds a control character: %q", err)
	}
	return slices.DeleteFunc(slices.Clone(places), func(place string) bool {
		return slices.ContainsFunc(mistakes, func(m finding.Finding) bool { return unquoted(m.Path) == place })
	})
}

func unquoted(path string) string { return strings.ReplaceAll(path, `"`, "") }

func load(t *testing.T, fields map[string]any) (*schema.Cluster, error) {
	t.Helper()
	b, err := json.MarshalIndent(fields, "", " ") // a line each: mistakes of one line are told as one
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cluster.json")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	c, _, err := spec.Load(file)
	return c, err
}

// keep are the fields whose strings are words of the schema, not of the user: another value means another program path.
// The last three are numbers, which the generators themselves read.
var keep = []string{
	"Kind", "Role", "Backend", "Proto", "Mode", "Make", "From", "On", "Field", "Versions", "Server", "Log", "Size", "Engine", "Filesystem", "Zone", "Delivery",
	"CPUs", "Memory", "Reserve",
}

// ownNames are words of rows that no spec can write: names of functions, files, tasks and zones, and what generators ask for.
var ownNames = []string{"Deploy.Name", "Deploy.Why", "Text.Name", "Text.Has", "Scrape.Job", "Scrape.Of", "Scrape.Name", "Scrape.Path", "Duty.Name", "Package.Command", "Alerting.Name", "Overlay.Name",
	"Middleware.Name", "Middleware.Login", "Middleware.Visitors", "Middleware.Why",
	"Stack.Name", "Stack.Project", // a name is a plain word, and the judge of stacks tries every text of a project
}

// TestStringsAreInert goes around the schema: it puts payloads into every string of a Cluster, generates the bundle, and
// proves that shell and YAML still say the same with other values. It is the second wall; the schema is the first.
func TestStringsAreInert(t *testing.T) {
	for _, payload := range []string{"$(pwn)", "`pwn`", "'; pwn; '", "\"; pwn; \"", "x\npwn\n", "a: b", "- c", "{pwn", "#pwn", "&pwn", "*", "!pwn", "<pwn>"} {
		t.Run(payload, func(t *testing.T) {
			c, _, err := spec.Load("../examples/everything")
			if err != nil {
				t.Fatal(err)
			}
			plain, err := generators.Generate(c)
			if err != nil {
				t.Fatal(err)
			}
			taint(reflect.ValueOf(c).Elem(), "", payload)
			taintLock(c, payload)
			files, err := generators.Generate(c)
			if err != nil {
				t.Fatal(err) // nothing is proved then: keep the field that the generator reads
			}
			for _, f := range files {
				switch filepath.Ext(f.Path) {
				case ".sh":
					inertShell(t, f)
				case ".yaml":
					inertYAML(t, f, plain)
				case ".json":
					if !json.Valid(f.Data) {
						t.Errorf("%s is no JSON any more", f.Path)
					}
				case ".svg":
					inertSVG(t, f)
				}
				if strings.Contains(f.Path, "..") || strings.HasPrefix(f.Path, "/") {
					t.Errorf("a file would leave the bundle: %q", f.Path)
				}
			}
		})
	}
}

// inertSVG proves that a picture has no element that skep does not draw.
func inertSVG(t *testing.T, f artifact.File) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(f.Data)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", f.Path, err)
			return
		}
		if e, ok := token.(xml.StartElement); ok && !slices.Contains([]string{"svg", "title", "style", "g", "rect", "path", "text", "tspan"}, e.Name.Local) {
			t.Errorf("%s has an element %s", f.Path, e.Name.Local)
		}
	}
}

// taint appends the payload to every exported string below v, but for the words of the schema.
func taint(v reflect.Value, field, payload string) {
	if slices.Contains(keep, field) && v.Kind() != reflect.Struct && v.Kind() != reflect.Pointer {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			taint(v.Elem(), field, payload)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			if v.Type().Field(i).IsExported() && !slices.Contains(ownNames, name) {
				taint(v.Field(i), v.Type().Field(i).Name, payload)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			taint(v.Index(i), field, payload)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if v.Type().Elem().Kind() == reflect.String {
				v.SetMapIndex(k, reflect.ValueOf(v.MapIndex(k).String()+payload))
			}
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(v.String() + payload)
		}
	}
}

// taintLock does the same to the lock, whose names are those of the images.
func taintLock(c *schema.Cluster, payload string) {
	for image, locked := range maps.Clone(c.Lock) {
		locked.Index += payload
		platforms := maps.Clone(locked.Platforms)
		for name, p := range platforms {
			taint(reflect.ValueOf(&p), "", payload)
			platforms[name] = p
		}
		locked.Platforms = platforms
		c.Lock[image+payload] = locked
	}
}

// inertShell runs the script's header, where every value of the spec is, and its usage, with nothing on PATH but pwn.
func inertShell(t *testing.T, f artifact.File) {
	t.Helper()
	dir := t.TempDir()
	mark := filepath.Join(dir, "ran")
	for name, text := range map[string]string{"pwn": "#!/bin/sh\n: >'" + mark + "'\n", "script": string(f.Data)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal("install bash") // every script wants it
	}
	cmd := exec.Command(bash, filepath.Join(dir, "script"), "--help")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir}
	out, _ := cmd.CombinedOutput() // its exit code says nothing here: most of what it calls is not on PATH
	if _, err := os.Stat(mark); err == nil {
		t.Errorf("%s ran a value of the spec\n%s", f.Path, out)
	}
	if bytes.Contains(out, []byte("syntax error")) {
		t.Errorf("%s is no shell any more: %s", f.Path, out)
	}
}

// inertYAML compares the shape of the file with that of the untainted one: no key may come or go.
func inertYAML(t *testing.T, f artifact.File, plain []artifact.File) {
	t.Helper()
	i := slices.IndexFunc(plain, func(p artifact.File) bool { return p.Path == f.Path })
	if i < 0 {
		return
	}
	var now, before yaml.Node
	if err := yaml.Unmarshal(f.Data, &now); err != nil {
		t.Errorf("%s is no YAML any more: %v", f.Path, err)
		return
	}
	if err := yaml.Unmarshal(plain[i].Data, &before); err != nil {
		t.Fatal(err)
	}
	if shape(&now) != shape(&before) {
		t.Errorf("%s has another shape:\n%s", f.Path, f.Data)
	}
}

// shape writes a YAML tree without its scalars.
func shape(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return "."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d(", n.Kind)
	for _, c := range n.Content {
		b.WriteString(shape(c))
	}
	return b.String() + ")"
}
