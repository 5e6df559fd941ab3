package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWhereIsWhat holds the page for readers of the code: every path on it exists, and each of its five questions is
// answered by the one file that it names.
func TestWhereIsWhat(t *testing.T) {
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile("`((?:\\.ci|\\.github/workflows|cmd|examples|generators|schema)(?:/[^` ]*)?)`").FindAllSubmatch(page, -1)
	if len(paths) < 15 {
		t.Fatalf("only %d paths", len(paths))
	}
	for _, m := range paths {
		if _, err := os.Stat(filepath.Join("../..", string(m[1]))); err != nil {
			t.Error(err)
		}
	}
	for file, answers := range map[string][]string{
		"schema/engine.cue":                 {"swarm:   2377", `"swarm": {proto: "tcp"`},
		"schema/mistakes/unknown_fields.go": {`"unknown field "`},
		"schema/services.cue":               {"traefik?:", "vpn?:"},
		"generators/firewall/backend.go":    {"type Backend struct", "func Backends()"},
		"generators/runbook/steps.go":       {"func Steps("},
	} {
		if !strings.Contains(string(page), " | `"+file+"` |") {
			t.Errorf("no question leads to %s", file)
		}
		text, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil {
			t.Error(err)
		}
		for _, answer := range answers {
			if !strings.Contains(string(text), answer) {
				t.Errorf("%s does not hold %q", file, answer)
			}
		}
	}
}
