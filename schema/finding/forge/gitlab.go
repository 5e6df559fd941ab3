package forge

import (
	"io"

	"skep.dev/schema/finding"
)

// gitlab is a report of code quality.
var gitlab = Format{
	Name:  "gitlab",
	For:   "a code quality report of GitLab",
	Write: writeGitLab,
}

type issue struct {
	Description string   `json:"description"`
	Check       string   `json:"check_name"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    location `json:"location"`
}

type location struct {
	Path  string `json:"path"`
	Lines lines  `json:"lines"`
}

type lines struct {
	Begin int `json:"begin"`
}

func writeGitLab(w io.Writer, _ string, results []Result) error {
	severities := map[finding.Level]string{finding.Mistake: "major", finding.Warning: "minor"}
	issues := make([]issue, 0, len(results)) // a list, even when it is empty
	for _, r := range results {
		issues = append(issues, issue{
			Description: brief(r.Says()),
			Check:       string(r.ID),
			Fingerprint: r.Fingerprint,
			Severity:    severities[r.Level],
			Location:    location{r.File, lines{r.Line}},
		})
	}
	return encoder(w).Encode(issues)
}
