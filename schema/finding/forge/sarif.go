package forge

import (
	"io"
	"net/url"
	"strings"

	"skep.dev/schema/finding"
)

// sarif is SARIF 2.1.0 with what GitHub wants of it: it refuses a file with more results, and shows the same alert again by
// its fingerprint. Rules are all that skep knows, whatever is found, so that an alert closes when its finding is gone.
var sarif = Format{
	Name:  "sarif",
	For:   "alerts of a forge that scans code",
	Most:  sarifMost,
	Write: writeSARIF,
}

const sarifMost = 25000

// severities are of the rules about who gets in, from 0 to 10: GitHub calls their alerts security.
var severities = map[finding.ID]string{
	"api-open":                "8.0",
	"api-users":               "7.0",
	finding.DockerSocket:      "8.0",
	finding.HostPath:          "7.0",
	finding.KnownPassword:     "8.0",
	finding.SecretValue:       "7.0",
	"nodes-clear":             "5.0",
	finding.SecretEnvironment: "6.0",
	"range-reopens":           "5.0",
}

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		Automation automation    `json:"automationDetails"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver driver `json:"driver"`
	}
	driver struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	automation struct {
		ID string `json:"id"`
	}
	text struct {
		Text string `json:"text"`
	}
	rule struct {
		ID         finding.ID    `json:"id"`
		Short      text          `json:"shortDescription"`
		Full       text          `json:"fullDescription"`
		Help       text          `json:"help"`
		Config     configuration `json:"defaultConfiguration"`
		Properties *properties   `json:"properties,omitempty"`
	}
	properties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity"`
	}
	configuration struct {
		Level finding.Level `json:"level"`
	}
	sarifResult struct {
		Rule         finding.ID        `json:"ruleId"`
		Index        int               `json:"ruleIndex"`
		Level        finding.Level     `json:"level"`
		Message      text              `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical physical `json:"physicalLocation"`
	}
	physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   region   `json:"region"`
	}
	artifact struct {
		URI string `json:"uri"`
	}
	region struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

func writeSARIF(w io.Writer, name string, results []Result) error {
	rules, index := sarifRules()
	run := sarifRun{
		Tool:       sarifTool{driver{"skep", rules}},
		Automation: automation{"skep/vet/" + name},
		ColumnKind: "utf16CodeUnits",
		Results:    []sarifResult{}, // a list, even when it is empty: else no alert ever closes
	}
	for _, r := range atMost(sarifMost, results) {
		run.Results = append(run.Results, sarifResult{
			Rule: r.ID, Index: index[r.ID], Level: r.Level,
			Message: text{literal(brief(r.Says()))},
			Locations: []sarifLocation{{physical{
				artifact{uri(r.File)},
				region{r.Line, r.Column, r.Line, r.EndColumn},
			}}},
			Fingerprints: map[string]string{"skepField/v1": r.Fingerprint[:16]},
		})
	}
	return encoder(w).Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifRules are all kinds of findings, and where in the list each stands.
func sarifRules() ([]rule, map[finding.ID]int) {
	var rules []rule
	index := map[finding.ID]int{}
	for i, k := range finding.Kinds() {
		r := rule{
			ID: k.ID, Short: text{literal(k.Title)}, Full: text{literal(k.Why)}, Help: text{literal(k.Why + "\n\n" + k.Way)},
			Config: configuration{k.Level},
		}
		if s := severities[k.ID]; s != "" {
			r.Properties = &properties{[]string{"security"}, s}
		}
		rules = append(rules, r)
		index[k.ID] = i
	}
	return rules, index
}

// uri is a path as a relative reference; one with a colon would begin with a scheme.
func uri(path string) string {
	return strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), ":", "%3A")
}

// literal is a text in which nothing is a placeholder, and nothing a link: SARIF has both in plain texts (3.11.5, 3.11.6).
func literal(s string) string {
	s = strings.NewReplacer("{", "{{", "}", "}}").Replace(s)
	if strings.Contains(s, "](") {
		s = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
	}
	return s
}
