// Package waive is about findings that a spec accepts, with a reason and until a day.
package waive

import (
	"maps"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// inStacks are the mistakes that somebody may accept: the stack will not do all that its file says, and nothing is opened,
// lost or shown by that.
var inStacks = []finding.ID{
	finding.IgnoredKey, finding.NetworkFull, finding.RouteOwn, finding.RouteTaken, finding.TraefikLabel, finding.TraefikLabelLevel, finding.TraefikMiddleware, finding.TraefikName,
	finding.TraefikMissing, finding.TraefikNetwork, finding.TraefikOff, finding.TraefikPoint, finding.TraefikPort, finding.TraefikReference, finding.TraefikRule, finding.TraefikV1,
}

const never = "cannot be waived: do what the finding says, and remove the waiver"

// Fault says why there is no waiver of an ID in a stack, or "".
func Fault(id string) string {
	known := map[string]finding.Level{}
	for _, k := range finding.Kinds() {
		known[string(k.ID)] = k.Level
	}
	switch level, ok := known[id]; {
	case !ok:
		return "is not the ID of a finding" + written.DidYouMean(id, slices.Sorted(maps.Keys(known)))
	case level == finding.Mistake && !slices.Contains(inStacks, finding.ID(id)), strings.HasPrefix(id, "waiver-"):
		return never
	}
	return ""
}

// SpecFault says why there is no waiver of an ID for the spec itself, or "": it accepts warnings alone.
func SpecFault(id string) string {
	fault := Fault(id)
	if fault == "" && finding.LevelOf(finding.ID(id)) == finding.Mistake {
		return "is about a Compose file: waive it in the stack, below stacks: NAME: waive"
	}
	return fault
}

// Accepted leaves out the warnings about a spec that it accepts, and warns of waivers that hold for nothing.
func Accepted(c *schema.Cluster, found finding.List) finding.List {
	used := map[string]bool{} // by field of the waiver
	var left finding.List
	for _, f := range found {
		if f.Level != finding.Warning || !holds(c.Waive, f, used) {
			left = append(left, f)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Waive)) {
		field := schema.JoinPath("waive", id)
		if !used[field] {
			left = append(left, unused(c, id, field))
			continue
		}
		for _, name := range c.Waive[id].Fields {
			if at := field + " " + name; !used[at] {
				left = append(left, finding.Finding{ID: finding.WaiverUnused, Level: finding.Warning, Path: field + ".fields", Text: "holds for nothing at " + name + ": remove it from the list"})
			}
		}
	}
	return left
}

// holds reports whether a waiver is for the finding, and notes what of it is of use.
func holds(waivers map[string]schema.SpecWaiver, f finding.Finding, used map[string]bool) bool {
	w, ok := waivers[string(f.ID)]
	if !ok {
		return false
	}
	field := schema.JoinPath("waive", string(f.ID))
	if len(w.Fields) == 0 {
		used[field] = true
		return true
	}
	held := false
	for _, name := range w.Fields {
		if f.Path == name || strings.HasPrefix(f.Path, name+".") {
			held, used[field], used[field+" "+name] = true, true, true
		}
	}
	return held
}

func unused(c *schema.Cluster, id, field string) finding.Finding {
	text := "holds for nothing: remove it"
	for _, s := range c.Stacks {
		if slices.ContainsFunc(s.Said, func(f finding.Finding) bool { return string(f.ID) == id }) {
			text = "holds for nothing in the spec itself: move it to " + s.Field("waive", id)
			break
		}
	}
	return finding.Finding{ID: finding.WaiverUnused, Level: finding.Warning, Path: field, Text: text}
}
