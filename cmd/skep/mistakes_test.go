package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// attempt is a block of testdata/mistakes.txt: an edit of the spec of its section, or a command, and what is said to it.
type attempt struct{ typed, said string }

// section is a spec, and what people write there.
type section struct {
	head     string // as it stands in the table
	file     string // of the spec
	spec     string
	attempts []attempt
}

// TestMistakes makes each mistake of the table as a user does, and compares what is said, whole. The table is
// testdata/mistakes.txt, whose first lines say how it is read.
func TestMistakes(t *testing.T) {
	const path = "testdata/mistakes.txt"
	table, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	intro, sections := tableOf(string(table))
	count, now := 0, intro
	for i := range sections {
		s := &sections[i]
		now += s.head
		for j, said := range s.all(t) {
			a := s.attempts[j]
			if said != a.said && !*update {
				t.Errorf("%s\n%swant\n%s", a.typed, said, a.said)
			}
			now += a.typed + "\n" + said + "\n"
			count++
		}
	}
	if count < 200 {
		t.Errorf("%d mistakes, want 200 or more", count)
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.TrimRight(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// all makes every mistake of a section, a few at a time.
func (s *section) all(t *testing.T) []string {
	said := make([]string, len(s.attempts))
	turn := make(chan struct{}, runtime.NumCPU())
	var wait sync.WaitGroup
	for i, a := range s.attempts {
		turn <- struct{}{}
		wait.Go(func() {
			said[i] = s.say(t, a.typed)
			<-turn
		})
	}
	wait.Wait()
	return said
}

// tableOf reads the table.
func tableOf(text string) (intro string, sections []section) {
	parts := strings.Split(text, "\n== ")
	for _, part := range parts[1:] {
		blocks := strings.Split(strings.TrimRight(part, "\n"), "\n\n\n")
		head, rest, _ := strings.Cut(blocks[0], "\n")
		s := section{head: "\n== " + blocks[0] + "\n\n\n", file: head, spec: unindent(rest)}
		for block := range strings.SplitSeq(strings.Join(blocks[1:], "\n\n"), "\n\n") {
			typed, said, _ := strings.Cut(block, "\n\t")
			if said != "" {
				said = "\t" + said + "\n"
			}
			s.attempts = append(s.attempts, attempt{strings.TrimRight(typed, "\n"), said})
		}
		sections = append(sections, s)
	}
	return parts[0], sections
}

func unindent(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimPrefix(line, "\t"))
	}
	if out.Len() == 0 {
		return ""
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// escapes are what a table cannot show.
var escapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\ufeff`, "\ufeff", `\u00a0`, "\u00a0")

// edited is the spec of a section after an edit.
func (s *section) edited(t *testing.T, typed string) string {
	t.Helper()
	from, to, ok := strings.Cut(typed, "  =>  ")
	from, to = escapes.Replace(from), escapes.Replace(to)
	switch {
	case ok && from == "(all)":
		return to + "\n"
	case ok && from == "(before all)":
		return to + s.spec
	case ok && from == "(after all)":
		return s.spec + to + "\n"
	case !ok || !strings.Contains(s.spec, from):
		t.Errorf("%q: the spec has no such text", typed)
	}
	return strings.Replace(s.spec, from, to, 1)
}

// say makes one mistake in a directory of its own, and returns what skep says, each line after a tab.
func (s *section) say(t *testing.T, typed string) string {
	t.Helper()
	dir := t.TempDir()
	spec, command := s.spec, "skep vet "+s.file
	if line, ok := strings.CutPrefix(typed, "$ "); ok {
		command = line
	} else {
		spec = s.edited(t, typed)
	}
	if err := os.WriteFile(filepath.Join(dir, s.file), []byte(spec), 0o644); err != nil {
		t.Error(err)
		return ""
	}
	run := exec.Command("bash", "-c", command)
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err == nil {
		t.Errorf("%q is no mistake: %s", typed, out)
	}
	said := ""
	for line := range strings.Lines(string(out)) {
		said += "\t" + strings.TrimPrefix(strings.TrimRight(line, "\n"), s.file+":") + "\n"
	}
	if strings.HasPrefix(typed, "$ ") && run.ProcessState.ExitCode() != exitUsage {
		said += "\texit " + run.ProcessState.String()[len("exit status "):] + "\n"
	}
	return said
}
