package lint

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Expiries tells about exposures and waivers that end within two weeks of the day, as warnings, and about those that have
// ended, as mistakes. It is apart from spec.Load, since no bundle may depend on the day.
func Expiries(c *schema.Cluster, today time.Time) finding.List {
	var found finding.List
	told := map[string]bool{}
	for _, e := range c.Exposures {
		if path := e.Field + ".expires"; !told[path] { // one field of a stack may open several ports
			told[path] = true
			found = append(found, expiry(path, e.Expires, "exposure", today)...)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Waive)) {
		found = append(found, expiry(schema.JoinPath("waive", id, "expires"), c.Waive[id].Expires, "waiver", today)...)
	}
	for _, s := range c.Stacks {
		for _, id := range slices.Sorted(maps.Keys(s.Waive)) {
			found = append(found, expiry(s.Field("waive", id, "expires"), s.Waive[id].Expires, "waiver", today)...)
		}
	}
	return found
}

// expiry tells about one day of the spec, or nothing where there is none.
func expiry(path, day, noun string, today time.Time) finding.List {
	last, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	switch days := int(last.Sub(today.UTC().Truncate(24*time.Hour)).Hours() / 24); {
	case days < 0:
		id := finding.ID(noun + "-expired")
		return finding.List{{ID: id, Level: finding.Mistake, Path: path, Text: fmt.Sprintf("ended %s ago: remove the %s, or give it more time [%s]", plainCount(-days, "day"), noun, id)}}
	case days <= 14:
		return finding.List{{ID: finding.ID(noun + "-expires"), Level: finding.Warning, Path: path, Text: "expires in " + plainCount(days, "day")}}
	}
	return nil
}

func plainCount(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.TrimSpace(strconv.Itoa(n) + " " + noun)
}
