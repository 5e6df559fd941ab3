package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// editor is a client of skep lsp, at the other ends of its pipes.
type editor struct {
	t        *testing.T
	dir      string
	cmd      *exec.Cmd
	in       io.WriteCloser
	messages chan map[string]any
	requests int
	stderr   strings.Builder
}

func newEditor(t *testing.T, files map[string]string) *editor {
	t.Helper()
	e := &editor{t: t, dir: t.TempDir(), messages: make(chan map[string]any, 100)}
	for name, text := range files {
		path := filepath.Join(e.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e.cmd = exec.Command("skep", "lsp", "--stdio")
	e.cmd.Stderr = &e.stderr
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.in.Close(); _ = e.cmd.Wait() })
	go func() {
		defer close(e.messages)
		r := bufio.NewReader(out)
		for {
			head, err := r.ReadString('\n')
			if err != nil {
				return
			}
			size, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(head, "Content-Length:")))
			if err != nil || !strings.HasSuffix(head, "\r\n") {
				e.messages <- map[string]any{"broken": head}
				return
			}
			body := make([]byte, size+2) // an empty line precedes it
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			var m map[string]any
			if err := json.Unmarshal(body[2:], &m); err != nil {
				m = map[string]any{"broken": string(body)}
			}
			e.messages <- m
		}
	}()
	return e
}

func (e *editor) send(m map[string]any) {
	e.t.Helper()
	m["jsonrpc"] = "2.0"
	body, err := json.Marshal(m)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n%s", len(body), body); err != nil {
		e.t.Fatal(err)
	}
}

// next waits for a message that fits.
func (e *editor) next(what string, fits func(map[string]any) bool) map[string]any {
	e.t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case m, ok := <-e.messages:
			if !ok {
				e.t.Fatalf("%s: the server has ended: %s", what, e.stderr.String())
			}
			if fits(m) {
				return m
			}
		case <-limit:
			e.t.Fatalf("%s: none came", what)
		}
	}
}

// ask sends a request and gives the whole answer.
func (e *editor) ask(method string, params any) map[string]any {
	e.t.Helper()
	e.requests++
	id := float64(e.requests)
	e.send(map[string]any{"id": id, "method": method, "params": params})
	return e.next(method, func(m map[string]any) bool { return m["id"] == id })
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	e.send(map[string]any{"method": method, "params": params})
}

type obj = map[string]any

func (e *editor) uri(name string) string {
	return "file://" + filepath.ToSlash(filepath.Join(e.dir, name))
}

func (e *editor) open(name, text string) {
	e.t.Helper()
	e.notify("textDocument/didOpen", obj{"textDocument": obj{"uri": e.uri(name), "languageId": "cue", "version": 1, "text": text}})
}

func (e *editor) change(name string, version int, text string) {
	e.t.Helper()
	e.notify("textDocument/didChange", obj{"textDocument": obj{"uri": e.uri(name), "version": version}, "contentChanges": []obj{{"text": text}}})
}

// shown waits for diagnostics of a file, each as "line:first-last severity code message".
func (e *editor) shown(name string, version int) []string {
	e.t.Helper()
	m := e.next("diagnostics of "+name, func(m map[string]any) bool {
		p, _ := m["params"].(obj)
		v, _ := p["version"].(float64)
		return m["method"] == "textDocument/publishDiagnostics" && p["uri"] == e.uri(name) && (version == 0 || int(v) == version)
	})
	lines := []string{}
	for _, d := range m["params"].(obj)["diagnostics"].([]any) {
		d := d.(obj)
		from, to := d["range"].(obj)["start"].(obj), d["range"].(obj)["end"].(obj)
		lines = append(lines, fmt.Sprintf("%v:%v-%v %v %v %v", from["line"], from["character"], to["character"], d["severity"], d["code"], d["message"]))
	}
	return lines
}

