package plan

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"skep.dev/generators/artifact"
)

// fact is a variable of a script that skep wrote.
type fact struct {
	text  string   // as it is written
	words []string // of an array
	from  string   // the comment above it: the field of the spec that decides
}

// step is a row of the runbook's table.
type step struct {
	number int
	id     string
	cells  map[string]string
}

// table is what the spec decides of the runbook, or of another script: facts alone.
type table struct {
	facts map[string]fact
	steps []step
}

// readTable reads what artifact.Table wrote, or the facts of an artifact.Script.
func readTable(f artifact.File) (table, error) {
	t := table{facts: map[string]fact{}}
	parsed, err := syntax.NewParser(syntax.KeepComments(true)).Parse(bytes.NewReader(f.Data), f.Path)
	if err != nil {
		return t, err
	}
	for _, s := range parsed.Stmts {
		switch c := s.Cmd.(type) {
		case *syntax.DeclClause:
			t.addFact(f.Data, s)
		case *syntax.FuncDecl:
			if body, ok := c.Body.Cmd.(*syntax.Block); ok && c.Name.Value == "variables" {
				for _, s := range body.Stmts {
					t.addFact(f.Data, s)
				}
			}
		case *syntax.CallExpr:
			if len(c.Args) > 0 && literal(c.Args[0]) == "step" {
				if err := t.addStep(c); err != nil {
					return t, fmt.Errorf("%s:%d: %w", f.Path, s.Pos().Line(), err)
				}
			}
		}
	}
	return t, nil
}

// addFact takes "readonly name=value", or the array of that name.
func (t *table) addFact(data []byte, s *syntax.Stmt) {
	c, ok := s.Cmd.(*syntax.DeclClause)
	if !ok {
		return
	}
	v := fact{}
	for _, comment := range s.Comments {
		v.from = strings.TrimSpace(comment.Text)
	}
	for _, a := range c.Args {
		if a.Name == nil {
			continue
		}
		v.text = string(data[a.Pos().Offset():a.End().Offset()])
		if a.Array != nil {
			for _, e := range a.Array.Elems {
				v.words = append(v.words, literal(e.Value))
			}
		}
		t.facts[a.Name.Value] = v
	}
}

// addStep takes "step NUMBER ID NAME=VALUE...".
func (t *table) addStep(c *syntax.CallExpr) error {
	if len(c.Args) < 3 {
		return fmt.Errorf("want a number and an ID behind step")
	}
	number, err := strconv.Atoi(literal(c.Args[1]))
	if err != nil {
		return fmt.Errorf("step %q: want a number", literal(c.Args[1]))
	}
	s := step{number: number, id: literal(c.Args[2]), cells: map[string]string{}}
	for _, arg := range c.Args[3:] {
		name, value, _ := strings.Cut(literal(arg), "=")
		s.cells[name] = value
	}
	t.steps = append(t.steps, s)
	return nil
}

// literal is the value of a word that only quotes are in.
func literal(w *syntax.Word) string {
	var b strings.Builder
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(p.Value, `\`, ""))
		}
	}
	return b.String()
}
