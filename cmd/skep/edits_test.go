package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"skep.dev/schema/explain"
	"skep.dev/schema/finding"
)

// TestEditsAreArgued holds the table of edits of a living cluster against the schema: every field that a spec may set has a
// row, every row has a field, and what is tried is there.
func TestEditsAreArgued(t *testing.T) {
	const table = "../../examples/lab/testdata/edits.txt"
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	var tests string
	for _, name := range []string{"edit", "lab", "mesh"} {
		b, err := os.ReadFile("../../examples/lab/" + name + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		tests += string(b)
	}
	type row struct {
		pattern string
		fits    *regexp.Regexp
		used    bool
	}
	var rows []*row
	line := regexp.MustCompile(`^(\S+) +(tried|argued) +(\S.*)$`)
	for text := range strings.Lines(string(text)) {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		f := line.FindStringSubmatch(text)
		if f == nil {
			t.Fatalf("%s: %q", table, text)
		}
		rows = append(rows, &row{f[1], regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(f[1]), `\*`, ".*") + "$"), false})
		if f[2] != "tried" {
			continue
		}
		for name := range strings.SplitSeq(f[3], "; ") {
			name, _, _ = strings.Cut(name, ", ")
			if !strings.Contains(name, " is ") && !strings.Contains(tests, `"`+name+`"`) && !strings.Contains(tests, "func "+name+"(") {
				t.Errorf("%s: %s is tried nowhere", f[1], name)
			}
		}
	}
	for _, field := range fields("") {
		found := false
		for _, r := range rows {
			if r.fits.MatchString(field) {
				r.used, found = true, true
				break
			}
		}
		if !found {
			t.Errorf("%s has no row for %s", table, field)
		}
	}
	for _, r := range rows {
		if !r.used {
			t.Errorf("%s: no field is left for %s", table, r.pattern)
		}
	}
}

// fields lists what a spec of a cluster may set, but for the tests of its firewall, which change nothing.
func fields(path string) []string {
	ids := map[string]bool{}
	for _, k := range finding.Kinds() {
		ids[string(k.ID)] = true
	}
	var out []string
	for _, f := range explain.Fields(path) {
		switch top, _, _ := strings.Cut(f, "."); {
		case ids[f], top == "tests", top == "secrets", top == "networks", top == "rows":
			continue
		}
		if below := fields(f + "."); len(below) > 0 {
			out = append(out, below...)
		} else {
			out = append(out, f)
		}
	}
	return out
}
