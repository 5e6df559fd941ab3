package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// composite is action.yml, as far as a runner reads it.
type composite struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Steps []struct {
			Name, If, Shell, Run string
			Env                  map[string]string
			Dir                  string `yaml:"working-directory"`
		} `yaml:"steps"`
	} `yaml:"runs"`
}

// action is a runner without a forge: `action spec=paris base=main` runs the steps of action.yml in the current directory.
func action(ts *testscript.TestScript, neg bool, args []string) {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("TOP"), "action.yml"))
	ts.Check(err)
	var a composite
	ts.Check(yaml.Unmarshal(text, &a))
	known := map[string]string{
		"github.token": "a-token", "github.action_repository": "acme/skep", "github.event.pull_request.number": ts.Getenv("NUMBER"),
	}
	for name, in := range a.Inputs {
		known["inputs."+name] = in.Default
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if _, ok := known["inputs."+name]; !ok {
			ts.Fatalf("%s: no such input", name)
		}
		known["inputs."+name] = value
	}
	failed := false
	for _, step := range a.Runs.Steps {
		maps.Copy(known, outputs(ts))
		if failed && !strings.Contains(step.If, "!cancelled()") || !holds(ts, known, step.If) {
			continue
		}
		cmd := exec.Command(step.Shell, "-eo", "pipefail", "-c", step.Run)
		cmd.Dir = ts.MkAbs(resolve(ts, known, step.Dir))
		for _, name := range []string{"PATH", "HOME", "WORK", "RUNNER_TEMP", "RUNNER_OS", "RUNNER_ARCH", "GITHUB_ACTION_PATH", "GITHUB_OUTPUT",
			"GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"} {
			cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
		}
		for name, value := range step.Env {
			cmd.Env = append(cmd.Env, name+"="+resolve(ts, known, value))
		}
		cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
		if err := cmd.Run(); err != nil {
			failed = true
		}
	}
	if failed != neg {
		ts.Fatalf("failed: %t", failed)
	}
}

// component is a runner of GitLab: `component JOB spec=paris` runs a job of the component in the current directory.
func component(ts *testscript.TestScript, neg bool, args []string) {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("TOP"), "examples/gitops/templates/skep.yml"))
	ts.Check(err)
	var head struct {
		Spec struct {
			Inputs map[string]struct{ Default string }
		}
	}
	var jobs map[string]struct {
		Variables map[string]string
		Script    []string
	}
	documents := yaml.NewDecoder(bytes.NewReader(text))
	ts.Check(documents.Decode(&head))
	ts.Check(documents.Decode(&jobs))
	inputs := map[string]string{}
	for name, in := range head.Spec.Inputs {
		inputs[name] = in.Default
	}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		if _, ok := inputs[name]; !ok {
			ts.Fatalf("%s: no such input", name)
		}
		inputs[name] = value
	}
	job, ok := jobs[args[0]]
	if !ok {
		ts.Fatalf("%s: no such job", args[0])
	}
	cmd := exec.Command("sh", "-ec", strings.Join(job.Script, "\n"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), ts.Stdout(), ts.Stderr()
	for _, name := range []string{"PATH", "HOME", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	for name, value := range job.Variables {
		if of, found := strings.CutPrefix(value, "$[[ inputs."); found {
			value = inputs[strings.TrimSuffix(of, " ]]")]
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Run(); (err != nil) != neg {
		ts.Fatalf("%v", err)
	}
}

// outputs are what the step skep has written.
func outputs(ts *testscript.TestScript) map[string]string {
	text, err := os.ReadFile(ts.Getenv("GITHUB_OUTPUT"))
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	out := map[string]string{}
	for _, name := range []string{"findings", "changed", "sarif", "plan-markdown", "exit-code"} {
		out["steps.skep.outputs."+name] = ""
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		out["steps.skep.outputs."+name] = value
	}
	return out
}

var expression = regexp.MustCompile(`\$\{\{ (.+?) \}\}`)

// resolve replaces what the runner knows.
func resolve(ts *testscript.TestScript, known map[string]string, text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		name := expression.FindStringSubmatch(found)[1]
		value, ok := known[name]
		if !ok {
			ts.Fatalf("%s: what is that?", name)
		}
		return resolve(ts, known, value)
	})
}

// holds evaluates the condition of a step: terms that are joined by &&.
func holds(ts *testscript.TestScript, known map[string]string, condition string) bool {
	if condition == "" {
		return true
	}
	for term := range strings.SplitSeq(expression.FindStringSubmatch(condition)[1], " && ") {
		name, value, equal := strings.Cut(term, " == ")
		if !equal {
			name, value, _ = strings.Cut(term, " != ")
		}
		if name != "!cancelled()" && equal != (resolve(ts, known, "${{ "+name+" }}") == strings.Trim(value, "'")) {
			return false
		}
	}
	return true
}

// What a pull request may hold is never text of a script, and no workflow hands out more than it must.
func TestWorkflowsAreCareful(t *testing.T) {
	for _, file := range append(workflows(t), "../../action.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(file, err)
		}
		top := doc.Content[0]
		if rights := child(top, "permissions"); file != "../../action.yml" && (rights == nil || len(rights.Content) != 2 || rights.Content[1].Value != "read") {
			t.Errorf("%s: want permissions: contents: read at the top, and more only in a job", file)
		}
		careful(t, file, top)
	}
}

// workflows are the repository's own, and those that it shows to others.
func workflows(t *testing.T) []string {
	t.Helper()
	own, err := filepath.Glob("../../.github/workflows/*.yaml")
	if err != nil || len(own) < 2 {
		t.Fatal(own, err)
	}
	shown, err := filepath.Glob("../../examples/gitops/.github/workflows/*.yaml")
	if err != nil || len(shown) < 3 {
		t.Fatal(shown, err)
	}
	return append(own, shown...)
}

// careful looks at all scripts below a node.
func careful(t *testing.T, file string, n *yaml.Node) {
	t.Helper()
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			switch value := n.Content[i+1]; {
			case c.Value == "run" && strings.Contains(value.Value, "${{"):
				t.Errorf("%s:%d: an expression in a script is text of the script: give it by env", file, value.Line)
			case c.Value == "pull_request_target" || c.Value == "on" && strings.Contains(value.Value, "pull_request_target"):
				t.Errorf("%s:%d: pull_request_target has rights that a fork must not have", file, c.Line)
			}
		}
		careful(t, file, c)
	}
}

// child is the value of a key.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
