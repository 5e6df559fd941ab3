package plan

import (
	"fmt"

	"skep.dev/generators/runbook"
	"skep.dev/generators/stack"
)

// SettingChange is a field of the spec that changes for a running cluster, whether or not somebody wrote it: the default
// of an older skep may be another.
type SettingChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// setting is a field that no rule of the firewall shows. The next one is a row of settings.
type setting struct {
	field string
	file  string                       // of a bundle that tells its value
	read  func([]byte) (string, error) // returns "" where the file has no such thing
	words map[string]string            // what happens with a value
}

var settings = []setting{{
	field: "services.traefik.certificate.acme.challenge",
	file:  stack.TraefikFile,
	read:  stack.Challenge,
	words: map[string]string{
		"http": "the ACME authority asks by HTTP, at the port of http",
		"tls":  "the ACME authority asks by TLS-ALPN, at the port of https",
	},
}, {
	field: "gitops.agent",
	file:  runbook.Table,
	read:  runbook.Agent,
	words: map[string]string{
		"none":    "the runbook deploys the stacks",
		"doco-cd": "doco-cd deploys the stacks, and the runbook waits for it",
		"komodo":  "Komodo deploys the stacks, and the runbook waits for it",
	},
}}

// changed returns the settings that both bundles have, with different values.
func changed(before, after *Bundle) []SettingChange {
	var out []SettingChange
	for _, s := range settings {
		if from, to := before.settings[s.field], after.settings[s.field]; from != to && from != "" && to != "" {
			out = append(out, SettingChange{s.field, from, to})
		}
	}
	return out
}

// String is such as "changed  the ACME authority asks by TLS-ALPN, at the port of https (services...acme.challenge: http, now tls)".
func (c SettingChange) String() string {
	for _, s := range settings {
		if s.field == c.Field {
			return fmt.Sprintf("%-8s %s (%s: %s, now %s)", "changed", s.words[c.To], c.Field, c.From, c.To)
		}
	}
	return ""
}
