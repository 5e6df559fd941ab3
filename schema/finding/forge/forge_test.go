package forge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"skep.dev/schema/finding"
)

// always gives the same text for every file.
func always(s string) func(string) (File, error) {
	return func(name string) (File, error) { return File{Path: name, Text: []byte(s)}, nil }
}

func results(t *testing.T, source string, found ...finding.Finding) []Result {
	t.Helper()
	r, err := Results(found, always(source))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestColumns counts in UTF-16 units, from one to behind the value.
func TestColumns(t *testing.T) {
	for _, c := range []struct {
		line        string
		column      int // in bytes
		got         string
		first, last int
	}{
		{`m1: {role: "manger"}`, 12, `"manger"`, 12, 20},
		{`m1: {role: "manger"}`, 12, ``, 12, 20},
		{`port: 80, on: 1`, 7, ``, 7, 9},
		{`"käse 🐝": bad`, 15, `bad`, 12, 15},
		{`a: "x\"y" b`, 4, ``, 4, 10},
		{`a: "open`, 4, ``, 4, 9},
		{`short`, 40, `long`, 6, 6},
		{``, 1, ``, 1, 1},
	} {
		r := results(t, "first\n"+c.line+"\r\nlast", finding.Finding{Line: 2, Column: c.column, Got: c.got})[0]
		if r.Column != c.first || r.EndColumn != c.last {
			t.Errorf("%s: %d to %d, want %d to %d", c.line, r.Column, r.EndColumn, c.first, c.last)
		}
	}
}

// TestFingerprints stay where lines move, and no two are equal.
func TestFingerprints(t *testing.T) {
	a := finding.Finding{ID: "wrong-value", File: "a.cue", Line: 3, Column: 1, Path: "name", Text: "want a name"}
	moved, twin, other := a, a, a
	moved.Line, moved.Text = 9, "other words"
	twin.Line = 4
	other.Path = "kind"
	one, two := results(t, "", a, twin, other), results(t, "", moved)
	if one[0].Fingerprint != two[0].Fingerprint {
		t.Error("another one for a finding that moved")
	}
	seen := map[string]bool{}
	for _, r := range one {
		seen[r.Fingerprint] = true
	}
	if len(seen) != len(one) {
		t.Errorf("%d for %d results", len(seen), len(one))
	}
}

// hostile are texts that mean something to a forge.
var hostile = []string{
	"a\n::error::b", "a\r\n::set-output name=x::y", "100%0A::error::", "x,line=9,file=/etc/passwd", "a::b", "##[add-mask]a",
	"[press](https://example.org/x)", `\[press](https://example.org/x)`, "{0} {", "\x1b]0;owned\a", "\u202e", strings.Repeat("é", 1000),
}

// TestHostile reads back what is written of hostile texts.
func TestHostile(t *testing.T) {
	var found finding.List
	for _, text := range hostile {
		found = append(found, finding.Finding{ID: "wrong-value", Level: finding.Warning, File: "a:b,c.cue", Line: 1, Column: 1, Path: "a", Got: text, Text: "want another"})
	}
	r := results(t, "a: 1\n", found[:annotations]...)
	var b bytes.Buffer
	if err := github.Write(&b, "", r); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	unescape := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n")
	const head = "::warning file=a%3Ab%2Cc.cue,line=1,endLine=1,col=1,endColumn=2,title=wrong-value::"
	for i, line := range lines {
		message, ok := strings.CutPrefix(line, head)
		if !ok || unescape.Replace(message) != r[i].Says() || strings.ContainsAny(line, "\r") {
			t.Errorf("%q", line)
		}
	}
	if len(lines) != annotations {
		t.Errorf("%d lines for %d findings", len(lines), annotations)
	}
	for _, m := range messages(t, results(t, "a: 1\n", found...)) {
		plain := strings.NewReplacer("{{", "", "}}", "", `\\`, "", `\[`, "", `\]`, "").Replace(m)
		if strings.Contains(plain, "](") || strings.ContainsAny(plain, "{}") || len(m) > 2*longest {
			t.Errorf("SARIF takes %q for more than a text", m)
		}
	}
}

// messages are what a SARIF file says.
func messages(t *testing.T, r []Result) []string {
	t.Helper()
	var b bytes.Buffer
	if err := sarif.Write(&b, "x/", r); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if n := len(log.Runs[0].Tool.Driver.Rules); n != len(finding.Kinds()) {
		t.Errorf("%d rules of %d", n, len(finding.Kinds()))
	}
	if log.Runs[0].Results == nil {
		t.Error("no list of results: alerts that are gone would stay")
	}
	var out []string
	for _, r := range log.Runs[0].Results {
		out = append(out, r.Message.Text)
	}
	return out
}

// TestMany writes 30,000 findings within the limits of each forge. Three times as many take no more than three times as
// long, and a little: nothing is quadratic.
func TestMany(t *testing.T) {
	many := func(n int) (took time.Duration, written map[string]string) {
		written = map[string]string{}
		source := strings.Repeat("port: 80\n", n)
		var found finding.List
		for i := range n {
			found = append(found, finding.Finding{ID: "image-digest", Level: finding.Warning, File: "a.cue", Line: i + 1, Column: 7, Path: fmt.Sprint("exposures.e", i%100, ".port"), Got: "80", Text: "want another"})
		}
		for i := n - 10; i < n; i++ {
			found[i].ID, found[i].Level = finding.WrongValue, finding.Mistake
		}
		start := time.Now()
		r := results(t, source, found...)
		for _, f := range Formats() {
			var b strings.Builder
			if err := f.Write(&b, "", r); err != nil {
				t.Fatal(err)
			}
			written[f.Name] = b.String()
		}
		return time.Since(start), written
	}
	few, _ := many(10000)
	took, written := many(30000)
	if took > 10*few+time.Second {
		t.Errorf("10,000 take %s, and 30,000 %s", few, took)
	}
	if n := strings.Count(written["sarif"], `"ruleId"`); n != sarifMost {
		t.Errorf("sarif: %d results", n)
	}
	if n := strings.Count(written["sarif"], `"ruleId": "wrong-value"`); n != 10 {
		t.Errorf("sarif: %d of 10 mistakes: warnings stand in their place", n)
	}
	lines := strings.Split(strings.TrimSuffix(written["github"], "\n"), "\n")
	if len(lines) != 2*annotations || lines[len(lines)-1] != "::warning title=skep::and 29981 more: see the log" {
		t.Errorf("github: %d lines, %s", len(lines), lines[len(lines)-1])
	}
	var issues []issue
	if err := json.Unmarshal([]byte(written["gitlab"]), &issues); err != nil {
		t.Fatal(err)
	}
	fingerprints := map[string]bool{}
	for _, i := range issues {
		fingerprints[i.Fingerprint] = true
	}
	if len(fingerprints) != 30000 {
		t.Errorf("gitlab: %d fingerprints for 30,000 findings", len(fingerprints))
	}
}

// TestSeverities are of findings that there are.
func TestSeverities(t *testing.T) {
	for id := range severities {
		if !slices.ContainsFunc(finding.Kinds(), func(k finding.Kind) bool { return k.ID == id }) {
			t.Errorf("%s is not the ID of a finding", id)
		}
	}
}
