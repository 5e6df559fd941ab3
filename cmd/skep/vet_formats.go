package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/schema/finding"
	"skep.dev/schema/finding/forge"
)

// report is findings in one form, and where they are written.
type report struct {
	name string
	file string // "" for stdout
}

// reports are the values of the flag --format of vet.
type reports []report

// reportNames lists the forms: those of every verb, and the forges'.
func reportNames() []string {
	names := []string{string(formatText), string(formatJSON)}
	for _, f := range forge.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// String is what the flag is unless told.
func (r *reports) String() string { return string(formatText) }

// Type is the placeholder in the flag's help.
func (r *reports) Type() string { return "NAME[=FILE]" }

// Set takes one more form.
func (r *reports) Set(s string) error {
	name, file, named := strings.Cut(s, "=")
	switch {
	case !slices.Contains(reportNames(), name):
		return fmt.Errorf("want %s", either(reportNames()))
	case named && file == "":
		return errors.New("want a file behind the =")
	case file == "-":
		file = ""
	}
	for _, other := range *r {
		switch {
		case file == "" && other.file == "" && (other.name == name || name != string(formatText) && other.name != string(formatText)):
			return fmt.Errorf("stdout has %s already: write one of them to a file, such as %s=FILE", other.name, name)
		case file != "" && filepath.Clean(file) == filepath.Clean(other.file):
			return fmt.Errorf("the file has %s already", other.name)
		}
	}
	*r = append(*r, report{name, file})
	return nil
}

// addReports gives vet the flag --format.
func addReports(cmd *cobra.Command) *reports {
	r := &reports{}
	usage := "write findings as " + either(reportNames()) + ", to stdout or to FILE; several at once"
	cmd.Flags().Var(r, "format", usage)
	if err := cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reportNames(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // only when the flag is missing or registered twice
	}
	return r
}

// tellsText reports whether the findings are lines on stderr: unless stdout has them all.
func (r reports) tellsText() bool {
	whole := false
	for _, one := range r {
		if one.file == "" && one.name == string(formatText) {
			return true
		}
		whole = whole || one.file == "" && !one.forge().Part
	}
	return !whole
}

// forge is the form of a forge, or without a name.
func (r report) forge() forge.Format {
	all := forge.Formats()
	if i := slices.IndexFunc(all, func(f forge.Format) bool { return f.Name == r.name }); i >= 0 {
		return all[i]
	}
	return forge.Format{}
}

// write writes what was found in specs in all forms.
func (r reports) write(cmd *cobra.Command, specs []string, root string, found finding.List) error {
	for _, one := range r {
		var err error
		switch {
		case one.file != "":
			err = one.create(specs, root, found)
		case one.name != string(formatText): // vet tells those
			err = one.write(cmd.OutOrStdout(), specs, root, found)
		}
		if err != nil {
			return err
		}
		if most := one.forge().Most; most > 0 && len(found) > most {
			talk(cmd.ErrOrStderr(), fmt.Sprintf("vet: %s: holds %d of %d findings: forges refuse more", one.name, most, len(found)))
		}
	}
	return nil
}

// create writes a form to its file.
func (r report) create(specs []string, root string, found finding.List) error {
	f, err := os.Create(r.file)
	if err != nil {
		return err
	}
	out := newOutput(f)
	return errors.Join(r.write(out, specs, root, found), out.Flush(), f.Close())
}

func (r report) write(w io.Writer, specs []string, root string, found finding.List) error {
	switch r.name {
	case string(formatText):
		for _, f := range found {
			if _, err := fmt.Fprintln(w, f.Error()); err != nil {
				return err
			}
		}
		return nil
	case string(formatJSON):
		return newJSON(w).Encode(verdict{version1("vet"), append(finding.List{}, found...)})
	}
	t, err := newTop(root)
	if err != nil {
		return err
	}
	results, err := forge.Results(found, t.look)
	if err != nil {
		return err
	}
	name := ""
	if len(specs) == 1 {
		at, err := t.path(specs[0])
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(at+"/", "./")
	}
	return r.forge().Write(w, name, results)
}

// top is the directory from which forges name files.
type top struct{ dir string }

// newTop takes the directory from the user, or finds the repository around the working directory.
func newTop(root string) (*top, error) {
	dir, err := filepath.Abs(root)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil || root != "" {
		return &top{dir}, err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, ".git")); err == nil {
			return &top{d}, nil
		}
		if d == filepath.Dir(d) {
			return &top{dir}, nil
		}
	}
}

// path names a file from the top.
func (t *top) path(name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) { // it has been read, by a name of which messages show signs as escapes
		return "", usageError{fmt.Sprintf("vet: %s: a forge cannot show a file of this name", name)}
	}
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(t.dir, real)
	rel = filepath.ToSlash(rel)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", usageError{fmt.Sprintf("vet: %s: is outside of %s: name the top of its repository with --root", name, t.dir)}
	}
	return rel, nil
}

// look finds a file for a forge; of a directory there is no text.
func (t *top) look(name string) (forge.File, error) {
	rel, err := t.path(name)
	if err != nil {
		return forge.File{}, err
	}
	info, err := os.Stat(name)
	if err != nil || info.IsDir() {
		return forge.File{Path: rel}, err
	}
	text, err := os.ReadFile(name)
	return forge.File{Path: rel, Text: text}, err
}