func (e *editor) want(got []string, want ...string) {
	e.t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		e.t.Errorf("shown\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// end closes the session and gives the exit code.
func (e *editor) end() int {
	e.t.Helper()
	e.notify("exit", nil)
	var exit *exec.ExitError
	if err := e.cmd.Wait(); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

const (
	lspCluster = `package cluster

import "skep.dev/schema"

cluster: schema.#Cluster
cluster: {
	name: "paris", kind: "swarm", domain: "paris.example.org"
	access: management: ["192.0.2.0/28"]
	stacks: blog: compose: ["blog.yaml"]
}
`
	lspNodes = `package cluster

cluster: nodes: {
	m1: {address: "10.0.0.11", role: "manager"}
	m2: {address: "10.0.0.12", role: "manager"}
	m3: {address: "10.0.0.13", role: "manager"}
	/* 🐝 */ w1: {adress: "10.0.0.14"}
}
`
	lspBlog = `services: {web: {image: "nginx:1.29.3@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}
`
)

// TestLSP writes a spec of two files and a Compose file in an editor, and nothing of it to the disk.
func TestLSP(t *testing.T) {
	right := strings.Replace(strings.Replace(lspNodes, "adress", "address", 1), "/* 🐝 */ ", "", 1)
	nodes := strings.Replace(lspNodes, "/* 🐝 */ w1", `"w1"`, 1)
	nodes = strings.Replace(nodes, `{adress`, `{labels: disk: "🐝", adress`, 1)
	e := newEditor(t, map[string]string{"cluster.cue": lspCluster, "nodes.cue": right, "blog.yaml": lspBlog})
	if m := e.ask("textDocument/hover", obj{}); fmt.Sprint(m["error"]) != "map[code:-32002 message:initialize comes first]" {
		t.Errorf("before initialize: %v", m)
	}
	m := e.ask("initialize", obj{"processId": nil, "rootUri": e.uri(""), "capabilities": obj{}})
	if c := fmt.Sprint(m["result"].(obj)["capabilities"]); c != "map[codeActionProvider:map[codeActionKinds:[quickfix]] hoverProvider:true positionEncoding:utf-16 textDocumentSync:map[change:1 openClose:true save:true]]" {
		t.Error(c)
	}
	e.notify("initialized", obj{})
	if m := e.ask("textDocument/definition", obj{}); fmt.Sprint(m["error"].(obj)["code"]) != "-32601" {
		t.Errorf("a method that skep lacks: %v", m)
	}

	// What is not on the disk counts, in another file than the one that names the schema. Columns are UTF-16 units.
	e.open("nodes.cue", nodes)
	label := `want a label value of letters and digits, with dots, dashes, slashes and underscores between them`
	e.want(e.shown("nodes.cue", 1),
		`6:22-26 1 wrong-value nodes.w1.labels.disk: "🐝": `+label,
		`6:28-34 1 unknown-field nodes.w1.adress: unknown field "adress"; did you mean "address"?`)

	// The edit that is offered makes it right.
	at := obj{"start": obj{"line": 6, "character": 30}, "end": obj{"line": 6, "character": 30}}
	m = e.ask("textDocument/codeAction", obj{"textDocument": obj{"uri": e.uri("nodes.cue")}, "range": at, "context": obj{"diagnostics": []any{}}})
	actions := m["result"].([]any)
	if len(actions) != 1 {
		t.Fatalf("actions: %v", actions)
	}
	edits := actions[0].(obj)["edit"].(obj)["changes"].(obj)[e.uri("nodes.cue")]
	if got := fmt.Sprint(edits); got != "[map[newText:address range:map[end:map[character:34 line:6] start:map[character:28 line:6]]]]" {
		t.Errorf("edit: %s", got)
	}
	nodes = strings.Replace(strings.Replace(nodes, "adress", "address", 1), "🐝", "ssd", 1)
	e.change("nodes.cue", 2, nodes)
	e.want(e.shown("nodes.cue", 2))

	// Of many changes the last is shown.
	for v := 3; v < 60; v++ {
		e.change("nodes.cue", v, strings.Replace(nodes, "10.0.0.14", "10.0.0."+strconv.Itoa(200+v), 1))
	}
	e.want(e.shown("nodes.cue", 59), `6:38-50 1 wrong-value nodes.w1.address: "10.0.0.259": want an IP address such as 10.0.0.1`)
	e.change("nodes.cue", 60, nodes)
	e.want(e.shown("nodes.cue", 60))

	// A Compose file of the spec has its own findings, as it is written.
	e.open("blog.yaml", strings.Replace(lspBlog, "image:", "privileged: true, image:", 1))
	if got := e.shown("blog.yaml", 1); len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), "privileged") {
		t.Errorf("of the Compose file: %v", got)
	}
	e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": e.uri("blog.yaml")}})
	e.want(e.shown("blog.yaml", 0))

	hover := func(line, character int) string {
		m := e.ask("textDocument/hover", obj{"textDocument": obj{"uri": e.uri("nodes.cue")}, "position": obj{"line": line, "character": character}})
		result, ok := m["result"].(obj)
		if !ok {
			return "none"
		}
		text, _, _ := strings.Cut(result["contents"].(obj)["value"].(string), "\n")
		from, to := result["range"].(obj)["start"].(obj), result["range"].(obj)["end"].(obj)
		return fmt.Sprintf("%s %v-%v", text, from["character"], to["character"])
	}
	for _, c := range []struct {
		line, character int
		want            string
	}{
		{3, 29, "nodes.m1.role 28-32"}, {3, 36, "nodes.m1.role 34-43"}, {2, 10, "nodes 9-14"}, {6, 17, "nodes.w1.labels.disk 16-20"}, {0, 3, "none"}, {99, 0, "none"},
	} {
		if got := hover(c.line, c.character); got != c.want {
			t.Errorf("at %d:%d is told of %s, want %s", c.line, c.character, got, c.want)
		}
	}

	// What is closed counts as it is on the disk.
	e.change("nodes.cue", 61, strings.Replace(nodes, "10.0.0.14", "10.0.0.13", 1))
	if got := e.shown("nodes.cue", 61); len(got) == 0 {
		t.Error("a shared address is not shown")
	}
	e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": e.uri("nodes.cue")}})
	e.want(e.shown("nodes.cue", 0))
	if m := e.ask("shutdown", nil); m["error"] != nil {
		t.Error(m)
	}
	if code := e.end(); code != 0 || e.stderr.String() != "" {
		t.Errorf("exit %d: %s", code, e.stderr.String())
	}
}

// TestLSPData is about YAML: a spec, and files that are none.
func TestLSPData(t *testing.T) {
	e := newEditor(t, nil)
	e.ask("initialize", obj{})
	e.open("values.yaml", "kind: Deployment\nadress: 1\n")
	e.open("empty.cue", "package x\n")
	text := "# käse\nname: paris\nkind: swarm\ndomain: paris.example.org\nnodes: {m1: {address: 10.0.0.11, role: manger}, \"🐝\": {address: 10.0.0.12}}\naccess: {management: [192.0.2.0/28]}\n"
	e.open("paris.yaml", text)
	got := e.next("the first diagnostics", func(m map[string]any) bool { return m["method"] == "textDocument/publishDiagnostics" })
	if uri := got["params"].(obj)["uri"]; uri != e.uri("paris.yaml") {
		t.Errorf("diagnostics of %v", uri)
	}
	m := e.ask("textDocument/hover", obj{"textDocument": obj{"uri": e.uri("paris.yaml")}, "position": obj{"line": 4, "character": 60}})
	if r, ok := m["result"].(obj); !ok || !strings.HasPrefix(r["contents"].(obj)["value"].(string), `nodes."\U0001f41d".address`) || fmt.Sprint(r["range"]) != "map[end:map[character:62 line:4] start:map[character:55 line:4]]" {
		t.Errorf("hover: %v", m)
	}
	e.change("paris.yaml", 2, "name: [\n")
	if got := e.shown("paris.yaml", 2); len(got) != 1 || !strings.Contains(got[0], "syntax") {
		t.Errorf("a broken text: %v", got)
	}
	if code := e.end(); code != exitFound {
		t.Errorf("exit %d without shutdown", code)
	}

	e = newEditor(t, nil)
	if _, err := io.WriteString(e.in, "skep vet\n\n"); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := e.cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitIO || e.stderr.String() != "skep: stdin: a message without Content-Length; skep lsp is for editors\n" {
		t.Errorf("what is no message: %v: %s", err, e.stderr.String())
	}
}
