package stack

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/types"

	"skep.dev/examples/conformance/judge"
)

// TestStaying: what the runbook adds for a network that got another name is merged as it means it: Traefik keeps its
// networks and has one more, and nothing else of the stack changes.
func TestStaying(t *testing.T) {
	bundle, err := filepath.Abs(judge.Bundles(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	directory := filepath.Join(bundle, "stacks", "traefik")
	script := `cluster=x networks=() stacks=() argument=traefik kept=$1/kept
source "$2/runbook/steps/stack.sh"
stays() { printf '%s\n' 'traefik_traefik kiez.edge' 'traefik_traefik older-edge'; }
mkdir -p "$kept/bundle" && ln -s "$2/stacks" "$kept/bundle/stacks"
staying`
	out, err := exec.Command("bash", "-euc", script, "staying", t.TempDir(), bundle).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	more, err := loader.ParseYAML(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config, raw := load(t, filepath.Join(directory, "compose.yaml"))
	both, err := loader.Load(types.ConfigDetails{
		WorkingDir:  directory,
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Config: raw}, {Filename: "staying.yaml", Config: more}},
	})
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, service := range both.Services {
		before := config.Services[slices.IndexFunc(config.Services, func(s types.ServiceConfig) bool { return s.Name == service.Name })]
		want := slices.Collect(maps.Keys(before.Networks))
		if service.Name == "traefik" {
			want = append(want, "kiez.edge", "older-edge")
		}
		got := slices.Sorted(maps.Keys(service.Networks))
		slices.Sort(want)
		if service.Image != before.Image || len(service.Ports) != len(before.Ports) || !slices.Equal(got, want) {
			t.Errorf("%s: networks %s, want %s", service.Name, strings.Join(got, " "), strings.Join(want, " "))
		}
	}
	if len(both.Services) != len(config.Services) {
		t.Errorf("%d services, want %d", len(both.Services), len(config.Services))
	}
	if n := both.Networks["kiez.edge"]; !n.External.External || n.Name != "kiez.edge" {
		t.Errorf("the network is %+v, want an external one of that name", n)
	}
}
