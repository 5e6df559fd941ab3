package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/schema/spec"
)

// TestEveryFormIsChecked writes one typo in every way that a spec may refer to the schema. Load leaves out its own
// unification where the spec has one already, so each form that looks like that, and is not, must still be refused.
func TestEveryFormIsChecked(t *testing.T) {
	const fields = `{name: "a", kind: "host", domain: "a.example.org", nodes: m1: {address: "10.0.0.1", role: "manager", labls: {}}, access: management: ["192.0.2.0/28"]}`
	const importing = "package cluster\n\nimport \"skep.dev/schema\"\n\n"
	for name, src := range map[string]string{
		"refers":      importing + "cluster: schema.#Cluster\ncluster: " + fields,
		"conjoins":    importing + "cluster: (schema.#Cluster & " + fields + ")",
		"renames":     "package cluster\n\nimport s \"skep.dev/schema@v1\"\n\ncluster: s.#Cluster & " + fields,
		"embeds":      importing + "cluster: {schema.#Cluster}\ncluster: " + fields,
		"at the top":  importing + "schema.#Cluster\n" + fields,
		"may be":      importing + "cluster?: schema.#Cluster\ncluster: " + fields,
		"chooses":     importing + "cluster: schema.#Cluster | {...}\ncluster: " + fields,
		"other name":  importing + "other: schema.#Cluster\ncluster: " + fields,
		"a part":      importing + "x: schema.#Cluster.name\ncluster: " + fields,
		"own schema":  "package cluster\n\nschema: #Cluster: {...}\ncluster: schema.#Cluster & " + fields,
		"not at all":  "package cluster\n\ncluster: " + fields,
		"bare":        strings.TrimSuffix(strings.TrimPrefix(fields, "{"), "}"),
		"conditional": importing + "if false {cluster: schema.#Cluster}\ncluster: " + fields,
	} {
		path := filepath.Join(t.TempDir(), "cluster.cue")
		if err := os.WriteFile(path, []byte(src+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := spec.Load(path)
		if err == nil || !strings.Contains(err.Error(), `nodes.m1.labls: unknown field "labls"; did you mean "labels"?`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
