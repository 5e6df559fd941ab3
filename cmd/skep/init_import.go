package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"skep.dev/schema/finding"
	"skep.dev/schema/imported"
	"skep.dev/schema/spec"
	"skep.dev/schema/written"
)

// imports reports whether the spec is made from what is there already.
func (o initOptions) imports() bool { return len(o.compose) > 0 || o.nodes != "" }

// composeArgs sorts the arguments of init: behind --from-compose a shell may have put more Compose files.
func composeArgs(args []string, o *initOptions) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		ext := path.Ext(arg)
		isFile := len(o.compose) > 0 && (ext == ".yml" || ext == ".yaml")
		if isFile {
			o.compose = append(o.compose, arg)
		}
		return isFile
	})
}

// takeOver adds to the first spec what the swarm and the Compose files say. It returns what should be told about it.
func takeOver(cmd *cobra.Command, dir string, o initOptions, f *first) (notes []string, err error) {
	swarm := imported.New
	var found finding.List
	if o.nodes != "" {
		swarm = imported.Running
		name, data, err := readNodes(cmd, o.nodes)
		if err != nil {
			return nil, err
		}
		nodes, wrong := imported.ReadNodes(name, data)
		found = append(found, wrong...)
		if len(wrong) == 0 {
			f.takeNodes(nodes)
		}
		for _, note := range nodes.Notes {
			notes = append(notes, name+": "+note)
		}
	}
	sources, err := sourcesIn(dir, o.compose)
	if err != nil {
		return nil, err
	}
	known := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	stacks, wrong := imported.ReadStacks(os.DirFS(dir), known, sources, swarm)
	if found = append(found, wrong...); len(found) > 0 {
		return nil, found
	}
	f.takeStacks(stacks)
	for _, s := range stacks.Replaced {
		notes = append(notes, fmt.Sprintf("%s: is Traefik alone, and not in the spec: services.traefik takes its place", strings.Join(s.Files, ", ")))
	}
	if swarm == imported.Running {
		notes = append(notes, restarts(stacks.List)...)
		notes = append(notes, "the step engine may restart the engine of a node, and its tasks with it: runbook.sh run --dry-run says of which, and why")
	}
	return notes, nil
}

// restarts says what taking stacks over does to their tasks.
func restarts(stacks []imported.Stack) []string {
	var notes, calm []string
	for i, s := range stacks {
		var whys []string
		for _, r := range s.Restarts {
			whys = append(whys, fmt.Sprintf("%s (%s)", finding.Several(r.Services), r.Why))
		}
		switch {
		case whys != nil:
			notes = append(notes, fmt.Sprintf("stack %s: its first deploy (runbook.sh run --adopt %s) restarts %s", s.Name, s.Name, strings.Join(whys, ", ")))
		case stacks[i].IsRead():
			calm = append(calm, s.Name)
		}
	}
	if calm != nil {
		notes = append(notes, "the first deploy (runbook.sh run --adopt STACK) restarts no task of "+strings.Join(calm, ", "))
	}
	return notes
}

// mostNodes bounds what docker node inspect may say: that of 10,000 nodes has 30 MB.
const mostNodes = 64 << 20

func readNodes(cmd *cobra.Command, file string) (name string, data []byte, err error) {
	from := cmd.InOrStdin()
	if name = file; file == "-" {
		name = "stdin"
	} else {
		info, err := os.Stat(file)
		if err == nil && !info.Mode().IsRegular() {
			return name, nil, &spec.InputError{Path: file, Text: "is not a regular file: write what docker node inspect prints into one, or pass it by - and a pipe"}
		}
		f, err := os.Open(file)
		if err != nil {
			return name, nil, err
		}
		defer f.Close()
		from = f
	}
	data, err = io.ReadAll(io.LimitReader(from, mostNodes+1))
	if err == nil && len(data) > mostNodes {
		err = &spec.InputError{Path: name, Text: fmt.Sprintf("has more than the %d MB that skep reads", mostNodes>>20)}
	}
	return name, data, err
}

// ordinary are names of Compose files that say nothing about the stack: its directory does.
var ordinary = []string{"compose", "docker-compose", "docker-stack", "stack", "swarm"}

// sourcesIn are the stacks of the command line: each FILE, or FILE,FILE for one over the other, with NAME= before it or not.
func sourcesIn(dir string, texts []string) ([]imported.Source, error) {
	var sources []imported.Source
	for _, text := range texts {
		name, rest, named := strings.Cut(text, "=")
		if !named {
			rest = text
		}
		var files []string
		for file := range strings.SplitSeq(rest, ",") {
			below, err := belowDir(dir, file)
			if err != nil {
				return nil, err
			}
			files = append(files, below)
		}
		if !named {
			var err error
			if name, err = stackName(dir, files[0]); err != nil {
				return nil, err
			}
		}
		if rule := written.NewSchema().BreaksName("stacks", name); rule != "" {
			return nil, usageError{fmt.Sprintf("init: --from-compose: %q: %s, before the =", name, rule)}
		}
		if i := slices.IndexFunc(sources, func(s imported.Source) bool { return s.Name == name }); i >= 0 {
			return nil, usageError{fmt.Sprintf("init: --from-compose: %s and %s would both be the stack %s: write NAME=%s for one of them, or %s=%s,%s for one over the other",
				sources[i].Files[0], files[0], name, files[0], name, sources[i].Files[0], files[0])}
		}
		sources = append(sources, imported.Source{Name: name, Files: files})
	}
	return sources, nil
}

// belowDir is the path of a file as the spec in dir has it.
func belowDir(dir, file string) (string, error) {
	if _, err := os.Stat(file); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", &spec.InputError{Path: file, Text: "no such file", Err: err}
		}
		return "", err
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, to)
	if below := filepath.ToSlash(rel); err == nil && filepath.IsLocal(rel) {
		if written.NewSchema().Breaks("#Below", below) != "" {
			return "", usageError{fmt.Sprintf("init: --from-compose: %q: a spec has paths of letters, digits, dots, dashes and underscores: rename it", below)}
		}
		return below, nil
	}
	return "", usageError{fmt.Sprintf("init: --from-compose: %s is not below %s, where the spec is written, and a spec names files below it: bring it there, or write the spec in a directory above both: skep init --from-compose FILE DIR", file, dir)}
}

// stackName is what a stack is called that has no name: as its file, or the directory of one with an ordinary name.
func stackName(dir, file string) (string, error) {
	stem, _, _ := strings.Cut(path.Base(file), ".")
	if slices.Contains(ordinary, stem) {
		at, err := filepath.Abs(filepath.Join(dir, filepath.FromSlash(path.Dir(file))))
		if err != nil {
			return "", err
		}
		stem = filepath.Base(at)
	}
	name := asName(stem)
	if name == "" {
		return "", usageError{fmt.Sprintf("init: --from-compose: %s gives the stack no name: write NAME=%s", file, file)}
	}
	return name, nil
}

// missing tells what a spec that was just written still lacks.
func missing(cmd *cobra.Command, arg string) error {
	found, err := findings(arg, time.Now())
	if err != nil {
		return err
	}
	mistakes := 0
	for _, f := range found {
		tell(cmd.ErrOrStderr(), f)
		if f.Level == finding.Mistake {
			mistakes++
		}
	}
	if mistakes > 0 {
		return errFound
	}
	return nil
}
