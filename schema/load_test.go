package schema_test

import (
	"testing"

	"skep.dev/schema"
)

func TestLoadQuick(t *testing.T) {
	for _, s := range []string{"target", "host", "production", "everything", "yaml/cluster.yaml", "target/cluster.cue"} {
		c, err := schema.Load("../examples/" + s)
		if err != nil {
			t.Error(s, err)
			continue
		}
		f, l, col := c.Position("nodes.m1.address")
		t.Log(s, c.Name, len(c.Nodes), f, l, col)
	}
}
