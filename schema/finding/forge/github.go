package forge

import (
	"fmt"
	"io"
	"strings"

	"skep.dev/schema/finding"
)

// github is workflow commands: lines of the log that GitHub makes annotations of, the first ten of each level in a step
// (https://github.com/actions/toolkit/issues/734).
var github = Format{
	Name:  "github",
	For:   "annotations of a workflow of GitHub",
	Part:  true,
	Write: writeGitHub,
}

const annotations = 10

func writeGitHub(w io.Writer, _ string, results []Result) error {
	for _, level := range []finding.Level{finding.Mistake, finding.Warning} {
		of := ofLevel(level, results)
		shown := of
		if len(of) > annotations {
			shown = of[:annotations-1]
		}
		for _, r := range shown {
			columns := fmt.Sprintf("col=%d,endColumn=%d", r.Column, r.EndColumn)
			if _, err := fmt.Fprintf(w, "::%s file=%s,line=%d,endLine=%[3]d,%s,title=%s::%s\n", level, property(r.File), r.Line, columns, property(string(r.ID)), data(brief(r.Says()))); err != nil {
				return err
			}
		}
		if more := len(of) - len(shown); more > 0 {
			if _, err := fmt.Fprintf(w, "::%s title=skep::and %d more: see the log\n", level, more); err != nil {
				return err
			}
		}
	}
	return nil
}

// data escapes a text that stands behind the second :: of a command.
func data(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// property escapes a value between the two.
func property(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(text))
}
