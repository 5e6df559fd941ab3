package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/generators/runbook"
	"skep.dev/generators/tls"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// StepChange is a step of the runbook that may find something to do because of what differs: facts that it uses, files that it
// sends, nodes it is for. The others find what the last run left, unless somebody has changed that since.
type StepChange struct {
	Number  int      `json:"number"`
	Step    string   `json:"step"`
	Change  string   `json:"change"`           // "runs"; "added" or "removed" where only one of the bundles has it
	Danger  string   `json:"danger,omitempty"` // what the operator is asked to agree to
	Because []string `json:"because"`          // fields of the spec, files of the bundle and nodes
}

// steps are the steps that may do something, in the order of the runbook; those that only look are left out.
func steps(before, after *Bundle, p Plan) []StepChange {
	if len(before.table.steps) == 0 { // a bundle from before there was a table: nobody knows what is new
		return nil
	}
	var out []StepChange
	old := map[string]step{}
	for _, s := range before.table.steps {
		old[s.id] = s
	}
	for _, s := range after.table.steps {
		was, known := old[s.id]
		delete(old, s.id)
		if strings.HasPrefix(s.cells["undo"], runbook.OnlyLooks) {
			continue
		}
		c := StepChange{Number: s.number, Step: s.id, Change: "runs", Danger: s.cells["danger"], Because: []string{}}
		if known {
			c.Because = slices.Concat(factsOf(s, before.table, after.table), s.filesIn(p), s.bodyIn(p.Files), s.nodesIn(before, after))
			if was.cells["hosts"] != s.cells["hosts"] {
				c.Because = append(c.Because, "hosts: "+s.cells["hosts"])
			}
		} else {
			c.Change = added
		}
		if !known || len(c.Because) > 0 {
			out = append(out, c)
		}
	}
	for _, s := range before.table.steps {
		if _, gone := old[s.id]; gone && !strings.HasPrefix(s.cells["undo"], runbook.OnlyLooks) {
			out = append(out, StepChange{Number: s.number, Step: s.id, Change: removed, Because: []string{}})
		}
	}
	slices.SortStableFunc(out, func(a, b StepChange) int { return a.Number - b.Number })
	return out
}

// factsOf are those facts of a step that are others: the fields behind them, or what skep calls them.
func factsOf(s step, before, after table) []string {
	var out []string
	for _, name := range strings.Fields(s.cells["facts"]) {
		if !after.differs(name, before) || s.others(before.words(name), after.words(name), slices.Concat(before.steps, after.steps)) {
			continue
		}
		if because := field(after.facts[name], name); !slices.Contains(out, because) {
			out = append(out, because)
		}
	}
	return out
}

// others reports whether rows of an array differ that are all of other steps of the same kind, as a stack's rows are.
func (s step) others(was, now []string, steps []step) bool {
	mine := func(rows []string) []string {
		return slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
			first, _, _ := strings.Cut(row, " ")
			return first != s.cells["argument"] && slices.ContainsFunc(steps, func(o step) bool { return o.cells["argument"] == first })
		})
	}
	return s.cells["argument"] != "" && len(was)+len(now) > 0 && slices.Equal(mine(was), mine(now))
}

// field is the field of the spec that the comment above a fact begins with, or else what the fact is called.
func field(f artifact.Fact, name string) string {
	first, _, more := strings.Cut(f.From, " ")
	word := strings.TrimRight(first, ",:;")
	top, _, _ := strings.Cut(word, ".")
	if slices.Contains(schema.Fields(), top) && word != "stacks" && (!more || word != first) {
		return word
	}
	return strings.ReplaceAll(name, "_", " ")
}

// filesIn are the files that the step sends, among those that differ. Of the script for certificates nodes get nothing but what
// it makes for their API.
func (s step) filesIn(p Plan) []string {
	var out []string
	for _, known := range strings.Fields(s.cells["files"]) {
		if known == tls.Script && s.cells["hosts"] != "operator" {
			for _, c := range p.Certificates {
				if strings.HasPrefix(c.Pair, serverPair) {
					out = append(out, c.Pair)
				}
			}
			continue
		}
		for _, f := range p.Files {
			if f.File == known || strings.HasSuffix(known, "/") && strings.HasPrefix(f.File, known) {
				out = append(out, f.File)
			}
		}
	}
	return out
}

// bodyIn is the step's own program, where another version of skep has another one.
func (s step) bodyIn(files []FileChange) []string {
	var out []string
	for _, body := range strings.Fields(s.cells["body"]) {
		for _, f := range files {
			if f.File == runbook.Body(body) {
				out = append(out, f.File)
			}
		}
	}
	return out
}

// rulesets is the folder of what a node has by its class.
var rulesets = path.Dir(firewall.Command) + "/"

// nodesIn are the nodes that the step is for and that are new, or others: another class has another ruleset, and means nothing
// to steps that send none.
func (s step) nodesIn(before, after *Bundle) []string {
	var names []string
	for _, n := range after.nodes {
		old, known := before.node(n.name)
		if !slices.Contains(strings.Fields(s.cells["files"]), rulesets) {
			old.class = n.class
		}
		if (!known || old != n) && n.isOf(s.cells["hosts"]) {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{finding.Nodes(names)}
}

// isOf reports whether a group of hosts has the node.
func (n node) isOf(hosts string) bool {
	switch hosts {
	case "all":
		return true
	case "managers", "other managers":
		return n.role == "manager"
	case "workers":
		return n.role == "worker"
	}
	duties, ok := strings.CutPrefix(hosts, "duty ")
	return ok && slices.ContainsFunc(strings.Fields(n.duties), func(duty string) bool { return slices.Contains(strings.Fields(duties), duty) })
}

// String is such as "step     27 firewall (firewall/worker.nft), and asks: loads new rules".
func (c StepChange) String() string {
	text := fmt.Sprintf("%-8s %02d %s", "step", c.Number, c.Step)
	switch {
	case c.Change == added:
		text += " (new)"
	case c.Change == removed:
		return text + " is no longer there"
	default:
		text += " (" + finding.Several(c.Because) + ")"
	}
	if c.Danger != "" {
		text += ", and asks: " + c.Danger
	}
	return text
}
