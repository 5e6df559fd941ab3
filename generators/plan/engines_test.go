package plan_test

import (
	"bytes"
	"slices"
	"testing"

	"skep.dev/generators/engine"
	"skep.dev/generators/plan"
)

// A key of daemon.json restarts an engine, is reloaded, or waits, as the runbook's step engine has it.
func TestEngines(t *testing.T) {
	const dir = "../../examples/target/bundle"
	edited := func(name, from, to string) *plan.Bundle {
		files := filesIn(t, dir)
		for i, f := range files {
			if f.Path == name {
				files[i].Data = bytes.Replace(f.Data, []byte(from), []byte(to), 1)
				if bytes.Equal(f.Data, files[i].Data) {
					t.Fatalf("%s has no %s", f.Path, from)
				}
			}
		}
		b, err := plan.Read(dir, files)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	plain := bundleIn(t, dir)
	const mirrors = `{"registry-mirrors": ["https://mirror.example.org"],`
	for name, test := range map[string]struct {
		before, after *plan.Bundle
		want          []string
	}{
		"restart":         {plain, edited(engine.Worker, `"10m"`, `"20m"`), []string{"restarts Docker on all workers, and the tasks there: log-opts"}},
		"reload":          {plain, edited(engine.Worker, "{", mirrors), []string{"reloads  the settings of Docker on all workers, no task notices: registry-mirrors"}},
		"reload and more": {edited(engine.Worker, `"10m"`, `"20m"`), edited(engine.Worker, "{", mirrors), []string{"restarts Docker on all workers, and the tasks there: log-opts, registry-mirrors"}},
		"gone":            {edited(engine.Worker, "{", mirrors), plain, []string{"restarts Docker on all workers, and the tasks there: registry-mirrors"}},
		"metrics go":      {plain, edited(engine.Manager, `"metrics-addr"`, `"labels"`), []string{"reloads  the settings of Docker on manager m1, no task notices: labels, metrics-addr"}},
		"metrics wait":    {plain, edited(engine.Manager, `"metrics-addr": "0.0.0.0:9323",`, ""), []string{"next     restart of Docker on manager m1 brings: metrics-addr"}},
		"drop-in": {plain, edited(engine.DropIn, "[Service]", "[Service] "), []string{
			"restarts Docker on manager m1, and the tasks there: drop-in", "restarts Docker on all workers, and the tasks there: drop-in",
		}},
		"nothing": {plain, plain, nil},
	} {
		p, err := plan.Compare(test.before, test.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Lines(); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
