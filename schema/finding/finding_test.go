package finding

import (
	"testing"
)

func TestFindingLine(t *testing.T) {
	for want, m := range map[string]Finding{
		`cluster.cue:12:9: nodes.m3.address: "10.0.0.256": want an IP address such as 10.0.0.1`: {File: "cluster.cue", Line: 12, Column: 9, Path: "nodes.m3.address", Got: `"10.0.0.256"`, Text: "want an IP address such as 10.0.0.1"},
		"a.yaml: no valid YAML": {File: "a.yaml", Text: "no valid YAML"},
		"nodes: want one":       {Path: "nodes", Text: "want one"},
	} {
		if got := m.Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
