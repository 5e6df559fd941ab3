// Package forge writes findings in the forms that forges show beside a change: one Format each.
package forge

import (
	"encoding/json"
	"io"
	"slices"
	"unicode/utf8"

	"skep.dev/schema/finding"
)

// Format is a form that a forge reads.
type Format struct {
	Name string
	For  string // who reads it
	Most int    // results that it can hold; 0 for any number
	Part bool   // it does not tell all, so that the lines of text are told as well
	// Write writes the results of a spec, or of several. Name tells them from those of others in the same repository.
	Write func(w io.Writer, name string, results []Result) error
}

// Formats lists them all. The next one is a value in a file of its own, and stands here.
func Formats() []Format { return []Format{github, sarif, gitlab} }

// longest is how much of a message is shown, in bytes: forges refuse, or cut, longer ones at places of their own.
const longest = 1000

// brief cuts a text that is too long, between two characters.
func brief(text string) string {
	if len(text) <= longest {
		return text
	}
	end := longest - len("...")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

// atMost gives the first n results, mistakes before warnings; when there are no more than n, all in their order.
func atMost(n int, results []Result) []Result {
	if len(results) <= n {
		return results
	}
	return slices.Concat(ofLevel(finding.Mistake, results), ofLevel(finding.Warning, results))[:n]
}

func ofLevel(l finding.Level, results []Result) []Result {
	var out []Result
	for _, r := range results {
		if r.Level == l {
			out = append(out, r)
		}
	}
	return out
}

// encoder writes JSON that people read along with.
func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e
}
